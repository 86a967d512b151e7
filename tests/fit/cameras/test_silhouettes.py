"""Outlines of a ball say where its camera is."""

import math

import pytest
import torch

from isopts.fit.cameras.silhouettes import outline_pixels, outline_sightings
from isopts.geometry.bundle_adjustment import CorrectionSizes, Sightings, adjust_bundle
from isopts.geometry.camera_corrections import CameraCorrections
from isopts.render.sampled_field import sample_field


@pytest.fixture(scope="module")
def outline(prepared_ball):
    return outline_pixels(prepared_ball.maps, torch.Generator().manual_seed(0))


def ball_field(radius: float, x: float = 0.0):
    """value_and_gradient of a ball in the unit frame, and its sampled copy."""
    center = torch.tensor([x, 0.0, 0.0])

    def value_and_gradient(points: torch.Tensor):
        return (points - center).norm(dim=1) - radius, torch.nn.functional.normalize(points - center, dim=1)

    return value_and_gradient, sample_field(lambda points: value_and_gradient(points)[0], 48, "cpu")


def true_ball(prepared, ball) -> tuple[float, torch.Tensor]:
    """Radius and centre (3,) in the unit frame."""
    frame = prepared.frame
    return ball.radius * frame.scale, (torch.tensor(ball.center) - torch.tensor(frame.center)).double() * frame.scale


def test_outline_pixels_are_next_to_silhouettes(prepared_ball, outline):
    assert torch.equal(outline.views.unique(), torch.arange(12))
    assert torch.bincount(outline.views).min() > 20
    for view in (0, 7):
        chosen = outline.views == view
        mask = torch.from_numpy(prepared_ball.source.mask(view).copy())
        columns, rows = outline.pixels[chosen].round().long().unbind(1)
        assert torch.equal(mask[rows, columns], outline.distances[chosen] < 0)


def test_the_true_ball_is_where_its_outlines_are(prepared_ball, ball, outline):
    radius, center = true_ball(prepared_ball, ball)
    assert center.abs().max() < 0.03
    cameras = prepared_ball.exact_cameras
    points, sightings = outline_sightings(outline, cameras, cameras, *ball_field(radius))
    assert len(points) > 0.95 * len(outline.views)
    torch.testing.assert_close(points.norm(dim=1), torch.full_like(points[:, 0], radius), atol=1e-3, rtol=0)
    at = cameras.project(points)[0][sightings.views[:, 0], torch.arange(len(points))]
    off = sightings.pixels[:, 0] - at
    assert off.norm(dim=1).median() < 0.6
    points, sightings = outline_sightings(outline, cameras, cameras, *ball_field(0.9 * radius))
    at = cameras.project(points)[0][sightings.views[:, 0], torch.arange(len(points))]
    middle = cameras.project(torch.zeros(1, 3).double())[0][sightings.views[:, 0], 0]
    outward = torch.nn.functional.normalize(at - middle, dim=1)
    wanted = ((sightings.pixels[:, 0] - at) * outward).sum(dim=1)
    pixel = 1 / prepared_ball.pixel
    assert wanted.median() == pytest.approx(0.1 * radius * pixel, rel=0.2)


def test_cameras_follow_the_outlines(prepared_ball, ball, outline):
    """Each camera is shifted by two pixels; turns and moves that an image of a ball cannot tell apart are mixed."""
    radius, _ = true_ball(prepared_ball, ball)
    true = prepared_ball.exact_cameras
    generator = torch.Generator().manual_seed(1)
    vectors = torch.zeros(12, 7, dtype=torch.float64)
    vectors[:, :2] = 2 / true.focal_lengths()[:, None] * torch.randn(12, 2, generator=generator, dtype=torch.float64)
    given = CameraCorrections.from_vectors(vectors).applied(true)
    fixed = outline_sightings(outline, given, given, *ball_field(radius))
    none = Sightings(torch.zeros(0, 7).long(), torch.zeros(0, 7, 2).double(), torch.zeros(0, 7, 2, 2).double())
    sizes = CorrectionSizes(math.radians(1), 0.01, 0.0)
    found = adjust_bundle(given, CameraCorrections.none(12), torch.zeros(0, 3), none, sizes, 5, fixed)
    middle = torch.zeros(1, 3, dtype=torch.float64)
    wrong, right, refined = (some.project(middle)[0] for some in (given, true, found.corrections.applied(given)))
    before, after = ((some - right).norm(dim=2).mean() for some in (wrong, refined))
    assert before > 1.5
    assert after < 0.3 * before
