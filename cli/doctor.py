"""`isopts doctor`: can this machine run the main job?"""

from typing import TYPE_CHECKING, Annotated

import typer

from isopts.cli.options import Json
from isopts.errors import BackendError

if TYPE_CHECKING:
    from isopts.cli.machine_report import MachineReport


def doctor(
    compile_kernels: Annotated[
        bool, typer.Option("--compile", help="Compile all kernels now instead of at their first use.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Show versions, devices, threads, kernel backends and the kernel cache; exit 0 when fits can run here.

    Example:  isopts doctor --compile
    """
    import json

    from isopts.cli.machine_report import inspect_machine

    report = inspect_machine(compile_kernels)
    if as_json:
        print(json.dumps(report.as_dict(), indent=2))
    else:
        _print(report)
    if report.problems:
        raise BackendError(f"isopts cannot run here: {'; '.join(report.problems)}")


def _print(report: "MachineReport") -> None:
    from rich.table import Table
    from rich.text import Text

    from isopts.cli.output_console import OutputConsole

    table = Table(box=None, show_header=False, pad_edge=False)
    sections = {
        "versions": report.versions,
        "devices": report.devices,
        "threads": {
            "processors": f"{report.processors}, {report.idle_processors} idle",
            "torch": str(report.torch_threads),
        },
        "kernel backends": report.backends,
        "kernel cache": {"folder": report.kernel_cache},
        "compiled": {op: f"{seconds:.1f} s" for op, seconds in report.compiled.items()},
    }
    for title, entries in sections.items():
        for index, (name, value) in enumerate(entries.items()):
            table.add_row(Text(title if index == 0 else "", style="bold"), name, Text(value))
    OutputConsole().print(table)
    if not report.problems:
        print("isopts can run here.")
