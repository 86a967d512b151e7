"""Garbage collection rests while modules are imported, and only then."""

import gc

import pytest

from isopts.cli.quick_imports import quick_imports


def test_collection_rests_and_returns() -> None:
    with quick_imports():
        assert not gc.isenabled()
    assert gc.isenabled()
    with pytest.raises(ImportError), quick_imports():
        raise ImportError
    assert gc.isenabled()
    gc.unfreeze()


def test_who_had_switched_it_off_finds_it_off() -> None:
    gc.disable()
    try:
        with quick_imports():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
