import torch

from isopts.render.image_codes import encode_colors, encode_depths, encode_mask, encode_normals
from isopts.render.view_image import ViewImage

MASK = torch.tensor([[True, True, False]])
IMAGE = ViewImage(
    torch.tensor([[[0.0, 0.5, 1.0], [1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]]),
    torch.tensor([[[-1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]]),
    torch.tensor([[1e-9, 65535 * 0.25, torch.inf]]),
    MASK,
)


def test_values_become_whole_numbers_and_the_background_zero():
    assert encode_colors(IMAGE).tolist() == [[[0, 128, 255], [255, 255, 255], [0, 0, 0]]]
    assert encode_normals(IMAGE).tolist() == [[[0, 128, 255], [128, 255, 128], [0, 0, 0]]]
    assert encode_mask(IMAGE).tolist() == [[255, 255, 0]]
    depths = encode_depths(IMAGE, 0.25)
    assert depths.dtype == "uint16"
    assert depths.tolist() == [[1, 65535, 0]]  # 0 is kept for the background
