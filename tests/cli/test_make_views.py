import json

import imageio.v3 as imageio
import numpy as np
import pytest
import torch
import trimesh
from typer.testing import CliRunner

from isopts.cli import views_folder
from isopts.cli.app import app
from isopts.data.meshes import read_mesh, write_mesh
from isopts.data.synthetic_shapes import SHAPES, sphere
from isopts.data.views import read_views
from isopts.evaluate.silhouettes import silhouette_agreement
from isopts.geometry.triangle_mesh import TriangleMesh

SMALL = ("--views", 4, "--size", 64, 48, "--threads", 1)
OFFSET = np.array([4.5e5, 5.4e6, 310.0])


def run(*arguments):
    return CliRunner().invoke(app, ["make-views", *map(str, arguments)])


def make(*arguments):
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    return result


def contents(folder):
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def figure(tmp_path, monkeypatch):
    """figure.ply: two balls joined by a bar, 50 m long, at geo-referenced coordinates."""
    monkeypatch.chdir(tmp_path)
    parts = [trimesh.creation.icosphere(subdivisions=3, radius=radius) for radius in (10.0, 6.0)]
    parts.append(trimesh.creation.box((30.0, 4.0, 2.0)))
    for part, shift in zip(parts, (-15, 15, 0), strict=True):
        part.apply_translation([shift, 0, 0])
    whole = trimesh.util.concatenate(parts)
    write_mesh("figure.ply", TriangleMesh(np.asarray(whole.vertices) + OFFSET, np.asarray(whole.faces)))
    return tmp_path


def seen_points(folder, views, points, tolerance):
    """For each view pixels (N, 2) int, nearest, and which points are on the surface that the depth image shows."""
    pixels, depths = views.cameras.project(torch.from_numpy(points))
    for view in range(len(views)):
        column, row = pixels[view].round().long().T.numpy()
        shown = np.load(folder / "depth" / f"{view:03d}.npy")[row, column]
        yield row, column, np.abs(shown - depths[view].numpy()) < tolerance, shown - depths[view].numpy()


def test_depths_masks_and_reference_of_a_far_mesh_agree(figure):
    make("figure.ply", "-o", "views", "--views", 8, "--size", 320, 240, "--threads", 1)
    views, reference = read_views("views"), read_mesh("views/reference.ply")
    original = read_mesh("figure.ply")
    np.testing.assert_array_equal(reference.vertices, original.vertices)
    assert (views.format, len(views), views.cameras.sizes[0].tolist()) == ("idr", 8, [320, 240])
    offset = np.array(views.region.center) - OFFSET
    assert np.abs(offset - [-2, 0, 0]).max() < 0.05
    assert views.region.radius == pytest.approx(1.1 * 23, rel=0.01)
    masks = [views.mask(view) for view in range(8)]
    assert min(mask.mean() for mask in masks) > 0.05
    for agreement in silhouette_agreement(reference, views.cameras, masks, 10**6):
        assert agreement.iou > 0.999
    for _, _, _, behind in seen_points(figure / "views", views, reference.vertices, 0.5):
        assert np.mean(np.abs(behind) < 0.5) > 0.3  # half a pixel on a slope
        inside = behind[np.abs(behind) < 30]
        assert np.mean(inside > 0.5) < 0.02  # no vertex is in front of the surface that is seen, but at the border


def test_a_ball_has_the_depth_of_its_formula(figure):
    make("sphere", "-o", "ball", *SMALL, "--no-texture")
    views = read_views("ball")
    for view in range(4):
        row, column = np.nonzero(views.mask(view))
        pixels = torch.from_numpy(np.stack([column, row], axis=1))
        origins, directions = views.cameras.rays(torch.full((len(row),), view), pixels.double())
        depth = torch.from_numpy(np.load(f"ball/depth/{view:03d}.npy")[row, column]).double()
        along = depth / (directions @ views.cameras.viewing_directions()[view])
        points = origins + along[:, None] * directions
        assert np.abs(sphere(points.numpy())).max() < 1e-3
    assert np.abs(sphere(read_mesh("ball/reference.ply").vertices)).max() < 1e-6


@pytest.mark.parametrize(("lights", "changes"), [(["--fixed-lights"], False), ([], True)])
def test_fixed_lights_show_a_point_in_one_color_and_others_do_not(figure, lights, changes):
    ball = trimesh.creation.icosphere(subdivisions=5)
    write_mesh("ball.ply", TriangleMesh(np.asarray(ball.vertices), np.asarray(ball.faces)))
    make("ball.ply", "-o", "views", "--views", 20, "--size", 240, 180, "--threads", 1, "--no-texture", *lights)
    views = read_views("views")
    points = read_mesh("views/reference.ply").vertices[::5]
    colors, seen = np.zeros((20, len(points), 3)), np.zeros((20, len(points)), bool)
    centers = views.cameras.centers().numpy()
    for view, (row, column, visible, _) in enumerate(seen_points(figure / "views", views, points, 0.06)):
        toward = centers[view] - points
        facing = np.sum(toward * points, axis=1) / np.linalg.norm(toward, axis=1) > 0.4
        colors[view], seen[view] = views.image(view)[row, column], visible & facing
    often = seen.sum(axis=0) >= 3
    assert often.mean() > 0.5
    spread = np.array([np.ptp(colors[seen[:, point], point], axis=0).max() for point in np.flatnonzero(often)])
    assert (np.median(spread) > 40) == changes
    assert (np.percentile(spread, 95) < 12) != changes  # a pixel's middle is not the point: a few grey values


def test_same_seed_same_bytes_whatever_the_threads(figure):
    for name, seed, threads in (("first", 3, 1), ("second", 3, 2), ("third", 4, 1)):
        make("figure.ply", "-o", name, *SMALL[:-2], "--seed", seed, "--threads", threads)
    first, second, third = (contents(figure / name) for name in ("first", "second", "third"))
    assert first == second
    assert {"cameras.npz", "image/000.png", "mask/003.png", "depth/002.npy", "reference.ply"} < set(first)
    assert first["image/000.png"] != third["image/000.png"]
    assert first["cameras.npz"] != third["cameras.npz"]


def test_texture_lights_and_cameras_are_chosen(figure):
    ball = trimesh.creation.icosphere(subdivisions=3)
    colors = np.tile(np.array([[200, 100, 0]], np.uint8), (len(ball.vertices), 1))
    write_mesh("orange.ply", TriangleMesh(np.asarray(ball.vertices), np.asarray(ball.faces), None, colors))
    make("orange.ply", "-o", "plain", *SMALL, "--no-texture")
    make("orange.ply", "-o", "textured", *SMALL, "--texture")
    make("orange.ply", "-o", "lamps", *SMALL, "--no-texture", "--lights", "point")
    make("orange.ply", "-o", "above", *SMALL, "--half-sphere", "--up", "y", "--distance", 5, 5)
    plain, textured, lamps = (read_views(name).image(0).astype(int) for name in ("plain", "textured", "lamps"))
    assert plain[..., 2].max() == 0
    assert plain[..., 0].max() > 100
    assert textured[..., 2].max() > 50
    assert np.abs(lamps - plain).max() > 5
    np.testing.assert_array_equal(read_views("plain").mask(0), read_views("textured").mask(0))
    centers = read_views("above").cameras.centers()
    assert centers[:, 1].min() > 0
    assert centers.norm(dim=1).numpy() == pytest.approx(5, rel=1e-3)


def test_an_unfinished_folder_has_no_cameras(figure, monkeypatch):
    make("figure.ply", "-o", "views", *SMALL)

    def fail(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr(views_folder, "write_idr_view", fail)
    assert run("figure.ply", "-o", "views", *SMALL, "--overwrite").exit_code == 130
    assert set(contents(figure / "views")) == {"make_views.json"}
    monkeypatch.undo()
    monkeypatch.chdir(figure)
    make("figure.ply", "-o", "views", *SMALL, "--overwrite")
    assert len(read_views("views")) == 4


def test_only_its_own_files_are_replaced(figure):
    folder = figure / "views"
    folder.mkdir()
    (folder / "notes.txt").write_text("keep")
    assert "'views' is not empty; add --overwrite" in run("figure.ply", "-o", "views", *SMALL).stderr
    make("figure.ply", "-o", "views", *SMALL, "--views", 6, "--overwrite")
    assert "'views' holds views already; add --overwrite" in run("figure.ply", "-o", "views", *SMALL).stderr
    make("figure.ply", "-o", "views", *SMALL, "--overwrite")
    assert (folder / "notes.txt").read_text() == "keep"
    assert sorted(path.name for path in (folder / "image").iterdir()) == [f"{view:03d}.png" for view in range(4)]
    assert json.loads((folder / "make_views.json").read_text())["views"] == 4


@pytest.mark.parametrize("name", ["image/photograph.png", "cameras_sphere.npz", "cameras.npz", "reference.ply"])
def test_what_somebody_else_made_is_never_replaced(figure, name):
    file = figure / "scan" / name
    file.parent.mkdir(parents=True)
    imageio.imwrite(figure / "picture.png", np.zeros((4, 4, 3), np.uint8))
    file.write_bytes((figure / "picture.png").read_bytes())
    before = contents(figure)
    result = run("figure.ply", "-o", "scan", *SMALL, "--overwrite")
    assert result.exit_code == 2
    assert f"'scan/{name}' was not written by make-views" in result.stderr
    assert contents(figure) == before


def test_the_help_names_every_shape():
    text = " ".join(run("--help").stdout.replace("│", " ").split())
    assert [shape for shape in SHAPES if shape not in text] == []


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["teapot"], "'teapot' is neither a mesh nor a shape; give a file that ends in .ply"),
        (["absent.ply"], "'absent.ply' is not a file"),
        (["points.ply"], "has points but no faces"),
        (["flat.ply"], "has all its vertices in one place"),
        (["broken.ply"], "has vertices that are not finite"),
        (["figure.ply", "--views", 2], "--views"),
        (["figure.ply", "--size", 8, 48], "'cameras.size.0': input should be greater than or equal to 16, got 8"),
        (["figure.ply", "--distance", 3, 2], "distance 3 2: expected the least and the largest one, both above 1"),
        (["figure.ply", "--lights", "neon"], "'lights': input should be 'directional' or 'point', got 'neon'"),
        (["figure.ply", "--up", "w"], "'cameras.up': input should be 'x', 'y' or 'z', got 'w'"),
        (["figure.ply", "-o", "figure.ply"], "Cannot write into 'figure.ply'"),
    ],
)
def test_mistakes_are_one_sentence_and_leave_nothing(figure, arguments, expected):
    corners = np.array([[0.0, 0, 0], [1, 0, 0], [0, 1, 0]])
    faces = np.array([[0, 1, 2]])
    write_mesh("points.ply", TriangleMesh(corners, faces[:0]))
    write_mesh("flat.ply", TriangleMesh(np.ones((3, 3)), faces))
    write_mesh("broken.ply", TriangleMesh(np.where(corners == 1, np.nan, corners), faces))
    before = contents(figure)
    result = run("-o", "views", *arguments)
    assert result.exit_code == 2
    assert expected in " ".join(result.stderr.replace("│", " ").split())
    assert contents(figure) == before
    assert not (figure / "views").exists()
