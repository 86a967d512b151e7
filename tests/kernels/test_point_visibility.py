"""Visibility agrees with its definition, and with what is plainly in front of what."""

import math

import pytest
import torch
from torch.nn.functional import normalize

from isopts.errors import BackendError, InputError
from isopts.kernels.point_visibility import DepthViews, point_visibility

RADIUS, TOLERANCE = 0.03, 0.03


def cameras(centers: torch.Tensor, sizes: list[tuple[int, int]], device: torch.device) -> DepthViews:
    """Cameras at `centers` (V, 3) that look at the origin; the image's width spans 0.75 of the distance."""
    projections = []
    for center, (width, height) in zip(centers, sizes, strict=True):
        forward = normalize(-center, dim=0)
        right = normalize(torch.linalg.cross(forward, torch.tensor([0.3, 0.5, 1.0])), dim=0)
        rotation = torch.stack([right, torch.linalg.cross(forward, right), forward])
        focal = width / 0.75
        intrinsics = torch.tensor([[focal, 0, (width - 1) / 2], [0, focal, (height - 1) / 2], [0, 0, 1]])
        projections.append(intrinsics @ torch.cat([rotation, (-rotation @ center)[:, None]], dim=1))
    focals = torch.tensor([width / 0.75 for width, _ in sizes])
    parts = (torch.stack(projections), centers, torch.tensor(sizes, dtype=torch.int32), focals)
    return DepthViews(*(part.to(device) for part in parts))


def directions(count: int, seed: int = 0) -> torch.Tensor:
    return normalize(torch.randn(count, 3, generator=torch.Generator().manual_seed(seed)), dim=1)


@pytest.fixture
def uneven(device: torch.device) -> DepthViews:
    sizes = [(1, 1), (3, 40), (50, 2), *((60 + 7 * view, 90 - 8 * view) for view in range(8))]
    return cameras(3 * directions(11, seed=5), sizes, device)


def ball(count: int, device: torch.device, radius: float = 1.0) -> tuple[torch.Tensor, torch.Tensor]:
    normals = directions(count, seed=1).to(device)
    return radius * normals, normals


def two_balls(count: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """A ball and a small one beside it: points that hide others, and points out of the images."""
    points, normals = ball(count, device)
    other = torch.arange(count, device=device) % 3 == 0
    points = torch.where(other[:, None], 0.3 * normals + torch.tensor([0.9, 0.9, 0.5], device=device), points)
    return points, normals


@pytest.mark.parametrize("count", [1, 5001])
@pytest.mark.parametrize("radius", [0.0, 0.03, 0.2])
def test_agrees_with_the_definition(uneven, device, count, radius):
    points, normals = two_balls(count, device)
    found = point_visibility(points, normals, uneven, radius, TOLERANCE)
    expected = point_visibility(points, normals, uneven, radius, TOLERANCE, backend="reference")
    same = (found > 0) == (expected > 0)  # rounding decides about the border of a pixel
    assert same.float().mean() > 0.998
    torch.testing.assert_close(found[same], expected[same], atol=1e-5, rtol=1e-5)
    if count > 1:
        assert 0.01 < (found > 0).float().mean() < 0.5


def test_a_ball_shows_the_half_that_faces_the_camera(device):
    """Closed surface, nothing in front: visible exactly where the normal faces the camera, with that cosine."""
    points, normals = ball(20_000, device)
    views = cameras(3 * directions(6), [(160, 160)] * 6, device)
    found = point_visibility(points, normals, views, RADIUS, tolerance=0.15)  # the limb is steep
    to_camera = normalize(views.centers[None] - points[:, None], dim=2)
    cosines = (to_camera * normals[:, None]).sum(dim=2)
    assert (found[cosines < 0.15 - 1e-5] == 0).all()
    clear = cosines > 0.15 + 1e-5
    assert ((found > 0)[clear]).float().mean() > 0.999
    torch.testing.assert_close(found[found > 0], cosines[found > 0], atol=1e-5, rtol=0)


def test_points_inside_a_ball_are_hidden_by_it(device):
    shell, shell_normals = ball(20_000, device)
    core, core_normals = ball(500, device, radius=0.7)
    views = cameras(3 * directions(6), [(160, 160)] * 6, device)
    points, normals = torch.cat([shell, core]), torch.cat([shell_normals, core_normals])
    found = point_visibility(points, normals, views, 0.05, tolerance=0.1)
    assert (found[: len(shell)] > 0).float().mean() > 0.25
    assert (found[len(shell) :] == 0).all()
    alone = point_visibility(core, core_normals, views, 0.05, TOLERANCE)
    assert (alone > 0).float().mean() > 0.2


@pytest.mark.parametrize("backend", ["warp", "reference"])
def test_a_point_hides_what_is_behind_its_disc_by_more_than_the_tolerance(device, backend):
    """Camera at depth 4 on the axis, 20 pixels per unit at depth 4: the disc of radius 0.4 covers 8 pixels and more."""
    views = cameras(torch.tensor([[0.0, 0.0, 4.0]]), [(60, 60)], device)
    at = [[0.0, 0, 0], [0, 0, -0.3], [0, 0, -0.1], [0.39, 0, -0.3], [0.6, 0, -0.3], [0, -0.39, -0.3], [0, 0.7, -0.3]]
    points = torch.tensor(at, device=device)
    normals = torch.tensor([0.0, 0, 1], device=device).expand(7, 3)
    found = point_visibility(points, normals, views, radius=0.4, tolerance=0.2, backend=backend)
    assert (found[:, 0] > 0).tolist() == [True, False, True, False, True, False, True]


@pytest.mark.parametrize("backend", ["warp", "reference"])
def test_what_is_not_visible_one_by_one(device, backend):
    views = cameras(torch.tensor([[0.0, 0.0, 4.0]]), [(60, 40)], device)
    up, sixty = [0.0, 0, 1], [math.sin(math.radians(60)), 0, 0.5]
    cases = [
        ([0.0, 0, 0], up),
        ([0.0, 0, 5], [0.0, 0, -1]),  # behind the camera
        ([3.0, 0, 0], up),  # beside the image
        ([0.0, 1.2, 0], up),  # below it
        ([0.2, 0, 0], [0.0, 0, -1]),  # faces away
        ([-0.2, 0, 0], sixty),
        ([0.0, 0, 4], up),  # the centre itself
    ]
    points, normals = (torch.tensor(part, device=device) for part in zip(*cases, strict=True))

    def seen(cosine_min: float) -> list[bool]:
        return (point_visibility(points, normals, views, 0.0, 0.1, cosine_min, backend)[:, 0] > 0).tolist()

    assert seen(0.15) == [True, False, False, False, False, True, False]
    assert seen(0.6) == [True, False, False, False, False, False, False]


@pytest.mark.parametrize("backend", ["warp", "reference"])
def test_points_that_are_not_finite_neither_hide_nor_show(uneven, device, backend):
    points, normals = ball(300, device)
    broken = points.clone()
    broken[::3, 1] = torch.tensor([math.nan, math.inf], device=device).repeat(50)
    found = point_visibility(broken, normals, uneven, RADIUS, TOLERANCE, backend=backend)
    assert (found[::3] == 0).all()
    kept = torch.arange(300, device=device) % 3 > 0
    alone = point_visibility(points[kept], normals[kept], uneven, RADIUS, TOLERANCE, backend=backend)
    assert torch.equal(found[kept], alone)


def test_same_result_for_one_and_two_threads(uneven, device):
    points, normals = two_balls(5000, device)
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(point_visibility(points, normals, uneven, RADIUS, TOLERANCE))
    finally:
        torch.set_num_threads(threads)
    assert torch.equal(*results)


@pytest.mark.parametrize("backend", ["warp", "reference"])
def test_no_points_or_no_views(uneven, device, backend):
    points, normals = ball(3, device)
    assert point_visibility(points[:0], normals[:0], uneven, 0.1, 0.1, backend=backend).shape == (0, 11)
    none = DepthViews(*(part[:0] for part in uneven))
    assert point_visibility(points, normals, none, 0.1, 0.1, backend=backend).shape == (3, 0)


def test_refuses_what_does_not_fit(uneven, device):
    points, normals = ball(5, device)
    with pytest.raises(InputError, match=r"points is \(5, 2\)"):
        point_visibility(points[:, :2], normals, uneven, 0.1, 0.1)
    with pytest.raises(InputError, match=r"normals is \(4, 3\)"):
        point_visibility(points, normals[:4], uneven, 0.1, 0.1)
    with pytest.raises(InputError, match=r"views\.sizes is \(11, 2\) torch.int64"):
        point_visibility(points, normals, uneven._replace(sizes=uneven.sizes.long()), 0.1, 0.1)
    with pytest.raises(InputError, match="without pixels"):
        point_visibility(points, normals, uneven._replace(sizes=0 * uneven.sizes), 0.1, 0.1)
    with pytest.raises(BackendError, match="no backend 'frnn'"):
        point_visibility(points, normals, uneven, 0.1, 0.1, backend="frnn")
