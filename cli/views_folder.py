"""The folder that `isopts make-views` writes: it looks finished only when it is."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from isopts.data.meshes import write_mesh
from isopts.data.view_formats.idr import CAMERA_FILES
from isopts.data.view_formats.idr_writer import (
    CAMERAS_FILE,
    VIEW_FOLDERS,
    idr_files,
    write_idr_cameras,
    write_idr_view,
)
from isopts.errors import InputError
from isopts.geometry.cameras import Cameras
from isopts.geometry.sphere import Sphere
from isopts.geometry.triangle_mesh import TriangleMesh
from isopts.render.synthetic_view import SyntheticView
from isopts.run.atomic import replacing, require_writable_folder

RECORD_FILE, REFERENCE_FILE = "make_views.json", "reference.ply"


@dataclass(frozen=True)
class ViewsFolder:
    """A folder for `count` views. `check` it, `start`, add the views, `finish`: cameras.npz is written last, and is
    the first to go when the views are replaced. make_views.json says what was written, so that nothing else is
    removed."""

    path: Path
    count: int

    def check(self, overwrite: bool) -> None:
        """Raise the InputError that keeps the views from being written; changes nothing."""
        require_writable_folder(self.path)
        if not self.path.is_dir() or not any(self.path.iterdir()):
            return
        if not overwrite:
            state = "holds views already" if (self.path / RECORD_FILE).exists() else "is not empty"
            raise InputError(
                f"'{self.path}' {state}; add --overwrite to replace what make-views wrote there and keep the rest, or "
                "choose another folder with -o."
            )
        if foreign := sorted(self._present() - set(self._recorded())):
            raise InputError(
                f"'{self.path / foreign[0]}' was not written by make-views and will not be replaced; choose another "
                "folder with -o, or move it away."
            )

    def start(self, record: dict[str, Any]) -> None:
        """Create the folder, or remove the views in it; then say what is going to be there."""
        self.path.mkdir(parents=True, exist_ok=True)
        for name in self._recorded():
            (self.path / name).unlink(missing_ok=True)
        with replacing(self.path / RECORD_FILE) as path:
            path.write_text(json.dumps({"views": self.count, **record}, indent=2) + "\n", encoding="utf-8")

    def add(self, number: int, view: SyntheticView, depth_unit: float) -> None:
        """Write a view whose depths count `depth_unit` world units."""
        write_idr_view(self.path, number, self.count, view.image, view.mask, view.depth * depth_unit)

    def finish(self, cameras: Cameras, region: Sphere, reference: TriangleMesh, comment: str) -> None:
        """Write the exact surface and, last, the cameras."""
        with replacing(self.path / REFERENCE_FILE) as path:
            write_mesh(path, reference, comment)
        with replacing(self.path / CAMERAS_FILE) as path:
            write_idr_cameras(path, cameras, region)

    def _recorded(self) -> list[str]:
        """Files that an earlier run of make-views wrote, or was about to."""
        try:
            count = json.loads((self.path / RECORD_FILE).read_text(encoding="utf-8"))["views"]
            return [*idr_files(int(count)), REFERENCE_FILE]
        except (OSError, ValueError, KeyError, TypeError):
            return []

    def _present(self) -> set[str]:
        """Files where views are looked for, or where they will be written."""
        names = {name for name in (*CAMERA_FILES, REFERENCE_FILE) if (self.path / name).exists()}
        for folder in VIEW_FOLDERS:
            if (self.path / folder).is_dir():
                names |= {f"{folder}/{file.name}" for file in (self.path / folder).iterdir()}
            elif (self.path / folder).exists():
                names.add(folder)
        return names
