"""A scan in geo-referenced coordinates gives the mesh of the same scan at the origin, shifted."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from plyfile import PlyData

from isopts.data.formats.ply import write_ply
from isopts.data.meshes import read_mesh
from isopts.data.points import read_points
from isopts.data.synthetic import ScanConfig, make_scan
from isopts.data.synthetic_shapes import torus
from isopts.kernels.neighbors import nearest_neighbors

OFFSETS = {"origin": np.zeros(3), "utm": np.array([500_000.0, 5_400_000.0, 300.0])}  # metres
SMALL = (
    "--threads=1",
    "--set=fit.steps=80",
    "--set=sampling.data=1000",
    "--set=sampling.signed_pool=20000",
    "--set=isopoints.count=1000",
    "--set=isopoints.first_step=40",
    "--set=isopoints.every_steps=30",
    "--set=output.mesh.resolution=64",
    "--set=output.isopoints=1000",
    "--set=output.preview=false",
)


def fit(isopts, folder, *changes):
    """Write the runs `origin` and `utm` of an object of 2 m, whose coordinates are multiples of 2^-20 m: adding the
    offset loses nothing. Returns their meshes, moved to the origin."""
    cloud = make_scan(torus, ScanConfig(points=6000, noise=0.002))
    points = np.round(cloud.points * 2 / 1.5 * 2**20) / 2**20
    for name, offset in OFFSETS.items():
        columns = {axis: points[:, i] + offset[i] for i, axis in enumerate("xyz")}  # double precision
        columns |= {f"n{axis}": cloud.normals[:, i] for i, axis in enumerate("xyz")}
        write_ply(folder / f"{name}.ply", {"vertex": columns})
        isopts("fit-points", f"{name}.ply", "-o", name, *SMALL, *changes, "--quiet", cwd=folder)
    meshes = [read_mesh(folder / name / "mesh.ply") for name in OFFSETS]
    return [replace(mesh, vertices=mesh.vertices - shift) for mesh, shift in zip(meshes, OFFSETS.values(), strict=True)]


@pytest.fixture(scope="module")
def runs(tmp_path_factory, isopts):
    folder = tmp_path_factory.mktemp("offsets")
    return folder, *fit(isopts, folder)


def test_the_mesh_is_shifted(runs):
    _, origin, utm = runs
    assert len(origin.faces) > 1000
    np.testing.assert_array_equal(utm.faces, origin.faces)
    np.testing.assert_allclose(utm.vertices, origin.vertices, rtol=0, atol=1e-6)  # the origin's are written as float32
    np.testing.assert_array_equal(utm.normals, origin.normals)
    assert np.ptp(utm.vertices, axis=0).max() == pytest.approx(2, abs=0.05)


def test_a_thinned_scan_is_shifted_but_for_rounding(tmp_path, isopts):
    origin, utm = (
        torch.from_numpy(mesh.vertices).double() for mesh in fit(isopts, tmp_path, "--set=prepare.thin_to=3000")
    )
    assert len(origin) > 1000
    for one, other in ((origin, utm), (utm, origin)):
        distances = nearest_neighbors(one, other, 1).squared_distances[:, 0].sqrt()
        assert distances.quantile(0.95) < 1e-3  # a vertex can be where the other mesh has none


def test_isopoints_are_shifted_and_files_keep_double_precision(runs):
    folder, *_ = runs
    points = {name: read_points(folder / name / "isopoints.ply")[0].points for name in OFFSETS}
    np.testing.assert_allclose(points["utm"] - OFFSETS["utm"], points["origin"], rtol=0, atol=1e-6)
    for name in ("mesh.ply", "isopoints.ply"):
        assert PlyData.read(folder / "utm" / name)["vertex"].data["y"].dtype.itemsize == 8
