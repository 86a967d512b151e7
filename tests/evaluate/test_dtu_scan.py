from pathlib import Path

import numpy as np
import pytest
import scipy.io

from isopts.errors import InputError
from isopts.evaluate.dtu_scan import read_dtu_scan, scan_number


def test_a_scan_is_read_as_it_was_written(dtu_ball, tmp_path):
    scan = read_dtu_scan(dtu_ball.write(tmp_path, number=9, plane=(0, 0, 2, -1200)), 9)
    np.testing.assert_allclose(scan.points, dtu_ball.points(), atol=1e-4)
    np.testing.assert_allclose(scan.lower, [20, -50, 580])
    np.testing.assert_allclose(scan.upper, [60, -10, 620])
    assert (scan.number, scan.resolution, scan.observed.shape, scan.observed.dtype) == (9, 2, (21, 21, 21), bool)
    assert scan.is_above_plane(np.array([[0, 0, 600.1], [0, 0, 599.9], [9, -9, 600.1]])).tolist() == [True, False, True]


def test_the_nearest_voxel_decides(dtu_ball, tmp_path):
    folder = dtu_ball.write(tmp_path, observed=lambda centers: (centers == [40, -30, 602]).all(axis=1))
    scan = read_dtu_scan(folder, 65)
    points = np.array([[40, -30, 602], [40.9, -30.9, 602.9], [41.1, -30, 602], [40, -30, 600.9], [40, 30, 602]])
    assert scan.is_observed(points).tolist() == [True, True, False, False, False]


def test_outside_of_the_grid_nothing_is_observed(dtu_ball, tmp_path):
    scan = read_dtu_scan(dtu_ball.write(tmp_path), 65)
    inside, outside = [[20, -50, 580], [60.9, -10, 620]], [[18.9, -30, 600], [40, -51.1, 600], [40, -30, 621.1]]
    assert scan.is_observed(np.array(inside)).all()
    assert not scan.is_observed(np.array(outside)).any()


@pytest.mark.parametrize("name", ["ObsMask/ObsMask65_10.mat", "ObsMask/Plane65.mat", "Points/stl/stl065_total.ply"])
def test_a_missing_file_is_named(dtu_ball, tmp_path, name):
    (dtu_ball.write(tmp_path) / name).unlink()
    with pytest.raises(InputError, match=rf"{name}' does not exist; --dtu takes the folder that holds ObsMask"):
        read_dtu_scan(tmp_path, 65)


def test_damaged_files_are_named(dtu_ball, tmp_path):
    mask, plane = (dtu_ball.write(tmp_path) / "ObsMask" / name for name in ("ObsMask65_10.mat", "Plane65.mat"))
    scipy.io.savemat(plane, {"P": np.ones(3)})
    with pytest.raises(InputError, match=r"Plane65.mat' has a plane P of 3 numbers; expected 4"):
        read_dtu_scan(tmp_path, 65)
    scipy.io.savemat(mask, {"ObsMask": np.ones((2, 2, 2)), "BB": np.ones((2, 2)), "Res": 2})
    with pytest.raises(InputError, match=r"must hold a matrix BB of \(2, 3\), found one of \(2, 2\)"):
        read_dtu_scan(tmp_path, 65)
    scipy.io.savemat(mask, {"ObsMask": np.ones((2, 2, 2)), "Res": 2})
    with pytest.raises(InputError, match=r"must hold a matrix BB of \(2, 3\), found none"):
        read_dtu_scan(tmp_path, 65)
    mask.write_bytes(b"MATLAB no more" * 20)
    with pytest.raises(InputError, match=r"ObsMask65_10.mat' cannot be read as a MATLAB file"):
        read_dtu_scan(tmp_path, 65)


@pytest.mark.parametrize(
    ("path", "number"),
    [
        ("DTU/scan65", 65),
        ("dtu_scan118/cameras.npz", 118),
        ("data/Scan_24", 24),
        ("scan3d/bunny", None),
        ("scan24/views/bunny", None),
        ("scan24/copy of it", 24),
        ("scan", None),
        ("", None),
    ],
)
def test_the_number_comes_from_the_name(path, number):
    assert scan_number(Path(path)) == number
