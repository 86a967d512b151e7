"""PLY: ASCII and binary, either endianness, any element and property."""

from collections.abc import Collection, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from isopts.data.formats.ply_header import TYPE_NAMES, Element, Property, read_header
from isopts.errors import InputError


class Lists(NamedTuple):
    """A list property: row i holds `counts[i]` entries, one row after the other in `values`."""

    counts: np.ndarray
    values: np.ndarray


Columns = Mapping[str, "np.ndarray | Lists"]
"""Property name -> one value (or list) per row."""


def read_ply(path: Path, wanted: Collection[str]) -> dict[str, Columns]:
    """Read the elements named in `wanted`; those the file lacks are absent from the result.

    Columns of a binary file are views of a read-only memory map, in the file's types. Columns of an ASCII file are
    float64. What stands behind the last wanted element is not read.

    Raises:
        InputError: not a PLY file, or one that ends early.
    """
    with path.open("rb") as stream:
        header = read_header(path, stream)
        last = max((index for index, element in enumerate(header.elements) if element.name in wanted), default=-1)
        position, columns = stream.tell(), {}
        data = np.empty(0, np.uint8)
        if not header.is_ascii and path.stat().st_size > position:
            data = np.memmap(path, np.uint8, mode="r")
        try:
            for element in header.elements[: last + 1]:
                if header.is_ascii:
                    columns[element.name] = _read_lines(list(islice(stream, element.rows)), element)
                else:
                    columns[element.name], position = _read_rows(data, position, element)
        except (ValueError, IndexError) as error:
            reason = str(error).splitlines()[0]
            raise InputError(f"'{path}' is a damaged PLY file: {reason}; write it again.") from None
    return {name: values for name, values in columns.items() if name in wanted}


def write_ply(path: Path, elements: Mapping[str, Mapping[str, np.ndarray]], comments: Sequence[str] = ()) -> None:
    """Write binary little-endian PLY.

    Args:
        elements: element -> property -> column. A column (N,) becomes single values, one (N, k) a list of length k.
        comments: header lines; line ends within become spaces.
    """
    header = ["ply", "format binary_little_endian 1.0", *(f"comment {' '.join(text.split())}" for text in comments)]
    tables = []
    for element, columns in elements.items():
        rows = len(next(iter(columns.values())))
        header.append(f"element {element} {rows}")
        header += [_declaration(name, column) for name, column in columns.items()]
        tables.append(_table(columns, rows))
    with path.open("wb") as file:
        file.write("\n".join([*header, "end_header", ""]).encode("ascii", errors="backslashreplace"))
        for table in tables:
            table.tofile(file)


def _declaration(name: str, column: np.ndarray) -> str:
    kind = TYPE_NAMES[column.dtype.str[1:]]
    return f"property {kind} {name}" if column.ndim == 1 else f"property list uchar {kind} {name}"


def _table(columns: Mapping[str, np.ndarray], rows: int) -> np.ndarray:
    fields: list[tuple] = []
    for name, column in columns.items():
        if column.ndim == 2:
            fields.append((f"{name} count", "u1"))
        fields.append((name, column.dtype.newbyteorder("<"), column.shape[1:]))
    table = np.empty(rows, dtype=fields)
    for name, column in columns.items():
        table[name] = column
        if column.ndim == 2:
            table[f"{name} count"] = column.shape[1]
    return table


def _read_rows(data: np.ndarray, position: int, element: Element) -> tuple[Columns, int]:
    """Columns of a binary element, and where it ends. Rows of equal size are views, others are read one by one."""
    if element.rows == 0 or not element.properties:
        return _concatenate(element, [[] for _ in element.properties]), position
    lengths = _lengths_of_first_row(data, position, element)
    row = _row_dtype(element, lengths)
    end = position + row.itemsize * element.rows
    if end > len(data):
        if element.has_lists:  # the first row may be the longest
            return _read_ragged_rows(data, position, element)
        present = (len(data) - position) // row.itemsize
        raise ValueError(f"its header announces {element.rows} x {element.name}, it holds {present}")
    table = data[position:end].view(row)
    columns: dict[str, np.ndarray | Lists] = {}
    for index, (column, length) in enumerate(zip(element.properties, lengths, strict=True)):
        values = table[f"value {index}"]
        if column.count_dtype is None:
            columns[column.name] = values
        elif bool((table[f"count {index}"] == length).all()):
            columns[column.name] = Lists(np.full(element.rows, length, np.int64), values.reshape(-1))
        else:
            return _read_ragged_rows(data, position, element)
    return columns, end


def _lengths_of_first_row(data: np.ndarray, position: int, element: Element) -> list[int]:
    """Length of every property in the first row; 1 for single values."""
    lengths = []
    for column in element.properties:
        length, position = _read_length(data, position, column)
        lengths.append(length)
        position += length * column.dtype.itemsize
    return lengths


def _row_dtype(element: Element, lengths: Sequence[int]) -> np.dtype:
    fields: list[tuple] = []
    for index, (column, length) in enumerate(zip(element.properties, lengths, strict=True)):
        if column.count_dtype is None:
            fields.append((f"value {index}", column.dtype))
        else:
            fields += [(f"count {index}", column.count_dtype), (f"value {index}", column.dtype, (length,))]
    return np.dtype(fields)


def _read_ragged_rows(data: np.ndarray, position: int, element: Element) -> tuple[Columns, int]:
    pieces: list[list[np.ndarray]] = [[] for _ in element.properties]
    for _ in range(element.rows):
        for column, column_pieces in zip(element.properties, pieces, strict=True):
            length, position = _read_length(data, position, column)
            end = position + length * column.dtype.itemsize
            if end > len(data):
                raise ValueError(f"it ends within its {element.rows} x {element.name}")
            column_pieces.append(data[position:end].view(column.dtype))
            position = end
    return _concatenate(element, pieces), position


def _read_length(data: np.ndarray, position: int, column: Property) -> tuple[int, int]:
    """Number of entries in the row that starts at `position`, and where the first one is."""
    if column.count_dtype is None:
        return 1, position
    end = position + column.count_dtype.itemsize
    if end > len(data):
        raise ValueError(f"it ends within its list '{column.name}'")
    length = int(data[position:end].view(column.count_dtype)[0])
    if length < 0:
        raise ValueError(f"a list '{column.name}' has length {length}")
    return length, end


def _read_lines(lines: Sequence[bytes], element: Element) -> Columns:
    """Columns of an ASCII element, which has a line per row."""
    if len(lines) < element.rows:
        raise ValueError(f"its header announces {element.rows} x {element.name}, it holds {len(lines)}")
    if element.has_lists or element.rows == 0 or not element.properties:
        return _read_ragged_lines(lines, element)
    table = np.loadtxt(lines, comments=None, ndmin=2, usecols=range(len(element.properties)))
    return {column.name: table[:, index] for index, column in enumerate(element.properties)}


def _read_ragged_lines(lines: Sequence[bytes], element: Element) -> Columns:
    pieces: list[list[np.ndarray]] = [[] for _ in element.properties]
    for line in lines:
        words, position = np.array(line.split(), dtype=np.float64), 0
        for column, column_pieces in zip(element.properties, pieces, strict=True):
            length = 1
            if column.count_dtype is not None:
                length, position = int(words[position]), position + 1
            if length < 0 or position + length > len(words):
                raise ValueError(f"a line of its element {element.name} is too short")
            column_pieces.append(words[position : position + length])
            position += length
    return _concatenate(element, pieces)


def _concatenate(element: Element, pieces: Sequence[Sequence[np.ndarray]]) -> Columns:
    columns: dict[str, np.ndarray | Lists] = {}
    for column, column_pieces in zip(element.properties, pieces, strict=True):
        values = np.concatenate(column_pieces) if column_pieces else np.empty(0, column.dtype)
        lengths = np.array([len(piece) for piece in column_pieces], np.int64)
        columns[column.name] = values if column.count_dtype is None else Lists(lengths, values)
    return columns
