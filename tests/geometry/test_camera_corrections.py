"""Corrections turn cameras about their centres, move these, and can be taken back."""

import pytest
import torch

from isopts.geometry.camera_corrections import CameraCorrections, cross_matrices
from isopts.geometry.cameras import Cameras


@pytest.fixture
def cameras() -> Cameras:
    generator = torch.Generator().manual_seed(0)
    rotations = torch.linalg.qr(torch.randn(4, 3, 3, generator=generator, dtype=torch.float64)).Q
    rotations = rotations * torch.linalg.det(rotations)[:, None, None]
    intrinsics = torch.tensor([[800.0, 2, 320], [0, 790, 240], [0, 0, 1]], dtype=torch.float64).repeat(4, 1, 1)
    translations = torch.tensor([[0.1, -0.2, 3.0]], dtype=torch.float64).repeat(4, 1)
    return Cameras(intrinsics, rotations, translations, torch.tensor([[640, 480]] * 4))


def corrections(scale: float = 0.01) -> CameraCorrections:
    generator = torch.Generator().manual_seed(1)
    return CameraCorrections.from_vectors(scale * torch.randn(4, 7, generator=generator, dtype=torch.float64))


def test_none_changes_nothing(cameras):
    same = CameraCorrections.none(4).applied(cameras)
    torch.testing.assert_close(same.projections(), cameras.projections(), atol=1e-12, rtol=0)


def test_vectors_and_back():
    made = corrections()
    assert made.vectors().shape == (4, 7)
    for part, again in zip(made, CameraCorrections.from_vectors(made.vectors()), strict=True):
        assert torch.equal(part, again)
    assert torch.equal(made.select([2, 0]).vectors(), made.vectors()[[2, 0]])


def test_a_turn_leaves_the_centre_and_a_move_the_orientation(cameras):
    vectors = corrections().vectors()
    turned = CameraCorrections.from_vectors(vectors * torch.tensor([1, 1, 1, 0, 0, 0, 0])).applied(cameras)
    torch.testing.assert_close(turned.centers(), cameras.centers(), atol=1e-12, rtol=0)
    between = turned.rotations @ cameras.rotations.mT
    angles = torch.arccos(((between.diagonal(dim1=1, dim2=2).sum(dim=1) - 1) / 2).clamp(-1, 1))
    torch.testing.assert_close(angles, vectors[:, :3].norm(dim=1), atol=1e-7, rtol=0)
    moved = CameraCorrections.from_vectors(vectors * torch.tensor([0, 0, 0, 1, 1, 1, 0])).applied(cameras)
    assert torch.equal(moved.rotations, cameras.rotations)
    lengths = (moved.centers() - cameras.centers()).norm(dim=1)
    torch.testing.assert_close(lengths, vectors[:, 3:6].norm(dim=1), atol=1e-12, rtol=0)


def test_a_focal_length_scales_about_the_principal_point(cameras):
    vectors = torch.zeros(4, 7, dtype=torch.float64)
    vectors[:, 6] = 0.02
    longer = CameraCorrections.from_vectors(vectors).applied(cameras)
    points = torch.randn(10, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(2)) * 0.3
    middle = cameras.intrinsics[:, None, :2, 2]
    before, after = cameras.project(points)[0] - middle, longer.project(points)[0] - middle
    torch.testing.assert_close(after, before * torch.tensor(0.02).double().exp())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_undone_is_the_inverse(cameras, dtype):
    rounded = cameras.to("cpu", dtype)
    made = corrections(0.1)
    again = made.undone(made.applied(rounded))
    assert again.rotations.dtype == dtype
    tolerance = 1e-6 if dtype == torch.float32 else 1e-12
    torch.testing.assert_close(again.rotations, rounded.rotations, atol=tolerance, rtol=0)
    torch.testing.assert_close(again.translations, rounded.translations, atol=3 * tolerance, rtol=0)
    torch.testing.assert_close(again.intrinsics, rounded.intrinsics, atol=0, rtol=tolerance)


def test_cross_matrices_are_cross_products():
    v, x = torch.randn(2, 5, 3, generator=torch.Generator().manual_seed(3))
    torch.testing.assert_close((cross_matrices(v) @ x[..., None])[..., 0], torch.linalg.cross(v, x))


def test_between_is_what_was_applied(cameras):
    for made in (corrections(0.1), CameraCorrections.none(4)):
        found = CameraCorrections.between(cameras, made.applied(cameras))
        torch.testing.assert_close(found.vectors(), made.vectors(), atol=1e-12, rtol=0)
