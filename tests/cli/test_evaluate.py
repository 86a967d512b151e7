import csv
import json
from pathlib import Path

import numpy as np
import pytest
import trimesh
from typer.testing import CliRunner

from isopts.cli.app import app
from isopts.data.meshes import write_mesh
from isopts.geometry.triangle_mesh import TriangleMesh


def run(*arguments: object):
    return CliRunner().invoke(app, ["evaluate", *map(str, arguments)])


@pytest.fixture
def spheres(tmp_path: Path) -> Path:
    """unit.ply, larger.obj (radius 1.1), run/ with a mesh of radius 1.05, cloud.ply and cloud.xyz (radius 1)."""
    mesh = trimesh.creation.icosphere(subdivisions=3)
    vertices, faces = np.asarray(mesh.vertices), np.asarray(mesh.faces)
    write_mesh(tmp_path / "unit.ply", TriangleMesh(vertices, faces))
    write_mesh(tmp_path / "larger.obj", TriangleMesh(1.1 * vertices, faces))
    write_mesh(tmp_path / "cloud.ply", TriangleMesh(vertices, np.zeros((0, 3))))
    np.savetxt(tmp_path / "cloud.xyz", vertices)
    (tmp_path / "run").mkdir()
    write_mesh(tmp_path / "run" / "mesh.ply", TriangleMesh(1.05 * vertices, faces))
    return tmp_path


def test_json_has_every_figure_of_every_prediction(spheres: Path) -> None:
    result = run(
        spheres / "larger.obj", spheres / "run", spheres / "unit.ply", "--json", "--samples", 5000, "--seed", 3
    )
    assert result.exit_code == 0
    report = json.loads(result.stdout)
    assert (report["samples"], report["seed"], report["reference"]) == (5000, 3, str(spheres / "unit.ply"))
    first, second = (entry["figures"] for entry in report["predictions"])
    assert first["chamfer_l1_mean"] == pytest.approx(0.1, rel=0.01)
    assert second["chamfer_l1_mean"] == pytest.approx(0.05, rel=0.01)
    assert first["chamfer_l1_sum"] == pytest.approx(2 * first["chamfer_l1_mean"])
    assert {"hausdorff", "normal_consistency", "point_to_face_mean", "spacing_variation"} <= set(first)
    assert sum(name.startswith("fscore@") for name in first) == 2


def test_only_what_is_asked_for(spheres: Path) -> None:
    result = run(spheres / "run", spheres / "unit.ply", "--json", "--hausdorff", "--fscore", 0.01, "--fscore", 0.2)
    (prediction,) = json.loads(result.stdout)["predictions"]
    assert set(prediction["figures"]) == {
        *("hausdorff_accuracy", "hausdorff_completeness", "hausdorff"),
        *(f"{name}@{threshold}" for name in ("fscore", "precision", "recall") for threshold in (0.01, 0.2)),
    }
    assert prediction["figures"]["fscore@0.01"] == 0
    assert prediction["figures"]["fscore@0.2"] == 1


def test_table_and_csv_agree(spheres: Path) -> None:
    result = run(
        spheres / "larger.obj", spheres / "run", spheres / "unit.ply", "--chamfer", "--csv", spheres / "out.csv"
    )
    assert result.exit_code == 0
    with (spheres / "out.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [Path(row["prediction"]).name for row in rows] == ["larger.obj", "run"]
    line = next(line for line in result.stdout.splitlines() if line.startswith("accuracy "))
    assert [float(word) for word in line.split()[1:]] == pytest.approx(
        [float(row["accuracy"]) for row in rows], rel=1e-4
    )
    assert float(rows[0]["accuracy"]) == pytest.approx(0.1, rel=0.01)


@pytest.mark.parametrize("name", ["cloud.ply", "cloud.xyz"])
def test_clouds_are_accepted_and_what_they_lack_is_said(spheres: Path, name: str) -> None:
    result = run(spheres / name, spheres / "unit.ply", "--samples", 2000)
    assert result.exit_code == 0
    assert "the prediction is a cloud without normals" in result.stdout
    line = next(line for line in result.stdout.splitlines() if line.startswith("normal_consistency"))
    assert line.split()[1] == "-"


@pytest.mark.parametrize(
    ("prediction", "sentence"),
    [("nothing.ply", "nothing.ply' is not a file"), ("empty", "neither mesh.ply nor isopoints.ply")],
)
def test_what_cannot_be_read_is_one_sentence_and_exit_2(spheres: Path, prediction: str, sentence: str) -> None:
    (spheres / "empty").mkdir()
    result = run(spheres / prediction, spheres / "unit.ply")
    assert result.exit_code == 2
    assert sentence in result.stderr
    assert "Traceback" not in result.stderr


def test_points_that_are_not_finite_are_counted_and_their_file_is_named(spheres: Path) -> None:
    vertices = np.full((60, 3), np.nan)
    vertices[:20] = 1.0
    write_mesh(spheres / "bad.ply", TriangleMesh(vertices, np.zeros((0, 3))))
    for arguments in ((spheres / "bad.ply", spheres / "unit.ply"), (spheres / "unit.ply", spheres / "bad.ply")):
        result = run(*arguments)
        assert result.exit_code == 2
        assert "bad.ply' has 40 of 60 points with coordinates that are not finite" in result.stderr


def test_a_reference_is_needed(spheres: Path) -> None:
    assert run(spheres / "unit.ply").exit_code == 2
