"""The field of a checkpoint, ready to be evaluated."""

from dataclasses import dataclass
from pathlib import Path

import torch

from isopts.errors import InputError
from isopts.field.build import Field, restore_field
from isopts.geometry.frames import WorldToUnit
from isopts.run.checkpoint import load_checkpoint


@dataclass(frozen=True)
class RestoredField:
    """field: in the unit frame, on its device. frame: leads back to the input's coordinates. step: when it was saved.
    version: of the isopts that saved it."""

    field: Field
    frame: WorldToUnit
    step: int
    version: str


def load_restored_field(path: Path, device: torch.device) -> RestoredField:
    """From a checkpoint file or a run folder. Raises InputError, ConfigError."""
    checkpoint = load_checkpoint(path)
    if not isinstance(checkpoint.config.get("field"), dict):
        raise InputError(f"'{path}' is a damaged checkpoint: its configuration has no 'field'.")
    field = restore_field(checkpoint.config["field"], checkpoint.field).to(device)
    return RestoredField(field, checkpoint.frame, checkpoint.step, checkpoint.version)
