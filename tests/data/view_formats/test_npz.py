"""NPZ files of others: values come back, code never runs."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from isopts.data.view_formats.npz import read_npz
from isopts.errors import InputError


def everything(_name):
    return True


def write_member(path, payload: bytes) -> None:
    """An NPZ whose only array is an object array with this pickle."""
    header = io.BytesIO()
    np.lib.format.write_array_header_1_0(header, {"descr": "|O", "fortran_order": False, "shape": ()})
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("parameters.npy", header.getvalue() + payload)


def test_numbers_texts_and_objects_come_back(tmp_path):
    values = {
        "doubles": np.arange(6.0).reshape(2, 3),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "big_endian": np.arange(3, dtype=">i4"),
        "text": np.array("a.b.C"),
        "wanted_not": np.zeros(3),
    }
    objects = {
        "number": 0.1,
        "scalar": np.float32(2.5),
        "array": np.arange(4.0).reshape(2, 2),
        "fortran": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "swapped": np.arange(3, dtype=">i4"),
        "texts": np.array(["x", "yz"]),
        "nested": {"lights": [[1.0, 2.0], (3.0, None, True)]},
    }
    np.savez(tmp_path / "a.npz", objects=objects, **values)
    arrays = read_npz(tmp_path / "a.npz", lambda name: name != "wanted_not")
    assert set(arrays) == {*values, "objects"} - {"wanted_not"}
    for name in ("doubles", "fortran", "big_endian", "text"):
        np.testing.assert_array_equal(arrays[name], values[name])
    found = arrays["objects"].item()
    assert (found["number"], found["scalar"]) == (0.1, 2.5)
    for name in ("array", "fortran", "swapped", "texts"):
        np.testing.assert_array_equal(found[name], objects[name])
    assert found["nested"] == {"lights": [[1.0, 2.0], [3.0, None, True]]}


def test_object_arrays_of_several_elements(tmp_path):
    values = np.empty(2, dtype=object)
    values[:] = [{"a": 1}, np.arange(3)]
    np.savez(tmp_path / "a.npz", values=values)
    first, second = read_npz(tmp_path / "a.npz", everything)["values"]
    assert first == {"a": 1}
    np.testing.assert_array_equal(second, [0, 1, 2])


class _RunsCode:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize(
    "function", [os.system, eval, getattr, np.load, io.open], ids=lambda function: function.__name__
)
def test_code_is_refused_and_not_run(tmp_path, function):
    marker = tmp_path / "ran"
    write_member(tmp_path / "a.npz", pickle.dumps(_RunsCode(function, f"touch {marker}")))
    with pytest.raises(InputError, match=r"is refused: it holds '.*'; only numbers, strings"):
        read_npz(tmp_path / "a.npz", everything)
    assert not marker.exists()


def test_bytes_never_become_addresses_of_objects(tmp_path):
    state = (1, (1,), np.dtype(object), False, b"\x41" * 8)
    rebuild = np.zeros(1).__reduce__()[0]
    array = _RunsCode(rebuild, np.ndarray, (0,), b"b")
    array.call = (*array.call, state)
    write_member(tmp_path / "a.npz", pickle.dumps(array))
    with pytest.raises(InputError, match=r"a\.npz' cannot be read as NPZ"):
        read_npz(tmp_path / "a.npz", everything)


def test_damage_is_one_sentence(tmp_path):
    file = tmp_path / "a.npz"
    np.savez(file, objects={"a": np.arange(30.0)}, plain=np.arange(100.0))
    whole = file.read_bytes()
    generator = np.random.default_rng(0)
    refused = 0
    for _ in range(400):
        damaged = bytearray(whole)
        for place in generator.integers(0, len(whole), 3):
            damaged[place] = generator.integers(0, 256)
        file.write_bytes(bytes(damaged))
        try:
            read_npz(file, everything)
        except InputError as error:
            refused += str(file) in str(error)
    assert refused > 300
