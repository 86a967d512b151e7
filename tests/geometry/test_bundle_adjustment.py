"""Cameras that were wrong are found again up to what all have in common, which stays as it was given."""

import math

import pytest
import torch

from isopts.geometry.bundle_adjustment import CorrectionSizes, Sightings, adjust_bundle
from isopts.geometry.camera_corrections import CameraCorrections
from isopts.geometry.camera_sphere import CameraSphereConfig, place_cameras
from isopts.geometry.cameras import Cameras
from isopts.geometry.sphere import Sphere

VIEWS, POINTS, SEEN = 12, 400, 5
SIZES = CorrectionSizes(math.radians(0.3), 0.005, 0.002)
NO_FOCAL = SIZES._replace(focal=0.0)


@pytest.fixture(scope="module")
def true() -> Cameras:
    import numpy as np

    corners = np.array([[-1.0, -1, -1], [1, 1, 1]])
    config = CameraSphereConfig(size=(320, 240), views=VIEWS)
    return place_cameras(corners, Sphere((0.0, 0.0, 0.0), 1.0), config, np.random.default_rng(0))


def scene(true: Cameras, noise_pixels: float, seed: int = 1) -> tuple[torch.Tensor, Sightings]:
    """Points, and where random views of them see them."""
    generator = torch.Generator().manual_seed(seed)
    points = 0.5 * torch.randn(POINTS, 3, generator=generator, dtype=torch.float64)
    views = torch.rand(POINTS, VIEWS, generator=generator).argsort(dim=1)[:, :SEEN]
    views[::9, -2:] = -1
    pixels = true.project(points)[0].transpose(0, 1)[torch.arange(POINTS)[:, None], views.clamp_min(0)]
    pixels = pixels + noise_pixels * torch.randn(pixels.shape, generator=generator, dtype=torch.float64)
    covariances = (max(noise_pixels, 0.1) ** 2 * torch.eye(2, dtype=torch.float64)).repeat(POINTS, SEEN, 1, 1)
    return points, Sightings(views, pixels, covariances)


def wrong_by(sizes: CorrectionSizes, true: Cameras, seed: int = 2) -> tuple[Cameras, CameraCorrections]:
    generator = torch.Generator().manual_seed(seed)
    scale = torch.tensor([*[sizes.rotation] * 3, *[3 * sizes.translation] * 3, sizes.focal], dtype=torch.float64)
    errors = CameraCorrections.from_vectors(scale * torch.randn(VIEWS, 7, generator=generator, dtype=torch.float64))
    return errors.applied(true), errors


def misses(cameras: Cameras, true: Cameras, common: bool) -> torch.Tensor:
    """Mean distance in pixels between what both see of places on the object; where common, without what a small
    similarity of the object makes good."""
    places = 0.5 * torch.randn(100, 3, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    errors = cameras.project(places)[0] - true.project(places)[0]
    if common:

        def seen(x: torch.Tensor) -> torch.Tensor:
            return true.project((1 + x[6]) * places + torch.linalg.cross(x[:3].expand_as(places), places) + x[3:6])[0]

        steps = 1e-5 * torch.eye(7, dtype=torch.float64)
        derivative = torch.stack([(seen(step) - seen(-step)).flatten() / 2e-5 for step in steps], dim=1)
        best = torch.linalg.lstsq(derivative, errors.reshape(-1, 1)).solution
        errors = errors - (derivative @ best).view(errors.shape)
    return errors.norm(dim=2).mean()


@pytest.mark.parametrize("sizes", [SIZES, NO_FOCAL], ids=["with focal lengths", "poses"])
def test_wrong_cameras_are_found_again(true, sizes):
    points, sightings = scene(true, 0.1)
    given, _ = wrong_by(sizes, true)
    start = points + 0.03 * torch.randn(points.shape, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    found = adjust_bundle(given, CameraCorrections.none(VIEWS), start, sightings, sizes, 8)
    refined = found.corrections.applied(given)
    before = misses(given, true, common=True)
    assert before > 1
    assert misses(refined, true, common=True) < 0.04 * before
    assert misses(refined, true, common=False) < 0.7 * misses(given, true, common=False)
    assert 0.4 < found.residuals[found.residuals.isfinite()].median() < 1.5  # as large as the noise
    assert torch.equal(found.residuals.isinf(), sightings.views < 0)
    if sizes.focal == 0:
        assert (found.corrections.log_focals == 0).all()


def test_right_cameras_stay(true):
    points, sightings = scene(true, 0.0)
    found = adjust_bundle(true, CameraCorrections.none(VIEWS), points, sightings, SIZES, 3)
    assert found.corrections.vectors().abs().max() < 1e-9


def test_what_all_cameras_have_in_common_stays(true):
    """Sightings of an object that lies elsewhere, turned and larger: no camera moves for that."""
    points, _ = scene(true, 0.0)
    vector = torch.tensor([0.004, -0.003, 0.005], dtype=torch.float64)
    elsewhere = 1.01 * (points + torch.linalg.cross(vector.expand_as(points), points)) + 2 * vector
    generator = torch.Generator().manual_seed(1)
    views = torch.rand(POINTS, VIEWS, generator=generator).argsort(dim=1)[:, :SEEN]
    pixels = true.project(elsewhere)[0].transpose(0, 1)[torch.arange(POINTS)[:, None], views]
    covariances = (0.1**2 * torch.eye(2, dtype=torch.float64)).repeat(POINTS, SEEN, 1, 1)
    sightings = Sightings(views, pixels, covariances)
    found = adjust_bundle(true, CameraCorrections.none(VIEWS), points, sightings, SIZES, 12)
    assert found.corrections.vectors().abs().max() < 2e-4  # the object's turn is 0.007
    torch.testing.assert_close(found.points, elsewhere, atol=2e-3, rtol=0)


def test_common_part_of_the_corrections_vanishes(true):
    """No small motion of all cameras together would make the corrections smaller."""
    points, sightings = scene(true, 0.1)
    given, _ = wrong_by(NO_FOCAL, true)
    found = adjust_bundle(given, CameraCorrections.none(VIEWS), points, sightings, NO_FOCAL, 20)
    deviations = torch.full((VIEWS, 6), NO_FOCAL.rotation, dtype=torch.float64)
    deviations[:, 3:] = NO_FOCAL.translation * given.centers().norm(dim=1, keepdim=True)
    vectors = found.corrections.vectors()[:, :6] / deviations
    corrected = found.corrections.applied(given)
    common = []
    for axis in torch.eye(3, dtype=torch.float64):
        turn, move = corrected.rotations @ axis, corrected.rotations @ axis
        arm = torch.linalg.cross(axis.expand(VIEWS, 3), corrected.centers())
        common.append(torch.cat([turn, torch.einsum("vij,vj->vi", corrected.rotations, arm)], dim=1))
        common.append(torch.cat([torch.zeros_like(move), move], dim=1))
    common.append(torch.cat([torch.zeros(VIEWS, 3).double(), corrected.translations], dim=1))  # scale
    scaled = torch.stack(common) / deviations
    directions = scaled.flatten(1)
    shares = (directions @ vectors.flatten()) / directions.norm(dim=1) / vectors.norm()
    assert shares.abs().max() < 0.03


def test_wild_sightings_count_little(true):
    points, sightings = scene(true, 0.1)
    given, _ = wrong_by(NO_FOCAL, true)
    pixels = sightings.pixels.clone()
    pixels[::10, 1] += 25.0
    wild = sightings._replace(pixels=pixels)
    found = adjust_bundle(given, CameraCorrections.none(VIEWS), points, wild, NO_FOCAL, 10)
    assert misses(found.corrections.applied(given), true, common=True) < 0.08 * misses(given, true, common=True)


def test_a_view_without_sightings_stays(true):
    points, sightings = scene(true, 0.1)
    given, _ = wrong_by(SIZES, true)
    views = torch.where(sightings.views == 3, -1, sightings.views)
    found = adjust_bundle(given, CameraCorrections.none(VIEWS), points, sightings._replace(views=views), SIZES, 6)
    assert found.corrections.vectors()[3].abs().max() < 1e-6
    assert found.corrections.vectors()[4].abs().max() > 1e-3


def test_fixed_points_do_not_move_all_cameras_together(true):
    """Outlines of a surface that is too small by 3 per cent pull every camera away from it."""
    points, sightings = scene(true, 0.05)
    smaller, own = scene(true, 0.05, seed=5)
    fixed = 0.97 * smaller, Sightings(own.views[:, :1], own.pixels[:, :1], own.covariances[:, :1])
    found = adjust_bundle(true, CameraCorrections.none(VIEWS), points, sightings, NO_FOCAL, 6, fixed)
    assert misses(found.corrections.applied(true), true, common=False) < 0.3  # 3 per cent are two pixels
