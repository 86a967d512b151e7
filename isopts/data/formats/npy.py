"""numpy's NPY files."""

from pathlib import Path

import numpy as np

from isopts.errors import InputError


def read_npy_table(path: Path) -> np.ndarray:
    """Rows (N, 3) or (N, 6), float64. Files with Python objects are refused. Raises InputError."""
    try:
        _require_magic(path)  # first: numpy takes other beginnings for archives and pickles
        table = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError, OSError) as error:
        raise InputError(f"'{path}' cannot be read as NPY: {_reason(error)}.") from None
    if not isinstance(table, np.ndarray) or table.ndim != 2 or table.shape[1] not in (3, 6):
        found = table.shape if isinstance(table, np.ndarray) else type(table).__name__
        raise InputError(f"'{path}' holds {found}; expected an array (N, 3), or (N, 6) with normals.")
    if table.dtype.kind not in "fiu":
        raise InputError(f"'{path}' holds values of type {table.dtype}; expected real numbers.")
    return table.astype(np.float64)


def _require_magic(path: Path) -> None:
    with path.open("rb") as file:
        if file.read(len(np.lib.format.MAGIC_PREFIX)) != np.lib.format.MAGIC_PREFIX:
            raise ValueError("it does not begin as an NPY file does")


def _reason(error: Exception) -> str:
    """numpy's own sentences advise to load it without protection."""
    if "objects" in str(error):
        return "it holds Python objects, which could run code; save a plain array of numbers"
    return str(error).splitlines()[0].rstrip(".")


def write_npy_table(path: Path, table: np.ndarray) -> None:
    """Write the array as it is."""
    with path.open("wb") as file:
        np.save(file, table)
