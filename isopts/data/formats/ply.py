"""PLY, by plyfile: ASCII and binary, either endianness, any element and property."""

import re
import warnings
from collections.abc import Collection, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from textwrap import shorten
from typing import NamedTuple

import numpy as np
from plyfile import PlyData, PlyElement, PlyElementParseError, PlyListProperty, PlyParseError

from isopts.data.formats.ply_ascii import read_scalar_elements
from isopts.errors import InputError

_DAMAGE = (PlyParseError, ValueError, OverflowError, MemoryError)  # what plyfile raises, by fuzzing it
_HEADER_BYTES_MAX = 1 << 16
_SINGLE_PRECISION = re.compile(rb"(property\s+)float(?:32)?(?=\s)")
_CORNERS = (3, 4)  # polygons that are tried before those of any length; plyfile reads these at once, others row by row


class Lists(NamedTuple):
    """A list property: row i holds `counts[i]` entries, one row after the other in `values`."""

    counts: np.ndarray
    values: np.ndarray


Columns = Mapping[str, "np.ndarray | Lists"]
"""Property name -> one value (or list) per row."""


def read_ply(path: Path, wanted: Collection[str]) -> dict[str, Columns]:
    """Read the elements named in `wanted`; those the file lacks are absent from the result.

    Columns have the file's types, but single precision in ASCII becomes double: the digits may need it. They are
    copies in the machine's byte order: the file may be replaced.

    Raises:
        InputError: not a PLY file, or a damaged one.
    """
    try:
        is_ascii = _require_possible_header(path)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy's about empty lists and about numbers too large for their type
            if is_ascii:
                return _read_ascii(path, wanted)
            return _wanted_columns(_read_binary(path), wanted)
    except _DAMAGE as error:
        reason = shorten(str(error) or type(error).__name__, 120, placeholder=" ...")
        raise InputError(f"'{path}' cannot be read as PLY: {reason}; export it again, as PLY.") from None


def write_ply(path: Path, elements: Mapping[str, Mapping[str, np.ndarray]], comments: Sequence[str] = ()) -> None:
    """Write binary little-endian PLY.

    Args:
        elements: element -> property -> column. A column (N,) becomes single values, one (N, k) a list of length k.
        comments: header lines; line ends within become spaces, and what is not ASCII an escape.
    """
    lines = [" ".join(text.split()).encode("ascii", errors="backslashreplace").decode() for text in comments]
    described = [PlyElement.describe(_table(columns), name) for name, columns in elements.items()]
    header = PlyData(described, byte_order="<", comments=lines).header
    with path.open("wb") as stream:
        stream.write(header.encode("ascii") + b"\n")
        for columns in elements.values():  # plyfile writes lists row by row: seconds for a million faces
            stream.write(_packed_rows(columns).tobytes())  # tofile does not tell why it could not


def _packed_rows(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """The rows of an element as they stand in the file: a list is its length in one byte, then its values."""
    fields = []
    for name, column in columns.items():
        if column.ndim == 2:
            fields.append((f"{name} length", "u1"))
        fields.append((name, column.dtype.newbyteorder("<"), column.shape[1:]))
    rows = np.empty(len(next(iter(columns.values()))), dtype=fields)
    for name, column in columns.items():
        rows[name] = column
        if column.ndim == 2:
            rows[f"{name} length"] = column.shape[1]
    return rows


def _table(columns: Mapping[str, np.ndarray]) -> np.ndarray:
    rows = len(next(iter(columns.values())))
    table = np.empty(rows, dtype=[(name, column.dtype, column.shape[1:]) for name, column in columns.items()])
    for name, column in columns.items():
        table[name] = column
    return table


def _require_possible_header(path: Path) -> bool:
    """Whether the file is ASCII. ValueError when it announces more rows than bytes: plyfile would allocate them."""
    size = path.stat().st_size
    with path.open("rb") as stream:
        lines = [line.split() for line in stream.read(_HEADER_BYTES_MAX).partition(b"end_header")[0].splitlines()]
    for words in lines:
        if words[:1] == [b"element"] and len(words) == 3 and not 0 <= int(words[2]) <= size:
            name, rows = (word.decode("ascii") for word in words[1:])
            raise ValueError(f"its header announces {rows} x {name}, it has {size} bytes")
    return [b"format", b"ascii", b"1.0"] in lines


def _read_ascii(path: Path, wanted: Collection[str]) -> dict[str, Columns]:
    header, end, rows = path.read_bytes().partition(b"end_header")
    header = _SINGLE_PRECISION.sub(rb"\1double", header) + end
    columns = read_scalar_elements(header, rows, wanted)
    return _wanted_columns(PlyData.read(BytesIO(header + rows)), wanted) if columns is None else columns


def _wanted_columns(elements: PlyData, wanted: Collection[str]) -> dict[str, Columns]:
    return {element.name: _columns(element) for element in elements if element.name in wanted}


def _read_binary(path: Path) -> PlyData:
    for corners in _CORNERS:
        lengths = {"vertex_indices": corners, "vertex_index": corners, "texcoord": 2 * corners}
        try:
            return PlyData.read(path, mmap="r", known_list_len={"face": lengths})
        except PlyElementParseError:
            continue  # another length, or damage that shows again below
    return PlyData.read(path, mmap="r")


def _columns(element: PlyElement) -> Columns:
    columns: dict[str, np.ndarray | Lists] = {}
    for column in element.properties:
        values = element.data[column.name]
        if isinstance(column, PlyListProperty):
            columns[column.name] = _lists(values, np.dtype(column.val_dtype))
        else:
            columns[column.name] = np.array(values, dtype=column.val_dtype)
    return columns


def _lists(rows: np.ndarray, dtype: np.dtype) -> Lists:
    """From plyfile's (N, k) where all lists have a known length, or its (N,) of arrays."""
    if rows.ndim == 2:
        return Lists(np.full(len(rows), rows.shape[1]), np.array(rows, dtype=dtype).reshape(-1))
    return Lists(np.array([len(row) for row in rows], np.int64), np.concatenate([np.empty(0, dtype), *rows]))
