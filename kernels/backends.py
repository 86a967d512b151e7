"""What computes an op: optional accelerators, imported when asked for by name, and a record of what did compute."""

import importlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType

from isopts.errors import BackendError

INSTALL = {
    "frnn": "build it from https://github.com/lxxue/FRNN (CUDA)",
    "torch_cluster": "pip install torch-cluster (compiles for a quarter of an hour)",
    "pytorch3d": "build it from https://github.com/facebookresearch/pytorch3d",
}


def import_backend(name: str, module: str | None = None) -> ModuleType:
    """The module (by default `name` itself) of an accelerator in INSTALL, or BackendError."""
    try:
        return importlib.import_module(module or name)
    except (ImportError, OSError) as error:  # OSError: a binary built for another torch
        raise BackendError(
            f"backend '{name}' cannot be imported ({error}); {INSTALL[name]}, or use 'auto', which needs nothing more"
        ) from error


def unknown_backend(name: str, known: Sequence[str]) -> BackendError:
    return BackendError(f"there is no backend '{name}' for this operation; expected one of {', '.join(known)}")


_records: list[dict[str, str]] = []  # of those who are recording now


@contextmanager
def record_backends() -> Iterator[dict[str, str]]:
    """Yield a dictionary that fills with op -> backend while ops are called; several backends of one op are joined by
    " + ", in the order of their first use. "reference" is plain PyTorch."""
    record: dict[str, str] = {}
    _records.append(record)
    try:
        yield record
    finally:
        _records[:] = [each for each in _records if each is not record]


def note_backend(op: str, backend: str) -> None:
    """Every op calls this, or `launch` does for it, where it hands its work to `backend`."""
    for record in _records:
        found = record.get(op)
        if found is None:
            record[op] = backend
        elif backend != found and backend not in found.split(" + "):
            record[op] = f"{found} + {backend}"
