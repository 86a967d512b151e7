"""Checkpoints: everything a run needs to continue, and everything `mesh` or `extract-isopoints` needs, in one file.

Only tensors and plain types are stored, and only `torch.load(weights_only=True)` reads them: a file from a stranger
cannot run code.
"""

import dataclasses
import io
import pickle
import struct
import zipfile
import zlib
from pathlib import Path
from typing import Any

import torch

from isopts import __version__
from isopts.errors import InputError
from isopts.geometry.frames import WorldToUnit
from isopts.run.atomic import replacing

FILE_NAME = "checkpoint.pt"
FORMAT = "isopts-checkpoint"
FORMAT_VERSION = 1  # raise when an older isopts could not read the file


@dataclasses.dataclass(frozen=True)
class Checkpoint:
    """State of a fit after `step` steps.

    command: `fit-points` or `fit-mvr`. config: plain values of the resolved configuration.
    frame: from the input's coordinates to the unit frame, in which the field lives.
    field: the field's state_dict. optimizer: its state_dict (nested plain containers and tensors).
    random_states: name -> `torch.Generator.get_state()`.
    tensors: what else the fit needs to continue, such as the iso-points (unit frame).
    version: of the isopts that wrote the file.
    """

    command: str
    step: int
    config: dict[str, Any]
    frame: WorldToUnit
    field: dict[str, torch.Tensor]
    optimizer: dict[str, Any] = dataclasses.field(default_factory=dict)
    random_states: dict[str, torch.Tensor] = dataclasses.field(default_factory=dict)
    tensors: dict[str, torch.Tensor] = dataclasses.field(default_factory=dict)
    version: str = __version__


def save_checkpoint(path: str | Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, atomically.

    Raises:
        TypeError: a value is neither a tensor nor a plain type, and could not be loaded again.
        InputError: the folder cannot be written to.
    """
    contents = {name: getattr(checkpoint, name) for name in _TYPES if name != "frame"}
    contents |= {"format": FORMAT, "format_version": FORMAT_VERSION, "frame": checkpoint.frame.as_dict()}
    _require_plain(contents, "checkpoint")
    buffer = io.BytesIO()
    torch.save(contents, buffer)  # into memory: of a full disk torch tells nothing but that it failed
    with replacing(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


def load_checkpoint(path: str | Path) -> Checkpoint:
    """Read a checkpoint file, or the one in a run folder, with all tensors on the CPU.

    Raises:
        InputError: no such file; a file that is truncated, foreign, damaged or of a newer format.
    """
    file = Path(path) / FILE_NAME if Path(path).is_dir() else Path(path)
    if not file.is_file():
        reason = f"holds no {FILE_NAME}" if Path(path).is_dir() else "does not exist"
        raise InputError(f"'{path}' {reason}; give a run folder or a checkpoint written by isopts.")
    contents = _load(file)
    if not isinstance(contents, dict) or contents.get("format") != FORMAT:
        raise InputError(f"'{file}' is no isopts checkpoint; give a run folder or a checkpoint written by isopts.")
    if contents.get("format_version") != FORMAT_VERSION:
        raise InputError(
            f"'{file}' has checkpoint format {contents.get('format_version')}, this isopts {__version__} reads "
            f"{FORMAT_VERSION}; use the isopts that wrote it ({contents.get('version')}) or a newer one."
        )
    return _checked(contents, file)


def _load(file: Path) -> Any:
    # torch.save writes a zip archive; the older pickle formats are never ours, and a truncated archive is no archive
    try:
        with zipfile.ZipFile(file) as archive:
            damaged = archive.testzip()  # torch.load does not compare checksums
        if damaged is None:
            return torch.load(file, map_location="cpu", weights_only=True)
        reason = f"wrong checksum of {damaged}"
    except zipfile.BadZipFile:
        reason = "it is truncated or no archive"
    except pickle.UnpicklingError:  # torch's own sentence advises to load it without protection
        reason = "it holds more than tensors and plain values"
    except _LOAD_ERRORS as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
    raise InputError(f"'{file}' cannot be read as a checkpoint; it is damaged or was not written by isopts ({reason}).")


_LOAD_ERRORS = (  # what torch.load raises for a damaged archive
    struct.error,
    zlib.error,
    RuntimeError,
    LookupError,
    ValueError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    EOFError,
    OSError,
)
_TYPES: dict[str, type] = {
    "command": str,
    "step": int,
    "config": dict,
    "frame": dict,
    "field": dict,
    "optimizer": dict,
    "random_states": dict,
    "tensors": dict,
    "version": str,
}


def _checked(contents: dict[str, Any], file: Path) -> Checkpoint:
    for name, expected in _TYPES.items():
        if not isinstance(contents.get(name), expected):
            raise InputError(f"'{file}' is a damaged checkpoint: its '{name}' is missing or of the wrong type.")
    values = {name: contents[name] for name in _TYPES}
    try:
        values["frame"] = WorldToUnit.from_dict(contents["frame"])
    except (KeyError, TypeError, ValueError):
        raise InputError(f"'{file}' is a damaged checkpoint: its frame lacks a center or a scale.") from None
    return Checkpoint(**values)


def _require_plain(value: Any, name: str) -> None:
    """Only what torch.load(weights_only=True) gives back as it was."""
    if isinstance(value, dict):
        for key, inner in value.items():
            _require_plain(key, f"{name} key")
            _require_plain(inner, f"{name}.{key}")
    elif type(value) in (list, tuple):
        for index, inner in enumerate(value):
            _require_plain(inner, f"{name}[{index}]")
    elif not isinstance(value, torch.Tensor) and type(value) not in (str, int, float, bool, type(None)):
        raise TypeError(f"{name} is a {type(value).__name__}; a checkpoint holds tensors and plain types only")
