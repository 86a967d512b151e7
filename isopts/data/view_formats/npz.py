"""Arrays out of NPZ files; Python objects in them are read without running anything.

numpy's own way to read an object array is `pickle`, which runs whatever the file says. Here an unpickler knows nothing
but stand-ins for the few numpy names that such files contain.
"""

import pickle
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from isopts.errors import InputError

_DAMAGED = (  # what zipfile, numpy and pickle raise for it
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    pickle.UnpicklingError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    RuntimeError,
    MemoryError,
    EOFError,
    OSError,
)
_ARRAY_BYTES_MAX = 2**28  # of one array: cameras of a million views


def read_npz(path: Path, wanted: Callable[[str], bool]) -> dict[str, np.ndarray]:
    """The arrays whose name is `wanted`. An object array holds numbers, strings, lists, dicts and arrays of them.

    Raises:
        InputError: no such file, no NPZ, damaged, or an object that is none of these.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name.removesuffix(".npy"): name for name in archive.namelist()}
            return {name: _read_member(archive, member) for name, member in members.items() if wanted(name)}
    except _RefusedError as error:
        raise InputError(f"'{path}' is refused: {error}; only numbers, strings, lists and dicts are read.") from None
    except _DAMAGED as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InputError(f"'{path}' cannot be read as NPZ ({reason}); it is damaged or something else.") from None


def _read_member(archive: zipfile.ZipFile, member: str) -> np.ndarray:
    if archive.getinfo(member).file_size > _ARRAY_BYTES_MAX:
        raise ValueError(f"{member} has more than {_ARRAY_BYTES_MAX} bytes")
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read_header = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
        shape, fortran_order, dtype = read_header[version](file)
        if not dtype.hasobject:
            values = np.frombuffer(file.read(), dtype=dtype)
            return values.reshape(shape, order="F" if fortran_order else "C")
        array = _plain(_PlainUnpickler(file).load())
    return array if isinstance(array, np.ndarray) else np.asarray(array, dtype=object)


class _Dtype:
    """Stands for numpy.dtype: of its state, which could declare addresses as numbers, only the byte order counts."""

    def __init__(self, text: str, *_: Any) -> None:
        self.dtype = np.dtype(text)

    def __setstate__(self, state: tuple) -> None:
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stands for numpy.ndarray: rebuilt from plain bytes or a list."""

    value: np.ndarray

    def __setstate__(self, state: tuple) -> None:
        _, shape, stand_in, fortran_order, data = state
        order = "F" if fortran_order else "C"
        if isinstance(data, list):
            self.value = np.empty(len(data), dtype=object)
            self.value[:] = [_plain(item) for item in data]
        else:
            self.value = np.frombuffer(data, dtype=stand_in.dtype)
        self.value = self.value.reshape(shape, order=order)


def _new_array(*_: Any) -> _Array:
    return _Array()


def _new_scalar(stand_in: _Dtype, data: Any = None) -> Any:
    if stand_in.dtype.hasobject:
        raise ValueError("a scalar of Python objects")
    return np.frombuffer(data, dtype=stand_in.dtype)[0].item()


_STAND_INS = {"_reconstruct": _new_array, "scalar": _new_scalar, "ndarray": _Array, "dtype": _Dtype}


def _plain(value: Any) -> Any:
    """`value` with arrays in the place of their stand-ins."""
    match value:
        case _Array():
            return value.value
        case dict():
            return {_plain(key): _plain(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_plain(inner) for inner in value]
        case _:
            return value


class _RefusedError(Exception):
    """A pickle names something that is no plain value."""


class _PlainUnpickler(pickle.Unpickler):
    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, encoding="latin1")  # numpy arrays pickled by Python 2

    def find_class(self, module: str, name: str) -> Any:
        if module.partition(".")[0] == "numpy" and name in _STAND_INS:
            return _STAND_INS[name]
        raise _RefusedError(f"it holds '{module}.{name}'")
