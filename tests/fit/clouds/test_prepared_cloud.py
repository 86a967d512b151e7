"""A scan in the unit frame: without outliers, with unit normals, its noise known."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from isopts.data.points import PointCloud
from isopts.errors import InputError
from isopts.fit.clouds.config import PrepareConfig
from isopts.fit.clouds.prepared_cloud import prepare_cloud

CPU = torch.device("cpu")


def sphere(count=5000, noise=0.0, outliers=0):
    """Scan of a sphere of radius 10 around (1000, 2000, 3000), outliers last."""
    generator = np.random.default_rng(0)
    normals = generator.normal(size=(count, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    points = normals * (10 + noise * generator.normal(size=(count, 1)))
    points = np.concatenate([points, generator.uniform(-30, 30, (outliers, 3))])
    normals = np.concatenate([normals, np.tile([0.0, 0.0, 2.0], (outliers, 1))])
    return PointCloud(points + np.array([1000, 2000, 3000]), normals.astype(np.float32))


def test_frame_areas_and_noise_of_a_sphere():
    prepared = prepare_cloud(sphere(noise=0.1), PrepareConfig(), CPU)
    assert prepared.points.abs().max() == pytest.approx(0.75, abs=0.01)
    np.testing.assert_allclose(prepared.frame.to_world(torch.zeros(1, 3)), [[1000, 2000, 3000]], atol=0.2)
    radius = 0.75 * 10 / 10.3
    assert len(prepared.points) * prepared.spacing**2 == pytest.approx(4 * torch.pi * radius**2, rel=0.15)
    assert prepared.noise == pytest.approx(0.1 * prepared.frame.scale, rel=0.2)
    assert prepared.notes == []
    assert not prepared.normals_estimated


def test_outliers_are_dropped_before_the_frame_is_chosen():
    prepared = prepare_cloud(sphere(outliers=50), PrepareConfig(), CPU)
    assert len(prepared.points) < 5005
    assert prepared.frame.scale == pytest.approx(1.5 / 20, rel=0.02)
    assert "of 5,050 points lie far from the others" in prepared.notes[0]
    everything = prepare_cloud(sphere(outliers=50), PrepareConfig(outlier_factor=0.0, local_outlier_factor=0.0), CPU)
    assert len(everything.points) == 5050
    assert everything.notes == []


def test_missing_normals_are_estimated_outward_and_said():
    cloud = sphere(noise=0.05)
    prepared = prepare_cloud(PointCloud(cloud.points), PrepareConfig(), CPU)
    outward = functional.normalize(prepared.points, dim=1)
    assert ((prepared.normals * outward).sum(dim=1) > 0.8).float().mean() > 0.99
    assert "no normals" in prepared.notes[0]
    assert prepared.normals_estimated


def test_estimated_normals_at_edges_are_trusted_less_and_given_ones_fully():
    generator = np.random.default_rng(3)
    points = generator.uniform(-1, 1, (30_000, 3))
    axes = generator.integers(0, 3, len(points))
    points[np.arange(len(points)), axes] = generator.choice([-1, 1], len(points))
    from_edge = np.sort(1 - np.abs(points), axis=1)[:, 1]
    points += generator.normal(scale=0.01, size=points.shape)
    trust = prepare_cloud(PointCloud(points), PrepareConfig(outlier_factor=0, local_outlier_factor=0), CPU).normal_trust
    assert trust.max() == 1
    assert trust[from_edge < 0.02].mean() < 0.5 * trust[from_edge > 0.2].mean()
    assert prepare_cloud(sphere(), PrepareConfig(), CPU).normal_trust is None


def test_normals_that_contradict_their_neighbours_are_turned_and_it_is_said():
    cloud = sphere(noise=0.05)
    signs = np.where(np.random.default_rng(2).random((len(cloud.points), 1)) < 0.2, -1, 1)
    prepared = prepare_cloud(PointCloud(cloud.points, (signs * cloud.normals).astype(np.float32)), PrepareConfig(), CPU)
    outward = functional.normalize(prepared.points, dim=1)
    assert ((prepared.normals * outward).sum(dim=1) > 0).float().mean() > 0.999
    assert "% of the normals face the wrong way" in prepared.notes[0]


def test_denoising_brings_normals_nearer_to_the_truth():
    cloud = sphere()
    noise = np.random.default_rng(1).normal(scale=0.1, size=cloud.normals.shape)
    noisy = PointCloud(cloud.points, (cloud.normals + noise).astype(np.float32))
    errors = []
    for denoise in (False, True):
        prepared = prepare_cloud(noisy, PrepareConfig(denoise_normals=denoise), CPU)
        outward = functional.normalize(prepared.points, dim=1)
        errors.append(float((1 - (prepared.normals * outward).sum(dim=1)).mean()))
    assert errors[1] < 0.6 * errors[0]


def test_too_few_points_left_is_one_sentence():
    points = np.random.default_rng(0).normal(size=(60, 3)) * np.logspace(0, 9, 60)[:, None]
    with pytest.raises(InputError, match="usable points"):
        prepare_cloud(PointCloud(points), PrepareConfig(outlier_factor=0.01), CPU)


def test_a_sparse_region_is_no_outlier():
    generator = np.random.default_rng(0)
    normals = generator.normal(size=(20_000, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    kept = (normals[:, 0] < 0) | (generator.random(20_000) < 0.1)  # ten times sparser on one half
    prepared = prepare_cloud(PointCloud(normals[kept]), PrepareConfig(), CPU)
    assert len(prepared.points) > 0.99 * kept.sum()


def test_an_outlier_near_the_surface_is_dropped():
    cloud = sphere(20_000, noise=0.05)
    stray = cloud.points[:100] + 1.5 * cloud.normals[:100]
    prepared = prepare_cloud(PointCloud(np.concatenate([cloud.points, stray])), PrepareConfig(), CPU)
    heights = prepared.points.norm(dim=1) / prepared.frame.scale - 10
    assert (heights > 1).sum() < 10


def test_a_dense_scan_is_thinned_and_stays_where_it_is():
    cloud = sphere(20_000, noise=0.02, outliers=200)
    prepared = prepare_cloud(cloud, PrepareConfig(thin_to=2000), CPU)
    assert 1900 < len(prepared.points) < 2020
    assert prepared.notes[0].startswith("Each 10 of 20,200 points were averaged to one")
    heights = np.linalg.norm(prepared.frame.to_world(prepared.points) - [1000, 2000, 3000], axis=1) - 10
    assert (np.abs(heights) > 0.1).sum() < 5
    assert np.median(heights) == pytest.approx(0, abs=0.02)  # the noise; groups of a curved surface average below it
    full = prepare_cloud(cloud, PrepareConfig(thin_to=0), CPU)
    assert len(full.points) > 19_900
    areas = [len(each.points) * each.spacing**2 for each in (prepared, full)]
    assert areas[0] == pytest.approx(areas[1], rel=0.1)


def test_a_scan_of_less_than_twice_the_number_is_not_thinned():
    prepared = prepare_cloud(sphere(3999), PrepareConfig(thin_to=2000), CPU)
    assert len(prepared.points) > 3900
    assert prepared.notes == []


def test_a_very_far_outlier_does_not_blur_the_scan():
    cloud = sphere(5000)
    far = np.concatenate([cloud.points, [[1e9, 0, 0]]])
    normals = np.concatenate([cloud.normals, [[1, 0, 0]]]).astype(np.float32)
    expected, prepared = (prepare_cloud(each, PrepareConfig(), CPU) for each in (cloud, PointCloud(far, normals)))
    assert len(prepared.points) == len(expected.points)
    assert prepared.spacing == pytest.approx(expected.spacing, rel=1e-3)
