"""The picture of a texture."""

import torch

from isopts.render.texture_picture import texture_picture


def test_texels_keep_their_colour_and_the_rest_takes_the_nearest() -> None:
    indices = torch.tensor([0, 63])
    picture = texture_picture(indices, torch.tensor([[1.0, 0, 0], [0, 0.5, 0]]), 8)
    assert picture[0, 0].tolist() == [255, 0, 0]
    assert picture[7, 7].tolist() == [0, 128, 0]
    assert picture[2, 1].tolist() == [255, 0, 0]
    assert picture[6, 4].tolist() == [0, 128, 0]
    assert picture.sum(axis=2).min() > 0  # no background
    assert texture_picture(indices[:0], torch.zeros((0, 3)), 8).shape == (8, 8, 3)
