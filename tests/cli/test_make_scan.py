import numpy as np
import pytest
from typer.testing import CliRunner

from isopts.cli.app import app
from isopts.data.meshes import read_mesh
from isopts.data.points import read_points
from isopts.data.synthetic_shapes import SHAPES, torus


def run(*arguments):
    return CliRunner().invoke(app, ["make-scan", *map(str, arguments)])


def test_writes_a_scan_and_its_exact_surface(tmp_path):
    scan, exact = tmp_path / "scan.ply", tmp_path / "exact.ply"
    result = run("torus", "-o", scan, "--points", 2000, "--noise", 0.01, "--outliers", 0.1, "--reference", exact)
    assert result.exit_code == 0
    cloud, _ = read_points(scan)
    assert len(cloud) == 2000
    assert np.mean(np.abs(torus(cloud.points)) < 0.04) > 0.89
    assert np.abs(torus(read_mesh(exact).vertices)).max() < 1e-7
    assert f"{scan}: 2000 points" in result.stdout
    assert b"comment isopts make-scan torus: noise 0.01" in scan.read_bytes()[:300]


def test_normals_are_flipped_or_left_out(tmp_path):
    scan = tmp_path / "scan.ply"
    errors = ("--points", 2000, "--noise", 0, "--normal-noise", 0, "--outliers", 0)
    assert run("sphere", "-o", scan, *errors, "--flipped", 0.3, "--density", 5).exit_code == 0
    cloud, _ = read_points(scan)
    assert np.mean(np.sum(cloud.points * cloud.normals, axis=1) < 0) == pytest.approx(0.3, abs=0.05)
    assert run("sphere", "-o", scan, *errors, "--no-normals").exit_code == 0
    assert read_points(scan)[0].normals is None


def test_the_help_names_every_shape():
    text = " ".join(run("--help").stdout.split())
    assert [shape for shape in SHAPES if shape not in text] == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["teapot", "-o", "a.ply"],
            "no shape 'teapot'; expected one of angel, bracket, compressor, flange, skull, sphere, torus, vase",
        ),
        (["torus", "-o", "none/a.ply"], "does not exist; create it first"),
        (["torus", "-o", "a.stl"], "Cannot write points as '.stl'"),
    ],
)
def test_mistakes_are_one_sentence(tmp_path, monkeypatch, arguments, expected):
    monkeypatch.chdir(tmp_path)
    result = run(*arguments, "--points", 100)
    assert result.exit_code == 2
    assert expected in result.stderr
    assert list(tmp_path.iterdir()) == []
