"""Write a textured mesh, complete or not at all."""

from contextlib import ExitStack
from pathlib import Path

from isopts.data.formats.textured_mesh import encode_textured_mesh, textured_mesh_files
from isopts.geometry.textured_mesh import TexturedMesh
from isopts.run.atomic import replacing


def write_textured_mesh(path: Path, mesh: TexturedMesh) -> None:
    """GLB, or OBJ with its material and picture beside it; the OBJ appears last. Raises InputError."""
    contents = encode_textured_mesh(mesh, path)
    with ExitStack() as stack:
        temporaries = [stack.enter_context(replacing(file)) for file in textured_mesh_files(path)]
        for temporary, content in zip(temporaries, contents, strict=True):
            temporary.write_bytes(content)
