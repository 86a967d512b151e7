"""What is said of refined cameras."""

import torch

from isopts.fit.cameras.motion import camera_motion, describe_motion
from isopts.geometry.camera_corrections import CameraCorrections
from isopts.geometry.cameras import Cameras


def cameras(count: int) -> Cameras:
    """In a row, looking along z at the middle of the world."""
    intrinsics = torch.tensor([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]], dtype=torch.float64).repeat(count, 1, 1)
    rotations = torch.eye(3, dtype=torch.float64).repeat(count, 1, 1)
    translations = torch.tensor([0.0, 0, 3], dtype=torch.float64).repeat(count, 1)
    return Cameras(intrinsics, rotations, translations, torch.tensor([[640, 480]]).repeat(count, 1))


def motion(*vectors: list[float]) -> dict[str, float]:
    return camera_motion(cameras(len(vectors)), CameraCorrections.from_vectors(torch.tensor(vectors).double()))


def test_pixels_and_degrees_of_a_turn():
    figures = motion([0, 0.01, 0, 0, 0, 0, 0])
    assert abs(figures["camera_rotation_degrees_max"] - 0.573) < 1e-3
    assert 4.5 < figures["camera_pixels_max"] < 5.5
    assert figures["camera_views_as_given"] == 0
    assert "as given" not in describe_motion(figures)


def test_views_that_stay_as_given_are_counted():
    figures = motion([0.0] * 7, [0.0] * 7, [0, 0, 0, 0.01, 0, 0, 0])
    assert (figures["camera_views"], figures["camera_views_as_given"]) == (3, 2)
    assert describe_motion(figures).endswith(
        "2 of 3 as given: too little of the surface was found again in their images"
    )


def test_refining_that_moved_no_camera_says_so():
    assert describe_motion(motion([0.0] * 7, [0.0] * 7)).startswith("all 2 as given: too little")
