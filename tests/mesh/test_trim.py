"""Open borders: where they run, what is filled and what is dropped."""

import numpy as np
import pytest
import trimesh
from scipy.spatial import cKDTree

from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.mesh.components import face_components
from isopts.mesh.trim import trim

BALL = trimesh.creation.icosphere(subdivisions=5)  # edges of 0.035
SPACING = 0.05
REACH = 2.5


def ball(data: np.ndarray, spacing: float = SPACING) -> TriangleMesh:
    """The unit sphere, trimmed to where `data` (N, 3) is."""
    clearances, _ = cKDTree(data).query(BALL.vertices)
    mesh = TriangleMesh(BALL.vertices, BALL.faces)
    return trim(mesh, clearances, np.full(len(clearances), spacing), REACH)


def random_data(seed: int = 0, share: float = 1.0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    data = generator.normal(size=(int(share * 4 * np.pi / SPACING**2), 3))
    return data / np.linalg.norm(data, axis=1, keepdims=True)


def test_a_complete_scan_stays_closed() -> None:
    mesh = ball(random_data())
    assert mesh.is_closed()
    assert len(mesh.faces) == len(BALL.faces)


@pytest.mark.parametrize("height", [0.0, 0.7])
def test_the_border_is_where_the_data_ends(height: float) -> None:
    data = random_data()
    mesh = ball(data[data[:, 2] < height])
    assert mesh.face_areas().sum() == pytest.approx(2 * np.pi * (1 + height), abs=2 * np.pi * SPACING)
    edge = np.sort(mesh.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    edges, count = np.unique(edge, axis=0, return_counts=True)
    rim = mesh.vertices[edges[count == 1]]
    assert np.abs(rim[..., 2] - height).max() < 2 * SPACING
    length = np.linalg.norm(rim[:, 0] - rim[:, 1], axis=1).sum()
    assert length == pytest.approx(2 * np.pi * np.sqrt(1 - height**2), rel=0.05)  # a ragged one is 30 % longer


def test_gaps_narrower_than_twice_the_reach_are_filled_and_wider_ones_are_not() -> None:
    data = random_data()
    angles = np.arccos(data[:, 2])
    assert ball(data[angles > 1.7 * SPACING]).is_closed()
    assert not ball(data[angles > 4.5 * SPACING]).is_closed()


def test_the_spacing_is_the_unit() -> None:
    data = random_data()
    data = data[np.arccos(data[:, 2]) > 4.5 * SPACING]
    assert ball(data, 2 * SPACING).is_closed()


def test_small_islands_go_and_large_ones_stay() -> None:
    data = random_data()
    angles = np.arccos(data[:, 2])
    few, many = (ball(data[(angles > 1.5) | (angles < size * SPACING)]) for size in (1.5, 4.0))
    assert face_components(few).max() == 0
    assert face_components(many).max() == 1


def test_the_back_of_a_thin_sheet_goes() -> None:
    box = trimesh.creation.box(extents=(1, 1, 0.02)).subdivide_to_size(0.04)
    box.merge_vertices()
    front = box.vertices[:, 2] > 0
    sheet = trim(TriangleMesh(box.vertices, box.faces), np.where(front, 0.0, np.inf), np.full(len(front), 0.02), REACH)
    assert sheet.face_areas().sum() == pytest.approx(1, rel=0.1)  # the whole is 2.1
    assert sheet.vertices[:, 2].max() == pytest.approx(0.01)


def test_far_from_all_data_nothing_is_left() -> None:
    mesh = ball(np.array([[9.0, 9, 9]]))
    assert len(mesh.faces) == 0
    assert len(trim(mesh, np.zeros(0), np.zeros(0), REACH).faces) == 0
