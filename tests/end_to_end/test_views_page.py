"""The page that tests/benchmarks/views_methods.py writes."""

from pathlib import Path

import imageio.v3 as imageio
import numpy as np
import pytest
import trimesh

from isopts.data.meshes import write_mesh
from isopts.geometry.triangle_mesh import TriangleMesh

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    monkeypatch.syspath_prepend(str(BENCHMARKS))


def test_medians_pictures_and_what_is_missing():
    from views.page import page

    runs = [{"chamfer_l1_mean": value, "seconds": 60.0} for value in (0.004, 0.001, 0.002)]
    results = {("skull", "rays", 50.0): runs, ("skull", "all", 50.0): [], ("vase", "all", 50.0): runs[:1]}
    text = page(results, "s", "Here.", "1 cm", lambda place: f"{place[0]}_{place[1]}.png", plotted=True)
    assert "| rays | 50 | 2 | 60 |" in text
    assert "| all | 50 | - | - |" in text
    assert "| all | 50 | 4 | 60 |" in text
    assert "| rays | ![rays](skull_rays.png) |" in text
    assert "| all | - |" in text
    assert "![chamfer distance against time](vase_accuracy.png)" in text
    assert text.count("## ") == 2


def test_a_result_is_red_where_it_is_wrong(tmp_path):
    from views.pictures import error_picture

    ball = trimesh.creation.icosphere(subdivisions=4)
    vertices, faces = np.asarray(ball.vertices), np.asarray(ball.faces)
    dented = vertices * np.where(vertices[:, :1] > 0.3, 0.95, 1.0)
    write_mesh(tmp_path / "true.ply", TriangleMesh(vertices, faces))
    write_mesh(tmp_path / "found.ply", TriangleMesh(dented, faces))
    error_picture(tmp_path / "found.ply", tmp_path / "true.ply", tmp_path / "x.png", (0, -1, 0), (0, 0, 1), 0.02)
    picture = imageio.imread(tmp_path / "x.png").astype(int)
    height, width = picture.shape[:2]
    assert width == 2 * height
    red = picture[..., 0] > 2 * picture[..., 1]
    for panel in np.split(red, 2, axis=1):
        assert panel[height // 2, int(0.75 * height)]
        assert not panel[:, : height // 2].any()
