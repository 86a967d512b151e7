import csv
import dataclasses
import json
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import trimesh
from typer.testing import CliRunner

from isopts.cli.app import app
from isopts.data.meshes import read_mesh, write_mesh
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.run.record import RunRecord, write_record


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


def written_ball(path: Path, radius: float, *others: tuple[float, float]) -> Path:
    """Ball in the middle of `ball_views`; others: radius of a ball and its distance in x."""
    parts = [trimesh.creation.icosphere(subdivisions=4, radius=radius)]
    for size, offset in others:
        parts.append(trimesh.creation.icosphere(subdivisions=2, radius=size).apply_translation([offset, 0, 0]))
    mesh = trimesh.util.concatenate(parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_mesh(path, TriangleMesh(mesh.vertices + np.array([100, 50, -20]), np.asarray(mesh.faces)))
    return path


def prediction_of(*arguments: object) -> dict:
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    (prediction,) = json.loads(result.stdout)["predictions"]
    return prediction


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


def test_a_prediction_that_is_named_twice_is_compared_once(spheres: Path) -> None:
    result = run(spheres / "larger.obj", spheres / "run", spheres / "larger.obj", spheres / "unit.ply", "--json")
    assert result.exit_code == 0, result.stderr
    names = [Path(prediction["path"]).name for prediction in json.loads(result.stdout)["predictions"]]
    assert names == ["larger.obj", "run"]


def test_vertices_that_no_face_uses_are_no_surface(spheres: Path) -> None:
    mesh = read_mesh(spheres / "unit.ply")
    write_mesh(spheres / "stray.ply", TriangleMesh(np.vstack([mesh.vertices, [[1000.0, 0, 0]]]), mesh.faces))
    result = run(spheres / "stray.ply", spheres / "stray.ply", "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["reference_diagonal"] < 4
    assert report["predictions"][0]["figures"]["point_to_face_max"] < 1e-6


def test_a_device_that_is_not_there_is_refused(spheres: Path) -> None:
    refused = run(spheres / "unit.ply", spheres / "unit.ply", "--device", "nonsense")
    assert refused.exit_code == 2


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
    result = run(spheres / "unit.ply")
    assert result.exit_code == 2
    assert "unit.ply' is given, but nothing to compare it with; add a mesh or cloud REF" in result.stderr


def test_masks_of_views_need_no_reference(ball_views: Path, tmp_path: Path) -> None:
    good = prediction_of(written_ball(tmp_path / "good.ply", 10), "--views", ball_views)
    assert set(good["figures"]) == {"mask_iou_mean", "mask_iou_least"}
    assert good["figures"]["mask_iou_least"] > 0.97
    assert [entry["view"] for entry in good["views"]] == [f"{number:03d}.png" for number in range(12)]
    assert np.mean([entry["mask_iou"] for entry in good["views"]]) == pytest.approx(good["figures"]["mask_iou_mean"])

    mask = ball_views / "mask" / "007.png"
    imageio.imwrite(mask, np.roll(imageio.imread(mask), 30, axis=0))
    result = run(tmp_path / "good.ply", "--views", ball_views, "--csv", tmp_path / "out.csv")
    assert "good.ply: least IoU with the masks of 007.png (0." in result.stdout
    assert "diagonal" not in result.stdout
    with (tmp_path / "out.csv").open(newline="") as file:
        (row,) = csv.DictReader(file)
    assert (Path(row["prediction"]).name, row["reference"]) == ("good.ply", "")
    assert float(row["mask_iou_least"]) < 0.6 < 0.9 < float(row["mask_iou_mean"])


def test_a_reference_beside_the_views_is_taken_unless_one_is_given(ball_views: Path, tmp_path: Path) -> None:
    written_ball(ball_views / "reference.ply", 10)
    larger, given = written_ball(tmp_path / "larger.ply", 11), written_ball(tmp_path / "given.ply", 10.5)
    beside = prediction_of(larger, "--views", ball_views, "--chamfer", "--samples", 2000)
    assert beside["figures"]["chamfer_l1_mean"] == pytest.approx(1, rel=0.02)
    assert beside["figures"]["mask_iou_mean"] == pytest.approx((10 / 11) ** 2, abs=0.03)
    named = prediction_of(larger, given, "--views", ball_views, "--chamfer", "--samples", 2000)
    assert named["figures"]["chamfer_l1_mean"] == pytest.approx(0.5, rel=0.02)


def test_folders_after_the_first_are_predictions_where_a_reference_is_optional(ball_views, tmp_path) -> None:
    runs = [written_ball(tmp_path / name / "mesh.ply", radius).parent for name, radius in (("a", 10), ("b", 9))]
    result = run(*runs, "--views", ball_views, "--json")
    report = json.loads(result.stdout)
    assert (report["reference"], report["reference_diagonal"]) == (None, None)
    first, second = (entry["figures"]["mask_iou_mean"] for entry in report["predictions"])
    assert first > 0.97
    assert second == pytest.approx(0.9**2, abs=0.03)


def test_culling_comes_before_every_figure(ball_views: Path, tmp_path: Path) -> None:
    written_ball(ball_views / "reference.ply", 10)
    littered = written_ball(tmp_path / "littered.ply", 10, (1, 15), (2, -16))
    arguments = (littered, "--views", ball_views, "--chamfer", "--hausdorff")
    whole, culled = prediction_of(*arguments), prediction_of(*arguments, "--cull")
    assert whole["figures"]["hausdorff_accuracy"] > 7
    assert culled["figures"]["hausdorff_accuracy"] < 0.1
    assert whole["figures"]["mask_iou_mean"] < 0.97 < culled["figures"]["mask_iou_mean"]
    assert "the masks exclude 640 of 5760 faces, which do not count" in culled["notes"]
    wide = prediction_of(*arguments, "--cull", "--cull-pixels", 40)
    assert wide["figures"] == whole["figures"]


def test_dtu_figures_of_a_run_whose_input_names_the_scan(dtu_ball, tmp_path: Path) -> None:
    truth = dtu_ball.write(tmp_path / "DTU", 65)
    folder = tmp_path / "run"
    folder.mkdir()
    write_mesh(folder / "mesh.ply", dtu_ball.mesh(10.5, 3))
    result = run(folder, "--dtu", truth)
    assert result.exit_code == 2
    assert "run' does not say which scan of DTU's it is of; add --scan" in result.stderr
    given = prediction_of(folder, "--dtu", truth, "--scan", 65)
    assert given["figures"] == pytest.approx(dict.fromkeys(given["figures"], 0.5), abs=0.04)
    assert list(given["figures"]) == ["dtu_data_to_stl", "dtu_stl_to_data", "dtu_chamfer"]

    write_record(folder / "run.json", RunRecord(command="fit-mvr", input="views/scan65"))
    assert prediction_of(folder, "--dtu", truth) == given
    result = run(folder, "--dtu", truth)
    assert "DTU's figures are in mm, of scan 65" in result.stdout
    write_record(folder / "run.json", RunRecord(command="fit-mvr", input="views/scan24"))
    result = run(folder, "--dtu", truth)
    assert result.exit_code == 2
    assert "ObsMask24_10.mat' does not exist" in result.stderr


def test_one_table_for_reference_views_and_dtu(ball_views: Path, dtu_ball, tmp_path: Path) -> None:
    ball = dataclasses.replace(dtu_ball, center=(100, 50, -20))
    truth = ball.write(tmp_path / "DTU", 9, plane=(0, 0, 1, 100))
    written_ball(ball_views / "reference.ply", 10)
    mesh = written_ball(tmp_path / "mesh.ply", 10.4)
    result = run(mesh, "--views", ball_views, "--cull", "--dtu", truth, "--scan", 9, "--normals", "--samples", 2000)
    assert result.exit_code == 0, result.stderr
    figures = dict(line.split() for line in result.stdout.splitlines() if len(line.split()) == 2)
    assert float(figures["dtu_chamfer"]) == pytest.approx(0.4, abs=0.04)
    assert float(figures["mask_iou_mean"]) == pytest.approx((10 / 10.4) ** 2, abs=0.03)
    assert float(figures["normal_consistency"]) > 0.99


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["--cull"], "--cull needs masks to cull by; add --views DIR"),
        (["--cull-pixels", "3"], "--cull-pixels is given without --cull"),
        (["--scan", "65"], "--scan 65 is given without --dtu"),
        (["--mask-from", "black"], "--mask-from black is given without --views"),
        (["--views", "absent"], "'absent' does not exist; expected a folder of posed images"),
        (["--views", "ball", "--mask-from", "green"], "'masks.source': input should be 'auto', 'dir'"),
        (["--dtu", "absent", "--scan", "65"], "ObsMask65_10.mat' does not exist; --dtu takes the folder"),
    ],
)
def test_options_that_do_not_fit_are_one_sentence(ball_views, spheres, monkeypatch, options, sentence) -> None:
    monkeypatch.chdir(ball_views.parent)
    result = run("unit.ply", "larger.obj", *options)
    assert result.exit_code == 2
    assert sentence in " ".join(result.stderr.split())


def test_what_needs_a_reference_or_the_frame_of_the_cameras_says_so(ball_views: Path, spheres: Path) -> None:
    result = run(spheres / "unit.ply", "--views", ball_views, "--point-to-face")
    assert result.exit_code == 2
    assert "--point-to-face is given, but no reference" in result.stderr
    result = run(spheres / "cloud.ply", "--views", ball_views)
    assert result.exit_code == 2
    assert "cloud.ply' cannot be compared. A cloud has no silhouette" in result.stderr
    written_ball(spheres / "shifted.ply", 2, (2, 1))
    away = read_mesh(spheres / "shifted.ply")
    write_mesh(spheres / "shifted.ply", TriangleMesh(away.vertices + np.array([0, 14, 0]), away.faces))
    result = run(spheres / "shifted.ply", "--views", ball_views, "--cull")
    assert result.exit_code == 2
    assert "shifted.ply' cannot be compared. The masks exclude all of it" in result.stderr
