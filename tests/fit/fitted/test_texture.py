"""The texture of a fit whose field and colours are known."""

import dataclasses

import numpy as np
import pytest
import torch
from torch import nn

from isopts.errors import InputError
from isopts.field.build import FieldConfig, build_field
from isopts.field.grid import GridConfig
from isopts.fit.fitted.appearance import Appearance
from isopts.fit.fitted.fitted_field import FittedField
from isopts.fit.fitted.texture import texture_mesh
from isopts.fit.views.image_stack import ImageStack
from isopts.geometry.cameras import Camera, Cameras
from isopts.geometry.frames import WorldToUnit
from isopts.geometry.texels import rasterize
from isopts.mesh.extract import MeshConfig

SIZE = 128
FRAME = WorldToUnit((5e5, -2e5, 10.0), 0.1)


class Place(nn.Module):
    """The colour of a point is its place."""

    def forward(self, points, normals, directions, features):
        return points + 0.5


def cameras() -> Cameras:
    """Six, along the axes, 61 pixels wide."""
    posed = []
    for axis in range(3):
        for sign in (1, -1):
            forward, right = np.zeros(3), np.zeros(3)
            forward[axis], right[(axis + 1) % 3] = -sign, 1
            rotation = np.stack([right, np.cross(forward, right), forward])
            intrinsics = np.array([[60.0, 0, 30], [0, 60, 30], [0, 0, 1]])
            posed.append(Camera(intrinsics, rotation, rotation @ forward * 3))
    return Cameras.stack(posed, [(61, 61)] * 6).to("cpu", torch.float32)


@pytest.fixture(scope="module")
def fitted() -> FittedField:
    field = build_field(FieldConfig(grid=GridConfig(levels=2, finest_resolution=24)), torch.Generator().manual_seed(1))
    return FittedField(field, FRAME, 1, "grid", appearance=Appearance(Place(), cameras()))


def grey_photographs(views: Cameras) -> ImageStack:
    """Of an evenly grey object; the lower half of each is not on the mask."""
    first = torch.arange(len(views)) * 61 * 61
    masks = torch.zeros((len(views), 61, 61), dtype=torch.bool)
    masks[:, :31] = True
    return ImageStack(torch.full((len(views) * 61 * 61, 3), 200, dtype=torch.uint8), masks.flatten(), first, views)


def shown_places(textured) -> tuple[torch.Tensor, np.ndarray]:
    """Picture's texels inside the faces, and the places (T, 3) of the unit frame that the mesh has there."""
    corners = np.stack([textured.coordinates[:, 0], 1 - textured.coordinates[:, 1]], axis=1) * SIZE - 0.5
    texels = rasterize(torch.from_numpy(corners[textured.mesh.faces]).float(), SIZE)
    vertices = (textured.mesh.vertices - np.array(FRAME.center)) * FRAME.scale
    places = np.einsum("tk,tkc->tc", texels.barycentric.numpy(), vertices[textured.mesh.faces[texels.faces.numpy()]])
    return texels.indices, places


def test_a_texel_has_the_colour_of_the_place_that_it_shows(fitted: FittedField) -> None:
    mesh = fitted.mesh(MeshConfig(resolution=32))
    textured = texture_mesh(fitted, mesh, SIZE)
    indices, places = shown_places(textured)
    assert len(indices) > SIZE * SIZE / 4
    colors = textured.picture.reshape(-1, 3)[indices] / 255
    assert np.abs(colors - (places + 0.5)).max() < 0.01  # a grey level, and the way to the zero set
    assert np.array_equal(textured.mesh.vertices[textured.mesh.faces], mesh.vertices[mesh.faces])


def test_texels_move_onto_the_zero_set(fitted: FittedField) -> None:
    textured = texture_mesh(fitted, fitted.mesh(MeshConfig(resolution=8)), SIZE)
    indices, places = shown_places(textured)
    moved = torch.from_numpy(textured.picture.reshape(-1, 3)[indices] / 255 - 0.5).float()
    before = fitted.field.value(torch.from_numpy(places).float()).abs().mean()
    assert before > 0.01
    assert fitted.field.value(moved).abs().mean() < 0.3 * before


def test_photographs_colour_what_they_show_and_the_network_the_rest(fitted: FittedField) -> None:
    mesh = fitted.mesh(MeshConfig(resolution=32))
    textured = texture_mesh(fitted, mesh, SIZE, grey_photographs(fitted.appearance.cameras))
    indices, places = shown_places(textured)
    colors = textured.picture.reshape(-1, 3)[indices].astype(int)
    grey = (colors == 200).all(axis=1)
    network = np.abs(colors / 255 - (places + 0.5)).max(axis=1) < 0.01
    assert (grey | network).all()
    assert 0.2 < grey.mean() < 0.95


def test_a_fit_that_looked_at_no_colours_has_no_texture(fitted: FittedField) -> None:
    appearance = dataclasses.replace(fitted.appearance, has_colors=False)
    with pytest.raises(InputError, match="no colours"):
        texture_mesh(dataclasses.replace(fitted, appearance=appearance), fitted.mesh(MeshConfig(resolution=8)), SIZE)


def test_a_fit_without_colours_has_no_texture(fitted: FittedField) -> None:
    scan = FittedField(fitted.field, FRAME, 1, "grid")
    with pytest.raises(InputError, match="no colours"):
        texture_mesh(scan, scan.mesh(MeshConfig(resolution=8)), SIZE)
