"""A mesh laid out in the plane."""

import sys

import numpy as np
import pytest
import torch
import trimesh

from isopts.errors import InputError
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.kernels.triangles import cast_rays
from isopts.mesh.unwrap import unwrap

SOLIDS = {
    "ball": trimesh.creation.icosphere(subdivisions=4),
    "cube": trimesh.creation.box().subdivide().subdivide().subdivide(),
}


@pytest.fixture(params=list(SOLIDS))
def mesh(request: pytest.FixtureRequest) -> TriangleMesh:
    solid = SOLIDS[request.param]
    offset = [5e5, -2e5, 10.0]
    return TriangleMesh(solid.vertices + offset, solid.faces, np.asarray(solid.vertex_normals, dtype=np.float32))


def test_every_face_is_laid_out_in_its_place_in_the_list(mesh: TriangleMesh) -> None:
    unwrapped = unwrap(mesh, 512)
    assert np.array_equal(unwrapped.sources[unwrapped.faces], mesh.faces)
    assert 0 <= unwrapped.coordinates.min() < unwrapped.coordinates.max() <= 1
    areas = np.abs(_areas(unwrapped.coordinates[unwrapped.faces]))
    assert areas.min() > 0
    stretch = areas / mesh.face_areas()
    assert stretch.max() / stretch.min() < 10  # no face is starved of texels


def test_no_faces_overlap(mesh: TriangleMesh) -> None:
    """A ray through any face's middle meets that face, however the faces are turned in depth."""
    unwrapped = unwrap(mesh, 512)
    corners = unwrapped.coordinates[unwrapped.faces]
    total = np.abs(_areas(corners)).sum()
    assert 0.2 < total < 1
    flat = np.concatenate([unwrapped.coordinates, np.zeros((len(unwrapped.coordinates), 1))], axis=1)
    weights = np.random.default_rng(0).dirichlet([2, 2, 2], size=len(corners))
    middles = np.einsum("fk,fkc->fc", weights, corners)
    for height, direction in ((1.0, -1.0), (-1.0, 1.0)):
        origins = np.column_stack([middles, np.full(len(middles), height)])
        rays = np.tile([0.0, 0.0, direction], (len(middles), 1))
        hits = cast_rays(*(torch.from_numpy(part) for part in (origins, rays, flat, unwrapped.faces)))
        assert (hits.faces.numpy() == np.arange(len(middles))).mean() > 0.999  # on an edge, its neighbour is hit
    grid = (np.arange(400) + 0.5) / 400
    u, v = np.meshgrid(grid, grid)
    origins = np.column_stack([u.ravel(), v.ravel(), np.ones(u.size)])
    rays = np.tile([0.0, 0.0, -1.0], (u.size, 1))
    hits = cast_rays(*(torch.from_numpy(part) for part in (origins, rays, flat, unwrapped.faces)))
    assert (hits.faces.numpy() >= 0).mean() == pytest.approx(total, rel=0.01)  # covered twice would be less


def test_without_xatlas_one_sentence_says_how_to_get_it(mesh: TriangleMesh, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xatlas", None)
    with pytest.raises(InputError, match="pip install xatlas"):
        unwrap(mesh, 512)


def _areas(corners: np.ndarray) -> np.ndarray:
    (ax, ay), (bx, by) = (corners[:, 1] - corners[:, 0]).T, (corners[:, 2] - corners[:, 0]).T
    return (ax * by - ay * bx) / 2
