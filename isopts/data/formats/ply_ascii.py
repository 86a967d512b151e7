"""ASCII PLY without lists, read as a table: three times as fast as row by row."""

import re
from collections.abc import Collection
from io import BytesIO
from itertools import islice

import numpy as np
from plyfile import PlyData, PlyElement, PlyListProperty

_ROWS = re.compile(rb"(^\s*element\s+\S+\s+)(\d+)", re.MULTILINE)


def read_scalar_elements(
    header: bytes, rows: bytes, wanted: Collection[str]
) -> dict[str, dict[str, np.ndarray]] | None:
    """Element -> property -> column (N,) of those of the elements `wanted` that the file has.

    None where an element with a list stands before the last of them, and at the first irregularity: a reader that
    goes row by row then says what is wrong. Raises what plyfile raises about a damaged header.

    Args:
        header: up to and with `end_header`. rows: everything after it.
    """
    line_end, newline, rows = rows.partition(b"\n")
    elements = PlyData.read(BytesIO(_ROWS.sub(rb"\g<1>0", header) + line_end + newline)).elements
    counts = [int(count) for _, count in _ROWS.findall(header)]
    missing = {element.name for element in elements} & set(wanted)
    found, stream = {}, BytesIO(rows)
    for element, count in zip(elements, counts, strict=True):
        if not missing:
            break
        columns = _read_columns(element, count, stream)
        if columns is None:
            return None
        if element.name in missing:
            missing.remove(element.name)
            found[element.name] = columns
    return found


def _read_columns(element: PlyElement, count: int, stream: BytesIO) -> dict[str, np.ndarray] | None:
    properties = element.properties
    if count == 0 or any(isinstance(each, PlyListProperty) for each in properties):
        return None
    try:
        table = np.loadtxt(islice(stream, count), comments=None, ndmin=2)
    except ValueError:
        return None
    if table.shape != (count, len(properties)):
        return None
    columns = {}
    for each, values in zip(properties, table.T, strict=True):
        column = columns[each.name] = values.astype(each.val_dtype)
        if column.dtype.kind != "f" and not np.array_equal(column, values):
            return None
    return columns
