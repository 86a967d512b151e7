"""Where a result comes from: program, command line, input, machine."""

import hashlib
import platform
import shlex
import sys
from importlib import metadata
from pathlib import Path

import torch

from isopts import __version__

_CHUNK_BYTES = 1 << 20


def file_sha256(path: str | Path) -> str:
    """Hexadecimal SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with Path(path).open("rb") as file:
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def command_line() -> str:
    """The command as typed, quoted for a shell; the program without its folder."""
    return printable(shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]))


def printable(text: str) -> str:
    """`text` with escapes for what is no character, as in file names that are not UTF-8."""
    return text.encode("utf-8", errors="backslashreplace").decode()


def versions() -> dict[str, str]:
    """Versions that a result depends on. Distributions that are not installed are left out."""
    found = {"isopts": __version__, "python": platform.python_version(), "torch": torch.__version__}
    for distribution in ("warp-lang", "numpy", "frnn", "torch-cluster", "pytorch3d"):
        try:
            found[distribution] = metadata.version(distribution)
        except metadata.PackageNotFoundError:
            continue
    return found


def device_name(device: torch.device) -> str:
    """The processor's or the graphics card's own name, as far as the system tells."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    cpu_info = Path("/proc/cpuinfo")
    if cpu_info.is_file():
        for line in cpu_info.read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
