"""run.json: what was run, on what, and how it ended."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from isopts import __version__
from isopts.geometry.frames import WorldToUnit
from isopts.run.atomic import replacing

Status = Literal["running", "finished", "interrupted", "diverged"]


class RunRecord(BaseModel):
    """Contents of run.json. Keys written by a newer isopts are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    program: Literal["isopts"] = "isopts"
    version: str = Field(__version__, description="version of isopts")
    versions: dict[str, str] = Field({}, description="versions of Python and of the libraries below")
    command: str = Field(description="fit-points or fit-mvr")
    command_line: str = Field("", description="the command as typed")
    status: Status = "running"
    step: int = Field(0, description="finished steps")
    seed: int = 0
    device: str = Field("cpu", description="torch's name of the device")
    device_name: str = Field("", description="the processor's or graphics card's own name")
    threads: int = Field(1, description="CPU threads")
    kernel_backends: dict[str, str] = Field(
        {}, description="op -> what computed it in this process, see isopts.kernels.backends"
    )
    input: str = Field("", description="path of the input as given")
    input_sha256: str = ""
    frame: WorldToUnit | None = Field(None, description="unit = (world - center) * scale")
    seconds: dict[str, float] = Field({}, description="stage -> duration")


def write_record(path: Path, record: RunRecord) -> None:
    """Write run.json, atomically."""
    with replacing(path) as temporary:
        temporary.write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_record(path: Path) -> RunRecord | None:
    """The record in run.json; None when there is none or when something else wrote it."""
    if not path.is_file():
        return None
    try:
        return RunRecord.model_validate_json(path.read_bytes())
    except ValidationError:
        return None
