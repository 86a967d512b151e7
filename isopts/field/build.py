"""Build a field from its configuration, and restore one from a checkpoint."""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import torch
from pydantic import Field as Describe

from isopts.config import StrictModel, config_from_dict
from isopts.errors import InputError
from isopts.field.geometric_mlp import GeometricMlpConfig, GeometricMlpField
from isopts.field.grid import GridConfig, GridField
from isopts.field.initial_sphere import start_as_sphere
from isopts.field.siren import SirenConfig, SirenField


class Field(Protocol):
    """The contract of every decoder; all of them are nn.Modules."""

    def value(self, points: torch.Tensor) -> torch.Tensor:
        """(N, 3) -> (N,): signed distance, negative inside, unit frame."""

    def value_and_gradient(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(N, 3) -> (N,), (N, 3): also the exact spatial gradient; one ordinary backward reaches the parameters."""


class FieldConfig(StrictModel):
    """Only the chosen decoder's part is used."""

    decoder: Literal["grid", "siren", "sdf"] = Describe(
        "grid",
        description="grid: feature grid, fast; siren: sinusoidal network of the point-cloud paper recipe; "
        "sdf: geometric network of IDR, for the multi-view paper recipe",
    )
    grid: GridConfig = Describe(GridConfig(), description="the grid decoder")
    siren: SirenConfig = Describe(SirenConfig(), description="the siren decoder")
    sdf: GeometricMlpConfig = Describe(GeometricMlpConfig(), description="the sdf decoder")


def build_field(config: FieldConfig, generator: torch.Generator | None = None) -> Field:
    """A new field on the CPU that is a sphere of the configured radius.

    `generator` draws the initial parameters; None uses torch's global one. The spheres of `siren` and `sdf` are
    fitted at the first use of these parameters (seconds) and cached.
    """
    field = _construct(config, generator)
    match config.decoder:
        case "grid":
            pass  # a sphere by construction
        case "siren":
            start_as_sphere(field, config.siren.radius, steps=300, learning_rate=1e-3)
        case "sdf":  # a rough sphere by construction
            start_as_sphere(field, config.sdf.radius, steps=60, learning_rate=2e-4)
    return field


def restore_field(
    config: Mapping[str, Any], state: Mapping[str, torch.Tensor], source: str = "the checkpoint"
) -> Field:
    """The field of a checkpoint, from `FieldConfig.model_dump()` and `state_dict()`; `source` names it in errors.

    Raises:
        ConfigError: the configuration has an unknown key or a wrong type.
        InputError: the parameters are not those of the configured decoder, or not finite.
    """
    field = _construct(config_from_dict(FieldConfig, _with_interpolation(config), source), torch.Generator())
    expected = field.state_dict()
    if missing := sorted(expected.keys() - state.keys()):
        raise InputError(f"{source} is of another version: its field lacks the parameters {', '.join(missing)}.")
    if unexpected := sorted(str(name) for name in state.keys() - expected.keys()):
        raise InputError(f"{source} is of another version: its field has unknown parameters {', '.join(unexpected)}.")
    for name, tensor in expected.items():
        given = state[name]
        if not isinstance(given, torch.Tensor) or given.shape != tensor.shape:
            shape = tuple(given.shape) if isinstance(given, torch.Tensor) else type(given).__name__
            raise InputError(f"{source} is damaged: {name} should have shape {tuple(tensor.shape)}, got {shape}.")
        if not bool(given.isfinite().all()):
            raise InputError(f"{source} is of a fit that had diverged: {name} holds values that are not finite.")
    field.load_state_dict(dict(state))
    return field


def _with_interpolation(config: Mapping[str, Any]) -> Mapping[str, Any]:
    """Grids were linear before the configuration said so."""
    grid = config.get("grid")
    if not isinstance(grid, Mapping) or "interpolation" in grid:
        return config
    return {**config, "grid": {"interpolation": "linear", **grid}}


def _construct(config: FieldConfig, generator: torch.Generator | None) -> Field:
    match config.decoder:
        case "grid":
            return GridField(config.grid, generator)
        case "siren":
            return SirenField(config.siren, generator)
        case "sdf":
            return GeometricMlpField(config.sdf, generator)
