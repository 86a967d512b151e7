"""The file that a command writes, checked before the work begins."""

from collections.abc import Sequence
from pathlib import Path

from isopts.errors import InputError
from isopts.run.atomic import require_writable


def choose_output(output: Path | None, default: str, suffixes: Sequence[str], overwrite: bool) -> Path:
    """`output`, or the file `default` in the working folder.

    Raises:
        InputError: its suffix is none of `suffixes`, it exists and is not to be overwritten, or it cannot be written.
    """
    target = output or Path(default)
    if target.suffix.lower() not in suffixes:
        raise InputError(f"-o '{target}' has no known format; use a name that ends in {', '.join(suffixes)}.")
    if target.exists() and not overwrite:
        raise InputError(f"'{target}' exists; add --overwrite to replace it, or choose another file with -o.")
    require_writable(target)
    return target
