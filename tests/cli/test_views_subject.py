import numpy as np
import torch

from isopts.cli.views_subject import read_subject
from isopts.data.synthetic_shapes import SHAPES, unit_gradients
from isopts.render.synthetic_view import SurfaceHits


def test_normals_of_a_shape_are_those_of_its_formula():
    """Anywhere on the faces, on the fillets too."""
    subject = read_subject("flange")
    surface = subject.surface(None)
    generator = np.random.default_rng(0)
    faces = torch.from_numpy(generator.integers(0, len(subject.mesh.faces), size=20_000))
    weights = torch.from_numpy(generator.dirichlet(np.ones(3), size=20_000)).float()
    corners = surface.mesh.positions[surface.mesh.corners[faces].long()]
    hits = SurfaceHits((corners * weights[..., None]).sum(dim=1), faces, weights)
    found = surface.normals(hits)
    expected = unit_gradients(SHAPES["flange"], subject.sphere.frame().to_world(hits.points))
    angles = np.rad2deg(2 * np.arcsin(np.linalg.norm(found.numpy() - expected, axis=1) / 2))
    assert np.percentile(angles, 99) < 0.5
    assert np.percentile(angles, 99.9) < 2


def test_the_sphere_is_around_the_surface_that_the_faces_make():
    subject = read_subject("torus")
    assert np.allclose(subject.sphere.center, 0, atol=1e-3)
    assert abs(subject.sphere.radius - 0.75) < 1e-3
    vertices = subject.surface(None).mesh.positions
    assert abs(float(vertices.norm(dim=1).max()) - 1) < 1e-5
