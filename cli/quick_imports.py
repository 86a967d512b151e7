"""Importing torch and Warp with fewer pauses."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_imports() -> Iterator[None]:
    """Collect no garbage meanwhile: modules are none, and looking for it among a million of their objects takes an
    eighth of the time. Afterwards they are left out of every search."""
    if not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        gc.enable()
