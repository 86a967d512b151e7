"""Images of a ball whose field, cameras and masks are known: geometry, files, and what is refused."""

import json

import imageio.v3 as imageio
import numpy as np
import pytest
import torch
from typer.testing import CliRunner

from isopts.cli.app import app
from isopts.data.views import read_views
from isopts.field.build import FieldConfig, build_field
from isopts.field.grid import GridConfig
from isopts.field.radiance import RadianceConfig, RadianceGridConfig, build_radiance
from isopts.fit.fitted.appearance import Appearance
from isopts.fit.fitted.fitted_field import FittedField
from isopts.geometry.frames import WorldToUnit
from isopts.run.checkpoint import Checkpoint, save_checkpoint

CENTER, SCALE, RADIUS = np.array([100.0, 50.0, -20.0]), 0.05, 10.0  # of `ball_views`; the field's ball has radius 0.5


def run(*arguments):
    return CliRunner().invoke(app, ["render", *map(str, arguments), "--threads", "1"])


def render(*arguments):
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    return result


def refusal(*arguments) -> str:
    result = run(*arguments)
    assert result.exit_code == 2, result.stdout
    return " ".join(result.stderr.split())


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def fit(ball_views, tmp_path):
    """Checkpoint of a fit of the ball's views before its first step, which is the ball; colours are near grey."""
    frame = WorldToUnit(tuple(CENTER.tolist()), SCALE)
    generator = torch.Generator().manual_seed(1)
    field_config = FieldConfig(grid=GridConfig(levels=2, finest_resolution=24))
    radiance_config = RadianceConfig(grid=RadianceGridConfig(levels=2, finest_resolution=24, log2_table_size=12))
    field = build_field(field_config, generator)
    cameras = read_views(ball_views).cameras.in_frame(frame).to("cpu", torch.float32)
    appearance = Appearance(build_radiance(radiance_config, 0, generator), cameras)
    config = {"field": field_config.model_dump(mode="json"), "radiance": radiance_config.model_dump(mode="json")}
    path = tmp_path / "fit" / "checkpoint.pt"
    path.parent.mkdir()
    save_checkpoint(path, Checkpoint("fit-mvr", 7, config, frame, field.state_dict(), tensors=appearance.tensors()))
    return path


@pytest.fixture
def scan(fit, tmp_path):
    """The same of a scan."""
    stored = torch.load(fit, weights_only=True)
    stored["config"].pop("radiance")
    path = tmp_path / "scan.pt"
    torch.save({**stored, "command": "fit-points", "tensors": {}}, path)
    return path


def images(folder, name):
    parts = ("color", "normals", "depth", "mask")
    return [imageio.imread(folder / part / f"{name}.png") for part in parts]


def back_projected(folder, view):
    """World points (N, 3) and rows and columns of the pixels of the object."""
    record = json.loads((folder / "render.json").read_text())
    camera = record["views"][view]
    depth = images(folder, camera["name"])[2].astype(float) * record["depth_unit"]
    row, column = np.nonzero(depth)
    z = depth[row, column]
    local = np.linalg.solve(camera["intrinsics"], np.stack([column * z, row * z, z]))
    return (local - np.array(camera["translation"])[:, None]).T @ camera["rotation"], row, column


def test_depths_lie_on_the_surface_and_masks_are_the_silhouettes(fit, ball_views, tmp_path):
    folder = tmp_path / "out"
    summary = json.loads(render(fit.parent, "-o", folder, "--only", "0,5,11", "--json").stdout)
    assert (summary["path"], summary["views"], summary["video"]) == (str(folder), 3, None)
    assert sorted(path.name for path in (folder / "color").iterdir()) == ["000.png", "005.png", "011.png"]
    fitted, views = FittedField.load(fit, torch.device("cpu")), read_views(ball_views)
    for number, view in enumerate((0, 5, 11)):
        color, normals, depth, mask = images(folder, f"{view:03d}")
        assert (color.dtype, color.shape, depth.dtype) == (np.uint8, (120, 120, 3), np.uint16)
        expected = views.mask(view)
        assert set(np.unique(mask)) == {0, 255}
        assert (expected & (mask > 0)).sum() / (expected | (mask > 0)).sum() > 0.95
        for part in (color, normals):
            assert not part[mask == 0].any()
        np.testing.assert_array_equal(depth > 0, mask > 0)
        points, row, column = back_projected(folder, number)
        values, gradients = fitted.field.value_and_gradient(fitted.frame.to_unit(points))
        assert values.abs().max() / SCALE < 2 * summary["depth_unit"]
        pixels, _ = views.cameras.select([view]).project(torch.from_numpy(points))
        assert np.abs(pixels[0].numpy() - np.stack([column, row], axis=1)).max() < 1e-3  # the cameras are the files'
        outward = torch.nn.functional.normalize(gradients, dim=1).detach().numpy()
        shown = normals[row, column] / 127.5 - 1
        assert np.abs(shown - outward).max() < 1.5 / 127.5
        assert ((points - CENTER) * shown).sum(axis=1).min() > 0.95 * RADIUS


def test_views_of_a_folder_are_called_as_its_images_and_have_any_size(fit, ball_views, tmp_path):
    folder = tmp_path / "out"
    for number, image in enumerate(sorted((ball_views / "image").iterdir())):
        image.rename(image.with_name(f"photo{number:02d}.png"))
    for mask in (ball_views / "mask").iterdir():
        mask.unlink()  # they are not needed
    render(fit, "--views", ball_views, "--size", 60, 60, "--only", "3", "-o", folder)
    mask = images(folder, "photo03")[3]
    assert mask.shape == (60, 60)
    row, column = np.nonzero(mask)
    assert (row.mean(), column.mean()) == pytest.approx((29.5, 29.5), abs=0.1)
    assert mask.mean() / 255 == pytest.approx(np.pi * 36.74**2 / 120**2, rel=0.05)


def test_an_orbit_is_a_video_of_the_object_in_the_middle(fit, tmp_path):
    folder = tmp_path / "out"
    assert "4 views, orbit.gif" in render(fit, "--orbit", 4, "--size", 96, 64, "-o", folder).stdout
    frames = imageio.imread(folder / "orbit.gif")
    assert frames.shape == (4, 64, 96, 3)
    for view in range(4):
        color, _, _, mask = images(folder, f"{view:03d}")
        assert np.abs(frames[view].astype(int) - color).mean() < 4
        row, column = np.nonzero(mask)
        assert (row.mean(), column.mean()) == pytest.approx((31.5, 47.5), abs=0.2)
    centers = [
        -np.array(view["rotation"]).T @ view["translation"]
        for view in json.loads((folder / "render.json").read_text())["views"]
    ]
    np.testing.assert_allclose(np.mean([np.linalg.norm(center - CENTER) for center in centers]), 50, rtol=1e-4)


def test_a_scan_is_grey_and_has_no_cameras_of_its_own(scan, ball_views, tmp_path):
    assert "say from where to look with --orbit N or --views DIR" in refusal(scan, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    for number, arguments in enumerate((["--orbit", 3, "--size", 64, 48], ["--views", ball_views, "--only", "0"])):
        render(scan, *arguments, "-o", tmp_path / str(number))
        color, _, _, mask = images(tmp_path / str(number), "000")
        height, width = mask.shape
        assert (color == color[..., :1]).all()
        assert color[height // 2, width // 2, 0] == pytest.approx(0.9 * 255, abs=3)
        assert color[mask > 0].min() >= 0.15 * 255 - 1
    rows = np.flatnonzero(images(tmp_path / "0", "000")[3].any(axis=1))
    assert 0.8 < (rows[-1] - rows[0] + 1) / 48 < 1  # a scan fills the orbit's images


def test_only_own_files_are_replaced(fit, tmp_path):
    folder = tmp_path / "out"
    render(fit, "--only", "0,1", "-o", folder)
    (folder / "color" / "mine.png").write_text("mine")
    before = contents(folder)
    assert "holds rendered images already; add --overwrite" in refusal(fit, "--only", "1", "-o", folder)
    assert contents(folder) == before
    render(fit, "--only", "1,2", "-o", folder, "--overwrite")
    assert {path.name for path in (folder / "color").iterdir()} == {"001.png", "002.png", "mine.png"}
    (folder / "depth" / "003.png").write_text("mine")
    before = contents(folder)
    sentence = refusal(fit, "--only", "3", "-o", folder, "--overwrite")
    assert "003.png' was not written by render and will not be replaced" in sentence
    assert contents(folder) == before


def test_other_files_keep_a_folder_from_being_used(fit, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "color").write_text("a file")
    assert "is not empty; add --overwrite" in refusal(fit, "--only", "0", "-o", tmp_path / "out")
    assert "color' was not written by render" in refusal(fit, "--only", "0", "-o", tmp_path / "out", "--overwrite")


def test_mp4_without_its_plugin_is_refused_before_the_work(tmp_path, monkeypatch):
    monkeypatch.setattr("isopts.data.video.find_spec", lambda name: None)
    sentence = refusal("no_such_run", "--orbit", 3, "--video", "a.mp4", "-o", tmp_path / "out")
    assert "needs imageio's ffmpeg plugin, which is not installed; pip install imageio-ffmpeg" in sentence


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["--orbit", 3, "--views", "."], "give one of them"),
        (["--format", "idr"], "give --views too"),
        (["--views", ".", "--format", "no"], "idr"),
        (["--video", "a.gif"], "give --orbit too"),
        (["--orbit", 3, "--video", "a/b.gif"], "a name without folders"),
        (["--orbit", 3, "--video", "a.avi"], "ends in .gif or .mp4"),
        (["--size", 8, 100], "from 16 to 16384 pixels"),
        (["--only", "0,x"], "--only 0,x: expected numbers of views"),
        (["--only", "12"], "The view 12 does not exist; the views are 0 ... 11."),
        (["--only", ","], "give at least one number"),
        (["--views", "no_such_folder"], "does not exist; expected a folder of posed images"),
    ],
)
def test_bad_arguments_are_one_sentence_and_nothing_is_written(fit, tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    assert sentence in refusal(fit, *arguments, "-o", "out")
    assert not (tmp_path / "out").exists()


def test_a_field_without_a_surface_writes_nothing(fit, tmp_path):
    stored = torch.load(fit, weights_only=True)
    stored["field"]["output_bias"] += 5
    torch.save(stored, fit)
    assert "no surface" in refusal(fit, "-o", tmp_path / "out")
    assert not (tmp_path / "out").exists()
