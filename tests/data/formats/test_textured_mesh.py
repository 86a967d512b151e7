"""Textured meshes through other people's reader."""

import io
from pathlib import Path

import numpy as np
import pytest
import trimesh
from PIL import Image

from isopts.data.formats.textured_mesh import encode_textured_mesh, textured_mesh_files
from isopts.geometry.textured_mesh import TexturedMesh
from isopts.geometry.triangle_mesh import TriangleMesh

OFFSET = np.array([5e5 + 0.0123, 5.4e6 + 0.4567, 310.0])
VERTICES = OFFSET + np.array([[0, 0, 0], [1, 0, 0.0123], [1, 1, 0], [0, 1, 0]])
COORDINATES = np.array([[0, 0], [1, 0], [1, 0.75], [0, 1.0]])


@pytest.fixture
def mesh() -> TexturedMesh:
    normals = np.tile(np.float32([0, 0, 1]), (4, 1))
    picture = np.random.default_rng(0).integers(0, 256, (16, 16, 3)).astype(np.uint8)
    return TexturedMesh(TriangleMesh(VERTICES, [[0, 1, 2], [0, 2, 3]], normals), COORDINATES, picture)


@pytest.mark.parametrize("name", ["two words.obj", "skull.OBJ", "skull.glb"])
def test_positions_coordinates_and_picture_come_back(mesh: TexturedMesh, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    for file, content in zip(textured_mesh_files(path), encode_textured_mesh(mesh, path), strict=True):
        file.write_bytes(content)
    scene = trimesh.load_scene(path, process=False)
    (geometry,) = scene.dump()
    corners = geometry.faces.ravel()
    np.testing.assert_allclose(geometry.vertices[corners], VERTICES[mesh.mesh.faces.ravel()], rtol=0, atol=2e-6)
    np.testing.assert_allclose(geometry.visual.uv[corners], COORDINATES[mesh.mesh.faces.ravel()], atol=1e-6)
    material = geometry.visual.material
    picture = material.baseColorTexture if path.suffix == ".glb" else material.image
    assert np.array_equal(np.asarray(picture.convert("RGB")), mesh.picture)


def test_a_glb_is_unlit_and_not_shiny(mesh: TexturedMesh) -> None:
    (content,) = encode_textured_mesh(mesh, Path("skull.glb"))
    header = trimesh.exchange.gltf.load_glb(io.BytesIO(content))
    assert header["geometry"]
    assert b'"extensionsUsed":["KHR_materials_unlit"]' in content
    assert b'"KHR_materials_unlit":{}' in content
    assert content.count(b'"metallicFactor":0') == 1
    assert content.count(b'"mimeType":"image/png"') == 1


def test_an_obj_names_its_files_without_spaces(mesh: TexturedMesh) -> None:
    path = Path("folder of runs") / "two words.obj"
    names = [file.name for file in textured_mesh_files(path)]
    assert names == ["two words.obj", "two_words.mtl", "two_words.png"]
    text, material, picture = encode_textured_mesh(mesh, path)
    assert text.startswith(b"mtllib two_words.mtl\n")
    assert material.endswith(b"map_Kd two_words.png\n")
    assert Image.open(io.BytesIO(picture)).size == (16, 16)
