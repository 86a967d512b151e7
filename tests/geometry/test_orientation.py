import numpy as np
import pytest
import torch
from plyfile import PlyData

from isopts.data.synthetic import ScanConfig, make_scan
from isopts.data.synthetic_shapes import SHAPES
from isopts.geometry.adaptive_planes import adaptive_planes
from isopts.geometry.noise import noise_and_support
from isopts.geometry.normals import estimate_normals
from isopts.geometry.orientation import orient_normals
from isopts.geometry.outliers import stray_points


def on_sphere(count: int, generator: torch.Generator, center: tuple[float, float, float] = (0.0, 0.0, 0.0)):
    normals = torch.nn.functional.normalize(torch.randn((count, 3), generator=generator), dim=1)
    return normals + torch.tensor(center), normals


def randomly_turned(normals: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    return normals * (2 * torch.randint(0, 2, (len(normals), 1), generator=generator) - 1)


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(11)


def test_normals_of_a_sphere_point_outwards(generator) -> None:
    points, normals = on_sphere(2000, generator)
    oriented = orient_normals(points, randomly_turned(normals, generator))
    assert torch.equal(oriented, normals)


def test_every_component_is_turned_on_its_own(generator) -> None:
    first, second = on_sphere(1000, generator), on_sphere(1000, generator, (5.0, 0.0, 0.0))
    points, normals = (torch.cat(pair) for pair in zip(first, second, strict=True))
    assert torch.equal(orient_normals(points, randomly_turned(normals, generator)), normals)


def test_two_sides_of_a_wall_look_apart(generator) -> None:
    points = torch.rand((6000, 3), generator=generator)
    thick = 0.2
    axis = torch.randint(0, 3, (6000,), generator=generator)
    side = torch.randint(0, 2, (6000,), generator=generator)
    rows = torch.arange(6000)
    points[rows, axis] = side.float()
    normals = torch.zeros_like(points)
    normals[rows, axis] = 2 * side.float() - 1
    points[:, 2] *= thick
    oriented = orient_normals(points, estimate_normals(points))
    assert ((oriented * normals).sum(dim=1) >= 0).float().mean() > 0.99


def test_noise_and_outliers_do_not_steer(generator) -> None:
    points, normals = on_sphere(5000, generator)
    points = points + 0.02 * torch.randn(points.shape, generator=generator)
    points[:100] = 3 * torch.rand((100, 3), generator=generator) - 1.5
    estimated = estimate_normals(points, noise_and_support(points).k)
    oriented = orient_normals(points, randomly_turned(estimated, generator))
    assert ((oriented * normals)[100:].sum(dim=1) > 0).float().mean() > 0.999


def share_right(points: torch.Tensor, normals: torch.Tensor, k: int, generator: torch.Generator) -> float:
    """Share of the points whose estimated normal is on the side of the true one after orientation."""
    oriented = orient_normals(points, randomly_turned(estimate_normals(points, k), generator))
    return float(((oriented * normals).sum(dim=1) > 0).float().mean())


def noisy(points: torch.Tensor, deviation: float, generator: torch.Generator) -> torch.Tensor:
    return points + deviation * torch.randn(points.shape, generator=generator)


def test_the_wall_of_a_cavity_looks_into_it(generator) -> None:
    directions = on_sphere(8000, generator)[1]
    radius = torch.where(torch.arange(8000) < 6000, 1.0, 0.6)[:, None]
    normals = torch.where(radius == 1, directions, -directions)
    assert share_right(noisy(radius * directions, 0.01, generator), normals, 32, generator) > 0.999


def star_of_limbs(points: np.ndarray) -> np.ndarray:
    """Signed distance of rods of radius 0.06 along the axes, joined smoothly in a ball."""
    axes = np.abs(points)
    others = [np.hypot(axes[:, i - 1], axes[:, i - 2]) for i in range(3)]
    beyond = [np.maximum(axes[:, i] - 0.65, 0) for i in range(3)]
    rods = [np.hypot(other, past) - 0.06 for other, past in zip(others, beyond, strict=True)]
    parts = np.stack([*rods, np.linalg.norm(points, axis=1) - 0.2])
    return -0.02 * np.log(np.exp(-parts / 0.02).sum(axis=0))


def test_a_thin_noisy_plate_has_two_sides(generator) -> None:
    points = 2 * torch.rand((20000, 3), generator=generator) - 1
    upper = points[:, 2] > 0
    points[:, 2] = torch.where(upper, 0.04, -0.04)  # 4 % of the side, open at the rim
    normals = torch.zeros_like(points)
    normals[:, 2] = torch.where(upper, 1.0, -1.0)
    assert share_right(noisy(points, 0.003, generator), normals, 16, generator) > 0.99


def test_the_thin_wall_of_a_vessel_looks_into_it() -> None:
    """Its sides are three spacings apart, and joined by a rim that no three points resolve."""
    cloud = make_scan(SHAPES["vase"], ScanConfig(points=60_000, noise=0.004, outliers=0.0, normal_noise=0.0))
    points, normals = (torch.from_numpy(part).float() for part in (cloud.points, cloud.normals))
    oriented = orient_normals(points, adaptive_planes(points).normals)
    assert ((oriented * normals).sum(dim=1) > 0).float().mean() > 0.99


def test_thin_fins_have_two_sides() -> None:
    """A stack of them, two spacings thick and three apart: whoever crosses a fin or a gap finds parallel normals."""
    cloud = make_scan(SHAPES["compressor"], ScanConfig(points=60_000, noise=0.0, outliers=0.0, normal_noise=0.0))
    points, normals = (torch.from_numpy(part).float() for part in (cloud.points, cloud.normals))
    oriented = orient_normals(points, adaptive_planes(points).normals)
    assert ((oriented * normals).sum(dim=1) > 0).float().mean() > 0.96


def test_noise_of_a_quarter_of_a_limb_does_not_turn_its_sides() -> None:
    """The winding number at points so displaced is far from 1/2 on the right surface."""
    cloud = make_scan(star_of_limbs, ScanConfig(points=40_000, noise=0.015, outliers=0.0, normal_noise=0.0))
    points, normals = (torch.from_numpy(part).float() for part in (cloud.points, cloud.normals))
    oriented = orient_normals(points, adaptive_planes(points).normals)
    assert ((oriented * normals).sum(dim=1) > 0).float().mean() > 0.95


def test_a_tenth_of_outliers_does_not_steer(generator) -> None:
    points, normals = on_sphere(20_000, generator)
    points = noisy(points, 0.01, generator)
    points[:2000] = 3 * torch.rand((2000, 3), generator=generator) - 1.5
    planes = adaptive_planes(points)
    oriented = orient_normals(points, randomly_turned(planes.normals, generator), ~stray_points(points, planes))
    assert ((oriented * normals)[2000:].sum(dim=1) > 0).float().mean() > 0.995


def test_all_points_equal_or_on_a_line_keep_their_axes(generator) -> None:
    normals = on_sphere(300, generator)[1]
    line = torch.linspace(0, 1, 300)[:, None] * torch.tensor([1.0, 2.0, 3.0])
    for points in (torch.ones(300, 3), line):
        assert torch.equal(orient_normals(points, normals).abs(), normals.abs())


def test_a_plane_is_turned_as_one(generator) -> None:
    points = torch.rand((20000, 3), generator=generator) * torch.tensor([1.0, 1.0, 0.0])
    normals = randomly_turned(torch.tensor([[0.0, 0.0, 1.0]]).repeat(20000, 1), generator)
    assert abs(float(orient_normals(points, normals)[:, 2].mean())) == 1


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_points_keep_their_axes(count: int, generator) -> None:
    points, normals = on_sphere(count, generator)
    assert torch.equal(orient_normals(points, normals).abs(), normals.abs())


@pytest.mark.needs_data
@pytest.mark.parametrize("name", ["spot_noise05", "rocker_arm_noise05", "gargoyle"])
def test_scans_are_oriented_like_their_own_normals(data_dir, name: str) -> None:
    vertices = PlyData.read(data_dir / "points" / f"{name}.ply")["vertex"]
    points, given = (
        torch.stack([torch.tensor(vertices[column]) for column in columns], dim=1).float()
        for columns in (("x", "y", "z"), ("nx", "ny", "nz"))
    )
    oriented = orient_normals(points, estimate_normals(points, noise_and_support(points).k))
    assert ((oriented * given).sum(dim=1) > 0).float().mean() > 0.99
