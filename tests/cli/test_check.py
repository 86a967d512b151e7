import json
import re
import shutil

import imageio.v3 as imageio
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from isopts.cli.app import app
from isopts.cli.unmasked_views import warn_without_masks
from isopts.data.points import write_points
from isopts.geometry.cameras import Cameras


def run(*arguments):
    return CliRunner().invoke(app, ["check", *map(str, arguments), "--threads", "1"])


def report_of(*arguments):
    result = run(*arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def folder(ball_views, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return ball_views


def test_json_says_what_is_there(folder, tmp_path):
    report = report_of(folder)
    assert (report["ok"], report["format"], report["views"], report["masks"]) == (True, "idr", 12, "dir")
    assert report["region"]["center"] == pytest.approx([100, 50, -20])
    assert report["region"]["radius"] == pytest.approx(20)
    assert report["region"]["from"] == "the cameras' file"
    assert report["hull"]["size"] == pytest.approx([20, 20, 20], rel=0.15)
    assert report["hull"]["volume"] == pytest.approx(4 / 3 * np.pi * 1000, rel=0.2)
    assert report["agreement"]["least_iou"] > 0.95
    assert [entry["iou"] > 0.95 for entry in report["images"]] == [True] * 12
    assert report["warnings"] == []
    picture = imageio.imread(tmp_path / "ball_views.png")
    assert picture.shape[1:] == (960, 3)
    assert picture.std() > 20


def test_text_says_the_same(folder):
    stdout = run(folder, "-o", "cameras.png").stdout
    for text in ("12 (idr), 120x120 pixels", "mask files", "radius 20, from the cameras' file", "IoU", "007.png"):
        assert text in stdout
    assert "cameras.png: cameras, hull, and the views that agree least:" in " ".join(stdout.split())
    assert "Warning" not in stdout


def test_the_region_can_be_given_and_found(folder):
    given = report_of(folder, "--sphere", 100, 52, -20, 30)["region"]
    assert (given["center"], given["radius"], given["from"]) == ([100, 52, -20], 30, "--sphere")
    known = dict(np.load(folder / "cameras.npz"))
    np.savez(folder / "cameras.npz", **{name: value for name, value in known.items() if "scale" not in name})
    found = report_of(folder)["region"]
    assert found["center"] == pytest.approx([100, 50, -20], abs=1)
    assert 11 < found["radius"] < 16
    assert found["from"] == "the masks"


def test_masks_from_the_background(folder):
    for mask in (folder / "mask").iterdir():
        mask.unlink()
    (folder / "mask").rmdir()
    refused = run(folder).stderr
    assert "no masks: no folder 'mask'" in refused
    assert "or do without: --mask-from none." in " ".join(refused.split())
    report = report_of(folder, "--mask-from", "black")
    assert report["masks"] == "black"
    assert report["agreement"]["least_iou"] > 0.95


def test_inverted_masks_are_noticed_and_can_be_turned_round(folder):
    for mask in (folder / "mask").iterdir():
        imageio.imwrite(mask, 255 - imageio.imread(mask))
    result = run(folder)
    assert result.exit_code == 2
    assert result.stdout.count("looks inverted") == 12
    assert "12 of 12 views cannot be used" in result.stderr
    assert report_of(folder, "--invert-masks")["agreement"]["least_iou"] > 0.95


def test_the_view_with_the_wrong_mask_is_named(folder):
    mask = folder / "mask" / "007.png"
    imageio.imwrite(mask, np.roll(imageio.imread(mask), 30, axis=0))
    report = report_of(folder)
    assert "The view '007.png' cuts off" in report["warnings"][0]
    assert str(mask) in report["warnings"][0]
    assert report["agreement"]["least_iou"] < 0.9
    assert not any("'008.png'" in sentence for sentence in report["warnings"])


@pytest.mark.parametrize("region", ["the cameras' file", "the masks"])
def test_the_view_that_empties_the_hull_is_named(folder, region):
    mask = np.zeros((120, 120), np.uint8)
    mask[3:9, 3:9] = 255
    imageio.imwrite(folder / "mask" / "007.png", mask)
    if region == "the masks":
        known = dict(np.load(folder / "cameras.npz"))
        np.savez(folder / "cameras.npz", **{name: value for name, value in known.items() if "scale" not in name})
    result = run(folder)
    assert result.exit_code == 2
    stderr = " ".join(result.stderr.split())
    assert re.search("The silhouettes have next to nothing in common. The view '007.png' cuts off (9.|100) %", stderr)


def test_problems_are_all_listed_and_exit_with_2(folder):
    imageio.imwrite(folder / "mask" / "003.png", np.zeros((120, 120), np.uint8))
    imageio.imwrite(folder / "mask" / "005.png", np.zeros((60, 60), np.uint8))
    result = run(folder, "--json")
    assert result.exit_code == 2
    report = json.loads(result.stdout)
    assert report["ok"] is False
    problems = {entry["image"][-7:]: entry["problem"] for entry in report["images"] if "problem" in entry}
    assert "is empty" in problems["003.png"]
    assert "is 60x60, its image 120x120" in problems["005.png"]
    assert "2 of 12 views cannot be used" in result.stderr


def test_a_few_blank_masks_are_warnings_as_a_fit_leaves_them_out(folder):
    """A quarter of 12; more of them, and masks that cannot be read, are problems."""
    for view in (3, 5):
        imageio.imwrite(folder / "mask" / f"{view:03d}.png", np.zeros((120, 120), np.uint8))
    report = report_of(folder)
    assert (report["ok"], report["views"], len(report["images"])) == (True, 10, 10)
    assert report["agreement"]["least_iou"] > 0.95
    for view, warning in zip(("003.png", "005.png"), report["warnings"], strict=True):
        assert warning.startswith(f"The view '{view}' is left out. ")
        assert warning.endswith(f"{view}' is empty: it shows no object.")
    for view in (7, 8):
        imageio.imwrite(folder / "mask" / f"{view:03d}.png", np.zeros((120, 120), np.uint8))
    refused = run(folder)
    assert refused.exit_code == 2
    assert "4 of 12 views cannot be used" in refused.stderr


def test_held_out_views_take_no_part_but_need_their_masks(folder):
    report = report_of(folder, "--holdout", "2,7")
    assert report["views"] == 10
    assert not any("007" in entry["image"] for entry in report["images"])
    blank = folder / "mask" / "007.png"
    imageio.imwrite(blank, np.zeros_like(imageio.imread(blank)))
    assert any("007.png" in warning for warning in report_of(folder, "--holdout", "2")["warnings"])
    result = run(folder, "--holdout", "2,7")
    assert result.exit_code == 2
    assert "007.png" in result.stdout
    result = run(folder, "--holdout", "12")
    assert result.exit_code == 2
    assert "The held-out view 12 does not exist" in result.stderr


def test_a_region_that_cameras_miss_is_a_problem(folder):
    result = run(folder, "--sphere", 500, 50, -20, 3)
    assert result.exit_code == 2
    assert "does not see the sphere around the object" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("sphere", "expected"),
    [
        ((100, 50, -20, 8), "The hull reaches out of the region of interest"),
        ((100, 50, -20, 60), "of the region's radius; a smaller --sphere keeps more detail"),
    ],
)
def test_a_region_of_the_wrong_size_is_a_warning(folder, sphere, expected):
    assert any(expected in sentence for sentence in report_of(folder, "--sphere", *sphere)["warnings"])


def test_few_and_one_sided_views_are_a_warning(folder):
    for number in range(12):
        if number not in (0, 1, 2, 3):
            (folder / "image" / f"{number:03d}.png").unlink()
    warnings = report_of(folder)["warnings"]
    assert warnings[0].startswith("4 views leave much of the shape open")
    assert "on one side of the object" in warnings[1]


def test_without_masks_it_tells_cameras_region_and_points(folder, tmp_path):
    shutil.rmtree(folder / "mask")
    directions = np.random.default_rng(0).normal(size=(200, 3))
    points = [100, 50, -20] + 10 * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    write_points(tmp_path / "known.ply", np.concatenate([points, [[500.0, 0, 0]]]))
    report = report_of(folder, "--no-masks", "--prior", "known.ply")
    assert (report["ok"], report["masks"], report["region"]["from"]) == (True, "none", "the cameras' file")
    assert report["points"] == {"in_region": 200, "known": 201}
    assert not {"hull", "agreement"} & set(report)
    assert imageio.imread(tmp_path / "ball_views.png").std() > 20
    known = dict(np.load(folder / "cameras.npz"))
    np.savez(folder / "cameras.npz", **{name: value for name, value in known.items() if "scale" not in name})
    region = report_of(folder, "--no-masks", "--prior", "known.ply")["region"]
    assert region["center"] == pytest.approx([100, 50, -20], abs=1)
    assert (11 < region["radius"] < 13.5, region["from"]) == (True, "the points")
    stdout = " ".join(run(folder, "--no-masks", "--prior", "known.ply").stdout.split())
    assert "200 of 201 on the surface are in the region" in stdout
    assert "cameras and the region of interest" in stdout
    guess = report_of(folder, "--no-masks")
    assert guess["region"]["center"] == pytest.approx([100, 50, -20], abs=1)
    assert (8 < guess["region"]["radius"] < 30, guess["region"]["from"]) == (True, "where the cameras look")
    assert any("The object is looked for where all cameras look" in warning for warning in guess["warnings"])


def test_cameras_in_the_region_or_far_from_each_other_are_warnings(folder):
    warnings = report_of(folder, "--no-masks", "--sphere", 100, 50, -20, 60)["warnings"]
    assert any("12 cameras stand inside the region" in warning for warning in warnings)
    for number in range(0, 12, 2):
        (folder / "image" / f"{number:03d}.png").unlink()
    warnings = report_of(folder, "--no-masks")["warnings"]
    assert any("no two others 5 to 55 degrees away" in warning for warning in warnings)


def test_views_too_near_to_each_other_cannot_be_compared():
    """Their depths are not: see isopts.fit.starts.depth_sweep."""
    angles = torch.deg2rad(torch.tensor([0.0, 1, 2, 90, 91, 92]))
    turns = torch.stack([torch.eye(3, dtype=torch.float64)] * 6)
    centers = 4 * torch.stack([angles.cos(), angles.sin(), 0 * angles], dim=1).double()

    def warnings(centers):
        cameras = Cameras(turns, turns, -centers, torch.full((len(centers), 2), 100))
        return warn_without_masks(cameras, [f"{view}.png" for view in range(len(centers))])

    assert any("no two others 5 to 55 degrees away" in warning for warning in warnings(centers))
    angles *= 10
    centers = 4 * torch.stack([angles.cos(), angles.sin(), 0 * angles], dim=1).double()
    assert warnings(centers) == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (["absent"], "'absent' does not exist; expected a folder of posed images"),
        (["ball", "--format", "blender"], "'format': input should be 'auto', 'idr'"),
        (["ball", "--mask-from", "green"], "'masks.source': input should be 'auto', 'dir'"),
        (["ball", "--mask-threshold", "7"], "'masks.threshold': input should be less than 1"),
        (["ball", "--sphere", "0", "0", "0", "-1"], "has no positive radius"),
        (["ball", "-o", "a.txt"], "no known format"),
        (["ball", "-o", "none/a.png"], "does not exist; create it first"),
        (["ball", "-o", "ball/image/000.png"], "exists; add --overwrite"),
    ],
)
def test_mistakes_are_one_sentence(folder, options, expected):
    before = sorted(path.name for path in folder.parent.rglob("*"))
    result = run(*options)
    assert result.exit_code == 2
    assert expected in " ".join(result.stderr.split())
    assert sorted(path.name for path in folder.parent.rglob("*")) == before


@pytest.mark.needs_data
def test_a_real_object_before_a_black_background(data_dir, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    report = report_of(data_dir / "views" / "middlebury_dino_sparse_ring", "--mask-from", "black")
    assert report["views"] == 16
    assert report["agreement"]["mean_iou"] > 0.97
    assert report["hull"]["size"] == pytest.approx([0.0728, 0.0871, 0.0733], rel=0.1)  # published: its tight box
