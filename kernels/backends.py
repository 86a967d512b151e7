"""Optional accelerators: imported when asked for by name, one clear sentence when they are not there."""

import importlib
from collections.abc import Sequence
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
