"""The run folder: the only thing that commands share."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from isopts.errors import InputError
from isopts.run.alone import alone_in
from isopts.run.log import read_log
from isopts.run.record import RunRecord, read_record, write_record

_FILES = (
    "config.yml",
    "log.jsonl",
    "checkpoint.pt",
    "isopoints.ply",
    "mesh.ply",
    "metrics.json",
    "preview.png",
    "views.png",
    "cameras.npz",
)
_STEP_FOLDERS = ("isopoints", "meshes", "previews")


@dataclass(frozen=True)
class RunFolder:
    """Names of the files in a run folder. `open` one for writing; construct one for reading."""

    path: Path

    @property
    def config(self) -> Path:
        """The resolved configuration."""
        return self.path / "config.yml"

    @property
    def record(self) -> Path:
        """Provenance, status and timings."""
        return self.path / "run.json"

    @property
    def log(self) -> Path:
        """One JSON object per logged step."""
        return self.path / "log.jsonl"

    @property
    def checkpoint(self) -> Path:
        """The latest checkpoint."""
        return self.path / "checkpoint.pt"

    @property
    def isopoints(self) -> Path:
        """Iso-points of the finished fit."""
        return self.path / "isopoints.ply"

    @property
    def mesh(self) -> Path:
        """Mesh of the finished fit."""
        return self.path / "mesh.ply"

    @property
    def metrics(self) -> Path:
        """Figures that `isopts evaluate` reads."""
        return self.path / "metrics.json"

    @property
    def preview(self) -> Path:
        """Picture of the mesh and the iso-points."""
        return self.path / "preview.png"

    @property
    def views(self) -> Path:
        """fit-mvr: an image beside its rendering."""
        return self.path / "views.png"

    @property
    def cameras(self) -> Path:
        """fit-mvr: refined cameras, IDR's convention."""
        return self.path / "cameras.npz"

    def step_isopoints(self, step: int) -> Path:
        """Iso-points after `step` steps; creates the folder around it."""
        return self._step_file("isopoints", step)

    def step_mesh(self, step: int) -> Path:
        """Mesh after `step` steps; creates the folder around it."""
        return self._step_file("meshes", step)

    def step_preview(self, step: int) -> Path:
        """fit-mvr: an image beside its rendering after `step` steps; creates the folder around it."""
        return self._step_file("previews", step, ".png")

    def _step_file(self, kind: str, step: int, suffix: str = ".ply") -> Path:
        (self.path / kind).mkdir(exist_ok=True)
        return self.path / kind / f"step_{step:06d}{suffix}"

    def write_record(self, record: RunRecord) -> None:
        """Replace run.json."""
        write_record(self.record, record)

    def read_record(self) -> RunRecord | None:
        """Contents of run.json; None when this is no run folder."""
        return read_record(self.record)

    @staticmethod
    def require_free(path: str | Path, overwrite: bool, resume: bool) -> None:
        """Raise the InputError that `open` would raise for a run that is there: ask before long work."""
        record = RunFolder(Path(path)).read_record()
        if record is not None:
            RunFolder(Path(path))._require_permission_to_replace(record, overwrite or resume)

    @staticmethod
    @contextmanager
    def open(path: str | Path, overwrite: bool = False, resume: bool = False) -> Iterator["RunFolder"]:
        """Make a folder ready for a run to write into, and keep other runs out of it until the end of the block.

        Args:
            overwrite: remove the files of the run that is there. Nothing else in the folder is touched.
            resume: keep them. There may be no checkpoint yet: then the run starts from its first step.

        Raises:
            InputError: a run is there and neither flag is given; something other than a run is there; there is
                nothing to resume; the folder cannot be created or written to; another process writes into it.
        """
        if overwrite and resume:
            raise InputError("--overwrite and --resume exclude each other; give one of them.")
        folder = RunFolder(Path(path))
        record = folder.read_record()
        if record is not None:
            folder._require_permission_to_replace(record, overwrite or resume)
        elif resume:
            raise InputError(f"There is no run in '{path}' to resume; leave out --resume to start one.")
        folder._create(is_run=record is not None)
        with alone_in(folder.path):
            if overwrite and record is not None:  # of which nothing is left
                folder.write_record(record.model_copy(update={"status": "interrupted", "step": 0}))
                folder._remove_files()
            yield folder

    def _require_permission_to_replace(self, record: RunRecord, allowed: bool) -> None:
        if allowed:
            return
        done = max([record.step, *(entry["step"] for entry in read_log(self.log))])  # a killed run wrote the log alone
        state = "a finished run" if record.status == "finished" else f"an unfinished run (step {done})"
        raise InputError(
            f"'{self.path}' holds {state}; add --resume to continue it, --overwrite to replace it, "
            "or choose another folder with -o."
        )

    def _create(self, is_run: bool) -> None:
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            occupied = not is_run and any(self.path.iterdir())
        except OSError as error:
            raise InputError(
                f"Cannot create the run folder '{self.path}' ({error.strerror}); choose another place with -o."
            ) from None
        if occupied:
            raise InputError(
                f"'{self.path}' is not empty and holds no run of isopts; choose an empty or new folder with -o."
            )
        if not os.access(self.path, os.W_OK | os.X_OK):
            raise InputError(f"No permission to write into '{self.path}'; choose another place with -o.")

    def _remove_files(self) -> None:
        """Everything but run.json, which the new run replaces: until then it shows that this is a run folder."""
        for name in _FILES:
            (self.path / name).unlink(missing_ok=True)
        for name in _STEP_FOLDERS:
            for file in (self.path / name).glob("step_*"):
                file.unlink()
            if (self.path / name).is_dir() and not any((self.path / name).iterdir()):
                (self.path / name).rmdir()
