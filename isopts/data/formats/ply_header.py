"""The header of a PLY file."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from isopts.errors import InputError

_TYPES = {
    "char": "i1",
    "int8": "i1",
    "uchar": "u1",
    "uint8": "u1",
    "short": "i2",
    "int16": "i2",
    "ushort": "u2",
    "uint16": "u2",
    "int": "i4",
    "int32": "i4",
    "uint": "u4",
    "uint32": "u4",
    "float": "f4",
    "float32": "f4",
    "double": "f8",
    "float64": "f8",
    "int64": "i8",  # this and uint64 are not in the standard, but written by some
    "uint64": "u8",
}
TYPE_NAMES = {code: name for name, code in reversed(_TYPES.items()) if code[1] != "8" or code == "f8"}
"""numpy's code -> the type's oldest name, which every reader knows."""

_BYTE_ORDERS = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}
_LONGEST_LINE = 4096


@dataclass(frozen=True)
class Property:
    """A column. count_dtype: of the length of a list; None: one value per row."""

    name: str
    dtype: np.dtype
    count_dtype: np.dtype | None


@dataclass(frozen=True)
class Element:
    """A table with `rows` rows."""

    name: str
    rows: int
    properties: tuple[Property, ...]

    @property
    def has_lists(self) -> bool:
        """Whether rows may differ in size."""
        return any(column.count_dtype is not None for column in self.properties)


@dataclass(frozen=True)
class Header:
    """What follows the header. The dtypes of the properties carry the byte order of a binary file."""

    is_ascii: bool
    elements: tuple[Element, ...]


def read_header(path: Path, stream: BinaryIO) -> Header:
    """Parse up to `end_header`; leaves the stream at the first byte of data. Raises InputError."""
    if stream.readline(_LONGEST_LINE).strip() != b"ply":
        raise InputError(f"'{path}' is no PLY file: it does not start with 'ply'.")
    order: str | None = None
    elements: list[Element] = []
    while (words := stream.readline(_LONGEST_LINE).decode("ascii", errors="replace").split()) != ["end_header"]:
        match words:
            case ["comment" | "obj_info", *_]:
                pass
            case ["format", name, _] if name in _BYTE_ORDERS:
                order = _BYTE_ORDERS[name]
            case ["element", name, rows] if rows.isdecimal():
                elements.append(Element(name, int(rows), ()))
            case ["property", *kind, name] if elements and order and (column := _property(kind, name, order)):
                last = elements[-1]
                elements[-1] = Element(last.name, last.rows, (*last.properties, column))
            case _:
                raise InputError(f"'{path}' is a damaged PLY file: header line '{' '.join(words)}' makes no sense.")
    if order is None:
        raise InputError(f"'{path}' is a damaged PLY file: its header names no format.")
    return Header(order == "=", tuple(elements))


def _property(kind: Sequence[str], name: str, order: str) -> Property | None:
    match kind:
        case [value] if value in _TYPES:
            return Property(name, np.dtype(order + _TYPES[value]), None)
        case ["list", count, value] if value in _TYPES and count in _TYPES and _TYPES[count][0] != "f":
            return Property(name, np.dtype(order + _TYPES[value]), np.dtype(order + _TYPES[count]))
    return None
