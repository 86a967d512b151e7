"""The --device option."""

from typing import TYPE_CHECKING

from isopts.errors import InputError

if TYPE_CHECKING:
    import torch


def choose_device(name: str) -> "torch.device":
    """`auto` (CUDA when there is one), `cpu`, `cuda` or `cuda:N`.

    Raises:
        InputError: any other name, or a device that is not there.
    """
    import torch

    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    kind, _, index = name.partition(":")
    if kind not in ("cpu", "cuda") or (":" in name and not (kind == "cuda" and index.isdecimal())):
        raise InputError(f"--device '{name}': expected auto, cpu, cuda or cuda:N.")
    if kind == "cuda" and int(index or 0) >= torch.cuda.device_count():
        raise InputError(f"--device '{name}': torch sees {torch.cuda.device_count()} CUDA devices; use --device cpu.")
    return torch.device(name)
