"""`isopts evaluate` for runs of fit-mvr: they bring the images that they are compared with."""

import csv
import dataclasses
import json
import math
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from isopts.cli.app import app
from isopts.data.views import read_views
from isopts.evaluate.image_quality import psnr, ssim
from isopts.fit.fitted.fitted_field import FittedField
from isopts.fit.fitted.photographs import fitted_photographs
from isopts.fit.fitted.view_preview import render_fitted
from isopts.fit.views.mask_offset import MASK_OFFSET
from isopts.run.checkpoint import load_checkpoint, save_checkpoint
from isopts.run.record import RunRecord, write_record

SMALL_FIT = (
    *("--set=fit.steps=40", "--set=start.steps=60", "--set=fit.sampled_resolution=32", "--set=isopoints.count=400"),
    *("--set=field.grid.levels=3", "--set=field.grid.finest_resolution=32", "--set=field.grid.log2_table_size=14"),
    *(
        "--set=radiance.grid.levels=4",
        "--set=radiance.grid.finest_resolution=64",
        "--set=radiance.grid.log2_table_size=14",
    ),
    *("--set=output.mesh.resolution=64", "--set=output.isopoints=0", "--set=output.preview=false"),
)
HELD_OUT = (1, 5)


def isopts(*arguments: object, code: int = 0):
    threads = torch.get_num_threads()
    result = CliRunner().invoke(app, [str(argument) for argument in arguments])
    torch.set_num_threads(threads)
    assert result.exit_code == code, result.stderr
    return result


def sentence(*arguments: object) -> str:
    """The error of an evaluation that cannot be done."""
    return " ".join(isopts("evaluate", *arguments, code=2).stderr.split())


def predictions_of(*arguments: object) -> list[dict]:
    return json.loads(isopts("evaluate", *arguments, "--samples", 2000, "--threads", 1, "--json").stdout)["predictions"]


def copy_of(run: Path, folder: Path, images: Path, holdout: tuple[int, ...], color: float = 1.0) -> Path:
    """The same fit, as if of other images or with another weight of their colours."""
    shutil.copytree(run, folder)
    checkpoint = load_checkpoint(run)
    changed = {
        "data": checkpoint.config["data"] | {"path": str(images), "holdout": list(holdout)},
        "losses": checkpoint.config["losses"] | {"color": color},
    }
    save_checkpoint(folder / "checkpoint.pt", dataclasses.replace(checkpoint, config=checkpoint.config | changed))
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """views/: eight views of a sphere with its reference.ply. run/: a small fit of six of them."""
    folder = tmp_path_factory.mktemp("runs")
    views = ("--views", 8, "--size", 96, 72, "--fixed-lights", "--threads", 1, "--quiet")
    isopts("make-views", "sphere", "-o", folder / "views", *views)
    held_out = ",".join(map(str, HELD_OUT))
    fit = (folder / "views", "--holdout", held_out, "-o", folder / "run", "--threads", 1, "--quiet")
    isopts("fit-mvr", *fit, *SMALL_FIT)
    return folder


@pytest.fixture(scope="module")
def of_run(made: Path) -> dict:
    """What `isopts evaluate run` says."""
    before = {path.name: path.read_bytes() for path in (made / "run").iterdir() if path.is_file()}
    (prediction,) = predictions_of(made / "run")
    assert {path.name: path.read_bytes() for path in (made / "run").iterdir() if path.is_file()} == before
    return prediction


def test_a_run_is_compared_with_what_it_never_saw_at_full_size(made: Path, of_run: dict) -> None:
    views, fitted = read_views(made / "views"), FittedField.load(made / "run", torch.device("cpu"))
    expected = []
    for view in HELD_OUT:
        camera = views.cameras.select([view]).in_frame(fitted.frame).to("cpu", torch.float32)
        image = render_fitted(fitted, camera).colors.numpy()
        assert image.shape == (72, 96, 3)
        expected.append(
            (psnr(image, views.image(view), views.mask(view)), ssim(image, views.image(view), views.mask(view)))
        )
    found = {entry["view"]: (entry["psnr"], entry["ssim"]) for entry in of_run["views"] if "psnr" in entry}
    assert found == {f"{view:03d}.png": figures for view, figures in zip(HELD_OUT, expected, strict=True)}
    means = [of_run["figures"][f"{name}_heldout_mean"] for name in ("psnr", "ssim")]
    assert means == pytest.approx(np.mean(expected, axis=0))
    assert 15 < means[0] < 60
    assert "psnr_fitted_mean" not in of_run["figures"]
    assert "PSNR and SSIM of 2 held-out views, inside the masks" in of_run["notes"]


def test_masks_of_all_views_and_the_reference_beside_them(made: Path, of_run: dict) -> None:
    figures, ious = of_run["figures"], [entry["mask_iou"] for entry in of_run["views"]]
    held_out = [view in HELD_OUT for view in range(8)]
    assert len(ious) == 8
    assert figures["mask_iou_mean"] == pytest.approx(np.mean(ious))
    assert figures["mask_iou_heldout_mean"] == pytest.approx(np.mean(np.array(ious)[held_out]))
    assert figures["mask_iou_fitted_mean"] == pytest.approx(np.mean(np.array(ious)[~np.array(held_out)]))
    assert figures["mask_iou_least"] > 0.9
    assert of_run["reference"] == str(made / "views" / "reference.ply")
    assert figures["chamfer_l1_mean"] < 0.03 * of_run["reference_diagonal"]
    assert figures["normal_consistency"] > 0.9
    assert sum(name.startswith("fscore@") for name in figures) == 2


def test_figures_against_the_reference_alone_and_a_reference_that_is_given(made: Path, tmp_path: Path) -> None:
    (prediction,) = predictions_of(made / "run", "--normals")
    assert set(prediction["figures"]) == {
        *("normal_accuracy", "normal_completeness", "normal_consistency", "flipped_normals")
    }
    (given,) = predictions_of(made / "run", made / "run" / "mesh.ply", "--chamfer")
    assert given["figures"]["chamfer_l1_mean"] < 1e-6
    alone = tmp_path / "alone"
    shutil.copytree(made / "views", alone)
    (alone / "reference.ply").unlink()
    moved = copy_of(made / "run", tmp_path / "run", alone, HELD_OUT)
    assert "--normals is given, but no reference" in sentence(moved, "--normals")
    assert "chamfer_l1_mean" not in predictions_of(moved)[0]["figures"]


def test_images_that_moved_are_named(made: Path, of_run: dict, tmp_path: Path) -> None:
    moved = copy_of(made / "run", tmp_path / "run", tmp_path / "gone", HELD_OUT)
    text = sentence(moved)
    assert f"The images of the run '{moved}' are not in '{tmp_path / 'gone'}' any more" in text
    assert "--views" in text
    (found,) = predictions_of(moved, "--views", made / "views")
    assert found["figures"] == of_run["figures"]


def test_runs_are_compared_each_with_its_own_images(made: Path, of_run: dict, tmp_path: Path) -> None:
    shutil.copytree(made / "views", tmp_path / "all")
    other = copy_of(made / "run", tmp_path / "other", tmp_path / "all", ())
    table = tmp_path / "table.csv"
    first, second = predictions_of(made / "run", other, "--csv", table)
    assert first["figures"] == of_run["figures"]
    assert second["reference"] == str(tmp_path / "all" / "reference.ply")
    rendered = [entry["psnr"] for entry in second["views"] if "psnr" in entry]
    assert len(rendered) == 6
    assert second["figures"]["psnr_fitted_mean"] == pytest.approx(np.mean(rendered))
    assert "psnr_heldout_mean" not in second["figures"]
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["psnr_fitted_mean"] == "" for row in rows] == [True, False]
    assert float(rows[0]["psnr_heldout_mean"]) == first["figures"]["psnr_heldout_mean"]
    shown = isopts("evaluate", made / "run", other, "--samples", 2000).stdout
    words = next(line.split() for line in shown.splitlines() if line.startswith("psnr_heldout_mean"))
    assert words[2] == "-"
    assert math.isclose(float(words[1]), first["figures"]["psnr_heldout_mean"], rel_tol=1e-4)


def test_masks_that_the_fit_moved_are_told_and_bake_moved(made: Path, tmp_path: Path, of_run: dict) -> None:
    run, stored = shutil.copytree(made / "run", tmp_path / "run"), load_checkpoint(made / "run")

    def photographed(pixels: float | None) -> torch.Tensor:
        tensors = {name: tensor for name, tensor in stored.tensors.items() if name != MASK_OFFSET}
        if pixels is not None:
            tensors[MASK_OFFSET] = torch.tensor(pixels, dtype=torch.float64)
        save_checkpoint(run / "checkpoint.pt", dataclasses.replace(stored, tensors=tensors))
        return fitted_photographs(run, FittedField.load(run, torch.device("cpu"))).masks

    before, smaller = photographed(None), photographed(3.0)
    (found,) = predictions_of(run)
    assert any(note.startswith("the fit moved all masks 3 pixels of its images inwards") for note in found["notes"])
    assert found["figures"]["mask_iou_mean"] == of_run["figures"]["mask_iou_mean"]
    assert not any("moved" in note for note in of_run["notes"])
    lost = (before & ~smaller).sum() / before.sum()
    assert not (smaller & ~before).any()
    radius = float((before.view(6, 72, 96).sum(dim=(1, 2)).float() / torch.pi).sqrt().mean())
    assert lost == pytest.approx(1 - (1 - 3 / radius) ** 2, rel=0.1)


def test_fitted_photographs_are_compared_with_their_exposures_and_textures_are_without(
    made: Path, tmp_path: Path
) -> None:
    """As if the fit had found that the first one was taken at half the exposure."""
    plain = copy_of(made / "run", tmp_path / "plain", made / "views", ())
    run = copy_of(made / "run", tmp_path / "exposed", made / "views", ())
    stored = load_checkpoint(run)
    vectors = torch.zeros((6, 6))
    vectors[0, :3] = math.log(0.5)
    save_checkpoint(
        run / "checkpoint.pt", dataclasses.replace(stored, tensors={**stored.tensors, "camera_exposures": vectors})
    )
    before, after = (
        {entry["view"]: entry["psnr"] for entry in predictions_of(folder)[0]["views"] if "psnr" in entry}
        for folder in (plain, run)
    )
    assert after.pop("000.png") < before.pop("000.png") - 3
    assert after == before
    images = [fitted_photographs(folder, FittedField.load(folder, torch.device("cpu"))) for folder in (plain, run)]
    colors, brighter = (stack.colors.view(6, -1, 3).int() for stack in images)
    assert torch.equal(colors[1:], brighter[1:])
    assert torch.equal(brighter[0], (2 * colors[0]).clamp(max=255))


def test_views_that_the_fit_does_not_know_are_all_held_out(made: Path, tmp_path: Path) -> None:
    new = ("--views", 3, "--size", 64, 48, "--seed", 5, "--threads", 1)
    isopts("make-views", "sphere", "-o", tmp_path / "new", *new)
    (found,) = predictions_of(made / "run", "--views", tmp_path / "new")
    assert sum("psnr" in entry for entry in found["views"]) == 3
    assert found["figures"]["mask_iou_heldout_mean"] == found["figures"]["mask_iou_mean"] > 0.9
    assert "mask_iou_fitted_mean" not in found["figures"]
    assert any("none of the views is among those that were fitted" in note for note in found["notes"])


def test_what_lacks_a_checkpoint_or_is_of_a_scan_says_so(made: Path, tmp_path: Path) -> None:
    unfinished = tmp_path / "unfinished"
    shutil.copytree(made / "run", unfinished)
    (unfinished / "checkpoint.pt").unlink()
    assert f"The run '{unfinished}' has no checkpoint.pt, from which its images are rendered" in sentence(unfinished)
    (found,) = predictions_of(unfinished, "--views", made / "views")
    assert "mask_iou_mean" in found["figures"]
    assert "psnr_heldout_mean" not in found["figures"]
    scan = tmp_path / "scan"
    shutil.copytree(made / "run", scan)
    write_record(scan / "run.json", RunRecord(command="fit-points", input="scan.ply"))
    assert f"'{scan}' is given, but nothing to compare it with; add a mesh or cloud REF" in sentence(scan)


def test_colours_that_were_not_fitted_are_not_compared(made: Path, tmp_path: Path) -> None:
    (found,) = predictions_of(copy_of(made / "run", tmp_path / "run", made / "views", HELD_OUT, color=0.0))
    assert "mask_iou_heldout_mean" in found["figures"]
    assert "psnr_heldout_mean" not in found["figures"]
    assert "no PSNR: colours were not fitted" in found["notes"]


def test_culling_takes_the_masks_of_the_run(made: Path) -> None:
    (found,) = predictions_of(made / "run", "--cull", "--chamfer")
    assert any(note.startswith("the masks exclude ") for note in found["notes"])
    assert {"chamfer_l1_mean", "mask_iou_mean", "psnr_heldout_mean"} <= set(found["figures"])


def test_a_run_without_masks_is_compared_inside_its_surface(made: Path, tmp_path: Path) -> None:
    views = shutil.copytree(made / "views", tmp_path / "views")
    shutil.rmtree(views / "mask")
    fit = (views, "--no-masks", "--holdout", "1", "-o", tmp_path / "run", "--threads", 1, "--quiet")
    isopts("fit-mvr", *fit, *SMALL_FIT)
    (found,) = predictions_of(tmp_path / "run")
    assert 10 < found["figures"]["psnr_surface_heldout_mean"] < 60
    assert not any("iou" in name or name.startswith("psnr_heldout") for name in found["figures"])
    assert "PSNR and SSIM of 1 held-out view, inside the rendered surface: there are no masks" in found["notes"]
    assert found["figures"]["chamfer_l1_mean"] > 0
    assert "There are no masks to compare with or to cull by" in sentence(tmp_path / "run", "--cull", "--threads", 1)
    (masked,) = predictions_of(tmp_path / "run", "--views", made / "views", "--mask-from", "dir")
    assert 0 < masked["figures"]["mask_iou_mean"] < 1  # of eight views, which are too far apart to tell depths
