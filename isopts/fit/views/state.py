"""What a checkpoint of a fit of posed images holds besides networks, optimizer and cameras: its state between steps."""

from collections.abc import Mapping

import torch

from isopts.fit.stored_state import stored_tensor
from isopts.fit.views.objective import MvrObjective
from isopts.fit.views.surfels import Surfels
from isopts.render.sampled_field import sampled_side

_SURFELS, _GRID = "surfel.", "sampled_field"


def objective_tensors(objective: MvrObjective) -> dict[str, torch.Tensor]:
    """For `restore_objective`."""
    tensors = {} if objective.photo is None else objective.photo.tensors()
    if objective.grid is not None:
        tensors[_GRID] = objective.grid
    if (surfels := objective.surfels) is not None:
        parts = surfels._asdict() | {"uniform": torch.tensor(float(surfels.uniform))}
        tensors |= {_SURFELS + name: part for name, part in parts.items()}
    return tensors


def restore_objective(
    objective: MvrObjective, tensors: Mapping[str, torch.Tensor], views: int, resolution: int, source: str
) -> None:
    """Continue where `tensors` were taken.

    Args:
        views: number of fitted ones. resolution: of the sampled field, as configured. source: the checkpoint's file.

    Raises:
        InputError: they are damaged; names `source`.
    """
    device = objective.device
    surfels = grid = None
    if _SURFELS + "points" in tensors:
        surfels = _stored_surfels(tensors, views, source, device)
    if _GRID in tensors:
        side = sampled_side(resolution)
        grid = stored_tensor(tensors, _GRID, (side, side, side), source).to(device)
    if objective.photo is not None:
        objective.photo.restore(tensors, 0 if surfels is None else len(surfels.points), source)
    objective.restore(surfels, grid)


def _stored_surfels(tensors: Mapping[str, torch.Tensor], views: int, source: str, device: torch.device) -> Surfels:
    count = len(stored_tensor(tensors, _SURFELS + "points", (-1, 3), source))
    shapes = {"points": (count, 3), "normals": (count, 3), "cosines": (count, views), "errors": (count,)}
    parts = {name: stored_tensor(tensors, _SURFELS + name, shape, source) for name, shape in shapes.items()}
    uniform = int(stored_tensor(tensors, _SURFELS + "uniform", (), source))
    return Surfels(**{name: part.to(device) for name, part in parts.items()}, uniform=uniform)
