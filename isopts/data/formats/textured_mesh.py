"""Textured meshes as GLB, and as OBJ with a material and a picture beside it, through trimesh."""

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from isopts.geometry.textured_mesh import TexturedMesh

if TYPE_CHECKING:  # half a second to import
    import PIL.Image

TEXTURED_FORMATS = (".glb", ".obj")


def textured_mesh_files(path: Path) -> list[Path]:
    """What a textured mesh at `path` consists of: itself, and beside an OBJ its material and its picture."""
    if path.suffix.lower() != ".obj":
        return [path]
    name = "_".join(path.stem.split())  # an OBJ names its files in a list, with spaces in between
    return [path, path.with_name(f"{name}.mtl"), path.with_name(f"{name}.png")]


def encode_textured_mesh(mesh: TexturedMesh, path: Path) -> list[bytes]:
    """The contents of `textured_mesh_files(path)`.

    Positions keep double precision: an OBJ as decimal text, a GLB through the node's translation. Colours show as they
    are: a GLB's material is unlit (KHR_materials_unlit; rough and not metallic for viewers that do not know it).
    """
    from PIL import Image

    picture = Image.fromarray(mesh.picture)
    return _obj(mesh, picture, path) if path.suffix.lower() == ".obj" else [_glb(mesh, picture)]


def _glb(mesh: TexturedMesh, picture: "PIL.Image.Image") -> bytes:
    import trimesh
    from trimesh.visual.material import PBRMaterial

    material = PBRMaterial(baseColorTexture=picture, metallicFactor=0.0, roughnessFactor=1.0)
    vertices = mesh.mesh.vertices
    center = (vertices.min(axis=0) + vertices.max(axis=0)) / 2
    exported = trimesh.Trimesh(
        vertices - center,
        mesh.mesh.faces,
        vertex_normals=mesh.mesh.normals,
        visual=trimesh.visual.TextureVisuals(mesh.coordinates, material),
        process=False,
    )
    scene = trimesh.Scene()
    scene.add_geometry(exported, transform=trimesh.transformations.translation_matrix(center))
    return scene.export(file_type="glb", tree_postprocessor=_unlit)


def _unlit(tree: dict[str, Any]) -> None:
    """trimesh has no unlit materials."""
    for material in tree["materials"]:
        material["extensions"] = {"KHR_materials_unlit": {}}
    tree["extensionsUsed"] = ["KHR_materials_unlit"]


def _obj(mesh: TexturedMesh, picture: "PIL.Image.Image", path: Path) -> list[bytes]:
    """Text of our own: trimesh names the picture after the material, not after the file, and cuts off small digits."""
    _, material, image = (file.name for file in textured_mesh_files(path))
    text = io.StringIO()
    text.write(f"mtllib {material}\nusemtl surface\n")
    np.savetxt(text, mesh.mesh.vertices, fmt="v %.12g %.12g %.12g")
    np.savetxt(text, mesh.coordinates, fmt="vt %.6f %.6f")
    np.savetxt(text, mesh.mesh.normals, fmt="vn %.4f %.4f %.4f")
    corners = np.repeat(mesh.mesh.faces + 1, 3, axis=1)
    np.savetxt(text, corners, fmt=" ".join(["f %d/%d/%d", "%d/%d/%d", "%d/%d/%d"]))
    properties = "newmtl surface\nKa 0 0 0\nKd 1 1 1\nKs 0 0 0\nillum 1\n"
    content = io.BytesIO()
    picture.save(content, format="png")
    return [text.getvalue().encode(), f"{properties}map_Kd {image}\n".encode(), content.getvalue()]
