"""What `isopts doctor` finds out about this machine."""

import importlib
import os
from dataclasses import asdict, dataclass, field
from typing import Any

_OPTIONAL_BACKENDS = ("frnn", "torch_cluster", "pytorch3d")


@dataclass
class MachineReport:
    """versions: distribution -> version. devices: torch's name -> the hardware's. backends: name -> `available` or why
    not. problems: what keeps `isopts fit-points` from running. compiled: op -> seconds, where it was asked for."""

    versions: dict[str, str] = field(default_factory=dict)
    devices: dict[str, str] = field(default_factory=dict)
    processors: int = 1
    idle_processors: int = 1
    torch_threads: int = 1
    backends: dict[str, str] = field(default_factory=dict)
    kernel_cache: str = ""
    compiled: dict[str, float] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Plain types for --json."""
        return {"ok": not self.problems, **asdict(self)}


def inspect_machine(compile_kernels: bool) -> MachineReport:
    """Look at libraries, devices and the kernel cache, and run one small kernel on every device."""
    report = MachineReport()
    try:
        import torch
        import warp  # noqa: F401
    except ImportError as error:
        report.problems.append(f"{error.name or error} cannot be imported; run `pip install isopts` again.")
        return report
    from isopts.run.provenance import device_name, versions
    from isopts.run.threads import idle_processors

    devices = [torch.device("cpu"), *(torch.device("cuda", index) for index in range(torch.cuda.device_count()))]
    report.versions = versions()
    report.devices = {str(device): device_name(device) for device in devices}
    report.processors = os.cpu_count() or 1
    report.idle_processors = idle_processors()
    report.torch_threads = torch.get_num_threads()
    report.backends = {"warp": "available", **{name: _importable(name) for name in _OPTIONAL_BACKENDS}}
    _inspect_kernels(report, devices, compile_kernels)
    return report


def _importable(name: str) -> str:
    try:
        importlib.import_module(name)
    except (ImportError, OSError) as error:  # OSError: a library it links to is missing
        return f"not available ({error})"
    return "available"


def _inspect_kernels(report: MachineReport, devices: list[Any], compile_kernels: bool) -> None:
    from isopts.kernels.compile_all import compile_all
    from isopts.kernels.launch import kernel_cache

    cache = kernel_cache()
    report.kernel_cache = str(cache)
    if not os.access(cache, os.W_OK):
        report.problems.append(f"the kernel cache '{cache}' is not writable; set WARP_CACHE_PATH to another folder.")
        return
    for device in devices:
        if compile_kernels:
            report.compiled |= {f"{op} ({device})": seconds for op, seconds in compile_all(device).items()}
        if problem := _small_kernel_fails(device):
            report.problems.append(problem)


def _small_kernel_fails(device: Any) -> str | None:
    """Search the nearest neighbour among four points; None when the answer is right, else what went wrong."""
    import torch

    from isopts.kernels.neighbors import nearest_neighbors

    points = torch.tensor([[0.0, 0, 0], [1, 0, 0], [3, 0, 0], [7, 0, 0]], device=device)
    try:
        found = nearest_neighbors(points, points, 2).indices[:, 1].tolist()
    except (RuntimeError, OSError) as error:
        return f"kernels do not run on {device}: {error}"
    return None if found == [1, 0, 1, 2] else f"kernels compute wrong neighbours on {device}: {found}"
