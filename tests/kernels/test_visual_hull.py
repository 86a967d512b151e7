"""The soft hull agrees with its definition, and with what silhouettes of known bodies allow."""

import math

import pytest
import torch

from isopts.errors import InputError
from isopts.kernels.visual_hull import Silhouettes, visual_hull

FOCAL = 100.0


def looking_at_origin(direction: torch.Tensor, width: int, height: int) -> torch.Tensor:
    """Projection (3, 4) of a camera at `direction` (3,), optical axis through the origin and the image's centre."""
    forward = -direction / direction.norm()
    right = torch.nn.functional.normalize(torch.linalg.cross(forward, torch.tensor([0.3, 0.5, 1.0])), dim=0)
    rotation = torch.stack([right, torch.linalg.cross(forward, right), forward])
    intrinsics = torch.tensor([[FOCAL, 0, (width - 1) / 2], [0, FOCAL, (height - 1) / 2], [0, 0, 1]])
    return intrinsics @ torch.cat([rotation, (-rotation @ direction)[:, None]], dim=1)


def disc(width: int, height: int, radius: float) -> torch.Tensor:
    """Signed distances (H, W) to a circle around the centre of the image."""
    row, column = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
    return torch.hypot(row - (height - 1) / 2, column - (width - 1) / 2) - radius


def silhouettes_of(images: list[torch.Tensor], directions: torch.Tensor, device: torch.device) -> Silhouettes:
    sizes = torch.tensor([image.shape[::-1] for image in images], dtype=torch.int32)
    first = torch.cumsum(sizes.long().prod(dim=1), 0) - sizes.long().prod(dim=1)
    projections = torch.stack(
        [looking_at_origin(at, *size) for at, size in zip(directions, sizes.tolist(), strict=True)]
    )
    parts = (
        torch.cat([image.flatten() for image in images]),
        first,
        sizes,
        projections,
        torch.full((len(images),), FOCAL),
    )
    return Silhouettes(*(part.to(device) for part in parts))


def ring(count: int, distance: float = 4.0) -> torch.Tensor:
    angles = torch.arange(count) * (2 * math.pi / count)
    return distance * torch.stack([angles.cos(), angles.sin(), 0.4 * (2 * angles).sin()], dim=1)


@pytest.fixture
def uneven(device: torch.device) -> Silhouettes:
    """Eleven views of different sizes, one of a single pixel, with random distances."""
    generator = torch.Generator().manual_seed(0)
    sizes = [(1, 1), (2, 7), (9, 1), *((31 + 5 * view, 60 - 4 * view) for view in range(8))]
    images = [10 * torch.randn(height, width, generator=generator) for width, height in sizes]
    return silhouettes_of(images, ring(11), device)


def cube_of_points(count: int, device: torch.device) -> torch.Tensor:
    """Points in front of the cameras, beside them and behind them."""
    return (10 * torch.rand(count, 3, generator=torch.Generator().manual_seed(1)) - 5).to(device)


@pytest.mark.parametrize("rank", [1, 2, 5, 16])
@pytest.mark.parametrize("views_min", [1, 4])
def test_agrees_with_the_definition(uneven, device, rank, views_min):
    points = cube_of_points(3001, device)
    found = visual_hull(points, uneven, rank, views_min, unseen=7.0)
    expected = visual_hull(points, uneven, rank, views_min, unseen=7.0, backend="reference")
    same = found.seen == expected.seen  # rounding decides about a point on the border of an image
    assert same.float().mean() > 0.998
    torch.testing.assert_close(found.distances[same], expected.distances[same], atol=1e-4, rtol=1e-4)
    assert (found.views == expected.views)[same].float().mean() > 0.998
    assert (found.distances[found.seen < max(rank, views_min)] == 7.0).all()
    if rank < 16:
        assert len(found.seen.unique()) > 4


def test_one_view_gives_the_scaled_image_distance(device):
    views = silhouettes_of([disc(81, 61, 20.0)], torch.tensor([[0.0, 0.0, -4.0]]), device)
    along_axis = torch.tensor([[0.0, 0, 0], [0, 0, -2], [0, 0, 4]], device=device)
    depths = torch.tensor([4.0, 2, 8], device=device)
    torch.testing.assert_close(visual_hull(along_axis, views).distances, -20 * depths / FOCAL, atol=1e-3, rtol=0)


def test_the_hull_of_a_ball_is_the_ball_as_seen_from_everywhere(device):
    """Silhouette of the unit ball from distance 4: a circle of radius f / sqrt(4^2 - 1)."""
    directions = torch.nn.functional.normalize(torch.randn(200, 3, generator=torch.Generator().manual_seed(3)), dim=1)
    image = disc(121, 121, FOCAL / math.sqrt(15))
    views = silhouettes_of([image] * 200, 4 * directions, device)
    points = torch.nn.functional.normalize(torch.randn(500, 3, generator=torch.Generator().manual_seed(4)), dim=1)
    points = points.to(device)
    assert visual_hull(points, views).distances.abs().max() < 0.02
    inside = visual_hull(0.7 * points, views).distances
    assert (inside < 0).all()
    outside = visual_hull(1.1 * points, views).distances
    assert (outside > 0.05).all()


def test_a_wrong_mask_is_outvoted(device):
    images = [disc(121, 121, 25.0) for _ in range(12)]
    right = silhouettes_of(images, ring(12), device)
    images[5] = torch.full((121, 121), 40.0)  # empty
    images[8] = images[8] - 10  # too large
    wrong = silhouettes_of(images, ring(12), device)
    points = 0.4 * cube_of_points(2000, device)
    inside = visual_hull(points, right).distances < 0
    assert inside.float().mean() > 0.01
    strict = visual_hull(points, wrong)
    assert (strict.distances > 0).all()
    assert (strict.views[inside] == 5).all()
    assert (visual_hull(points, wrong, rank=2).distances[inside] < 0).all()


def test_points_behind_a_camera_are_not_seen(device):
    views = silhouettes_of([disc(81, 61, 20.0)], torch.tensor([[0.0, 0.0, -4.0]]), device)
    found = visual_hull(torch.tensor([[0.0, 0.0, -5.0], [0.0, 0.0, -4.0]], device=device), views)
    assert found.seen.tolist() == [0, 0]
    assert found.views.tolist() == [-1, -1]
    assert found.distances.tolist() == [math.inf, math.inf]


def test_same_result_for_one_and_two_threads(uneven, device):
    points = cube_of_points(5000, device)
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(visual_hull(points, uneven, rank=2, unseen=1.0))
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(*pair) for pair in zip(*results, strict=True))


def test_no_points_no_result(uneven, device):
    assert visual_hull(torch.empty(0, 3, device=device), uneven).distances.shape == (0,)


def test_refuses_what_does_not_fit(uneven, device):
    points = cube_of_points(5, device)
    with pytest.raises(InputError, match=r"points is \(5, 2\)"):
        visual_hull(points[:, :2], uneven)
    with pytest.raises(InputError, match=r"rank is 17; expected 1 \.\.\. 16"):
        visual_hull(points, uneven, rank=17)
    with pytest.raises(InputError, match=r"silhouettes\.sizes is \(11, 2\) torch.int64"):
        visual_hull(points, uneven._replace(sizes=uneven.sizes.long()))
    with pytest.raises(InputError, match="one map after the other"):
        visual_hull(points, uneven._replace(maps=uneven.maps[:-1]))
