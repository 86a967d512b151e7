"""Files that are either complete or not there."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isopts.errors import InputError


@contextmanager
def replacing(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`, with the same suffix, for the caller to write; on success flush it to
    disk and rename it to `path`, on failure remove it. A killed process leaves `path` as it was.

    Raises:
        InputError: the folder is missing or cannot be written to, or `path` is a folder.
    """
    target = Path(os.path.realpath(path))  # through a symbolic link, instead of replacing the link
    require_writable(path)
    temporary = target.with_name(f".{target.stem}.{secrets.token_hex(4)}{target.suffix}")
    try:
        yield temporary
        _flush(temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)
    if os.name == "posix":  # elsewhere a folder cannot be opened
        _flush(target.parent)


def require_writable(path: str | Path) -> None:
    """Raise the InputError that `replacing(path)` would raise: ask before long work."""
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise InputError(f"Cannot write '{path}': the folder '{target.parent}' does not exist; create it first.")
    if target.is_dir():
        raise InputError(f"Cannot write '{path}': it is a folder; give the name of a file.")
    if not os.access(target.parent, os.W_OK | os.X_OK):
        raise InputError(f"Cannot write '{path}': no permission to write into '{target.parent}'; choose another place.")


def require_writable_folder(folder: Path) -> None:
    """Raise InputError when `folder` can neither be written into nor be made."""
    place = next(place for place in (folder, *folder.absolute().parents) if place.exists())
    if not place.is_dir() or not os.access(place, os.W_OK | os.X_OK):
        raise InputError(f"Cannot write into '{place}'; choose another folder with -o.")


def _flush(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
