"""One process at a time in a folder."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isopts.errors import InputError

try:
    import fcntl
except ImportError:  # Windows, where a folder cannot be locked
    fcntl = None


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Keep other processes that ask for it out of `folder`, until the end of the block or of the process, however that
    ends: the lock is the kernel's. Nothing is kept out where the file system has no locks.

    Raises:
        InputError: another one is in there.
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"Another isopts is writing into '{folder}'; wait for it, or choose another folder with -o."
            ) from None
        except OSError:
            pass
        yield
    finally:
        os.close(descriptor)
