"""Texels of triangles in the plane."""

import torch

from isopts.geometry.texels import rasterize

SIZE = 32
SQUARE = torch.tensor(
    [[[4.0, 4], [20, 4], [20, 20]], [[4, 4], [20, 20], [4, 20]]]
)  # the second ends where the first does


def places(texels, corners):
    return torch.einsum("tk,tkc->tc", texels.barycentric, corners[texels.faces])


def test_barycentric_weights_lead_to_the_middle_of_the_texel() -> None:
    texels = rasterize(SQUARE, SIZE)
    middles = torch.stack([texels.indices % SIZE, texels.indices // SIZE], dim=1).float()
    inside = ((middles >= 4) & (middles <= 20)).all(dim=1)
    assert int(inside.sum()) == 17 * 17
    assert torch.allclose(places(texels, SQUARE)[inside], middles[inside], atol=1e-4)
    assert torch.allclose(texels.barycentric.sum(dim=1), torch.ones(len(texels.indices)))
    assert texels.barycentric.min() >= 0


def test_texels_beside_a_face_show_its_border() -> None:
    texels = rasterize(SQUARE, SIZE)
    beside = texels.indices == 10 * SIZE + 3
    assert int(beside.sum()) == 1
    place = places(texels, SQUARE)[beside][0]
    assert torch.allclose(place, torch.tensor([4.0, 10.0]), atol=1.0)
    assert place[0] >= 4 - 1e-4
    assert not (texels.indices == 10 * SIZE + 2).any()


def test_each_texel_is_once_there_in_order_whatever_the_winding() -> None:
    texels = rasterize(SQUARE, SIZE)
    assert (texels.indices[1:] > texels.indices[:-1]).all()
    turned = rasterize(SQUARE[:, [0, 2, 1]], SIZE)
    assert torch.equal(turned.indices, texels.indices)
    assert torch.allclose(places(turned, SQUARE[:, [0, 2, 1]]), places(texels, SQUARE), atol=1e-4)


def test_a_face_smaller_than_a_texel_is_not_lost_and_one_without_area_shows_nothing() -> None:
    small = torch.tensor([[[9.3, 9.3], [9.5, 9.3], [9.3, 9.5]], [[1, 1], [1, 1], [1, 1]]])
    texels = rasterize(small, SIZE)
    assert 9 * SIZE + 9 in texels.indices.tolist()
    assert set(texels.faces.tolist()) == {0}
    assert len(rasterize(small[1:], SIZE).indices) == 0
