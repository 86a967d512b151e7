"""The folder of rendered images: which files are in it, and which of them may be replaced."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from isopts.data.pictures import read_picture, write_picture
from isopts.data.video import write_video
from isopts.errors import InputError
from isopts.render.image_codes import encode_colors, encode_depths, encode_mask, encode_normals
from isopts.render.view_image import ViewImage
from isopts.run.atomic import replacing, require_writable_folder

RECORD_FILE = "render.json"
IMAGE_FOLDERS = ("color", "normals", "depth", "mask")


@dataclass(frozen=True)
class RenderFolder:
    """Images of the views `names`, and a video where it has a name. `check` it, `start`, add the views, then the video.
    render.json says what was written, so that nothing else is replaced."""

    path: Path
    names: list[str]
    video: str | None = None

    def check(self, overwrite: bool) -> None:
        """Raise the InputError that keeps the images from being written; changes nothing."""
        require_writable_folder(self.path)
        if not self.path.is_dir() or not any(self.path.iterdir()):
            return
        if not overwrite:
            state = "holds rendered images already" if (self.path / RECORD_FILE).exists() else "is not empty"
            raise InputError(
                f"'{self.path}' {state}; add --overwrite to replace what render wrote there and keep the rest, or "
                "choose another folder with -o."
            )
        for name in sorted({*_files(self.names, self.video), *IMAGE_FOLDERS} - set(self._recorded())):
            if (self.path / name).exists() and not (name in IMAGE_FOLDERS and (self.path / name).is_dir()):
                raise InputError(
                    f"'{self.path / name}' was not written by render and will not be replaced; choose another folder "
                    "with -o, or move it away."
                )

    def start(self, record: dict[str, Any]) -> None:
        """Create the folder, or remove the images in it; then say what is going to be there.
        record: has the `name` of each of the `views`."""
        for folder in IMAGE_FOLDERS:
            (self.path / folder).mkdir(parents=True, exist_ok=True)
        for name in self._recorded():
            (self.path / name).unlink(missing_ok=True)
        with replacing(self.path / RECORD_FILE) as path:
            path.write_text(json.dumps({**record, "video": self.video}, indent=2) + "\n", encoding="utf-8")

    def add(self, name: str, image: ViewImage, depth_unit: float) -> None:
        """Write a view; its depths count `depth_unit`, unit frame."""
        pictures = (
            encode_colors(image),
            encode_normals(image),
            encode_depths(image, depth_unit),
            encode_mask(image),
        )
        for file, picture in zip(_image_files(name), pictures, strict=True):
            with replacing(self.path / file) as path:
                write_picture(path, picture)

    def add_video(self) -> None:
        """The colours of all views, in their order, which are of one size."""
        with replacing(self.path / self.video) as path:
            write_video(path, self._colors())

    def _colors(self) -> Iterator[np.ndarray]:
        for name in self.names:
            yield read_picture(self.path / _image_files(name)[0])

    def _recorded(self) -> list[str]:
        """Files that an earlier run wrote, or was about to."""
        try:
            record = json.loads((self.path / RECORD_FILE).read_text(encoding="utf-8"))
            return [*_files([Path(view["name"]).name for view in record["views"]], record["video"])]
        except (OSError, ValueError, KeyError, TypeError):
            return []


def _files(names: list[str], video: str | None) -> Iterator[str]:
    if video is not None:
        yield Path(video).name
    for name in names:
        yield from _image_files(name)


def _image_files(name: str) -> list[str]:
    """Colour, normals, depth and mask of a view, relative to the folder."""
    return [f"{folder}/{name}.png" for folder in IMAGE_FOLDERS]
