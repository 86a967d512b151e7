import numpy as np
import pytest

from isopts.data.cleaning import clean_points


@pytest.fixture
def points():
    return np.random.default_rng(0).random((100, 3))


@pytest.fixture
def normals():
    return np.tile(np.array([[0, 3, 4]], np.float32), (100, 1))


def test_clean_points_stay_in_order_and_normals_become_unit(points, normals):
    cloud, report = clean_points(points, normals)
    assert np.array_equal(cloud.points, points)
    assert np.allclose(cloud.normals, [0, 0.6, 0.8])
    assert cloud.normals.dtype == np.float32
    assert report.sentences() == []


def test_every_reason_is_counted_once(points, normals):
    points[3, 1], points[4] = np.nan, np.inf
    points[7] = points[9] = points[5]
    normals[3] = 0  # dropped as not finite already
    normals[20:22], normals[22, 0] = 0, np.nan
    cloud, report = clean_points(points, normals)
    assert (report.read, report.not_finite, report.duplicates, report.zero_normals) == (100, 2, 2, 3)
    assert len(cloud) == 93
    expected = np.delete(points, [3, 4, 7, 9, 20, 21, 22], axis=0)
    assert np.array_equal(cloud.points, expected)
    assert report.sentences() == [
        "Dropped 2 of 100 points with coordinates that are not finite.",
        "Dropped 2 of 100 points that repeat another point.",
        "Dropped 3 of 100 points with a zero normal.",
    ]


@pytest.mark.parametrize(("zero", "kept"), [(50, True), (51, False), (100, False)])
def test_mostly_zero_normals_are_ignored_instead_of_the_points(points, normals, zero, kept):
    normals[:zero] = 0
    cloud, report = clean_points(points, normals)
    assert len(cloud) == (100 - zero if kept else 100)
    assert (cloud.normals is not None) == kept
    assert report.ignored == (() if kept else ("The normals are ignored: most of them are zero.",))


def test_an_empty_cloud():
    cloud, report = clean_points(np.empty((0, 3)), None)
    assert (len(cloud), report.read) == (0, 0)
