"""What a checkpoint of a fit of posed images holds besides networks, optimizer and cameras: its state between steps."""

from collections.abc import Mapping

import torch

from isopts.fit.stored_state import stored_tensor
from isopts.fit.views.objective import MvrObjective
from isopts.fit.views.surfels import Surfels
from isopts.render.sampled_field import sampled_side

_SURFELS, _GRID, _FREE = "surfel.", "sampled_field", "free_points"


def objective_tensors(objective: MvrObjective) -> dict[str, torch.Tensor]:
    """For `restore_objective`."""
    tensors = {} if objective.agreement is None else dict(objective.agreement.tensors())
    if objective.grid is not None:
        tensors[_GRID] = objective.grid
    if (free := objective.free_points) is not None and len(free) > 0:
        tensors[_FREE] = free
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
    surfels = grid = free = None
    if _SURFELS + "points" in tensors:
        surfels = _stored_surfels(tensors, views, source, device)
    if _GRID in tensors:
        side = sampled_side(resolution)
        grid = stored_tensor(tensors, _GRID, (side, side, side), source).to(device)
    if _FREE in tensors:
        free = stored_tensor(tensors, _FREE, (-1, 3), source).to(device)
    if objective.agreement is not None:
        objective.agreement.restore(tensors, source)
    objective.restore(surfels, grid, free)


def _stored_surfels(tensors: Mapping[str, torch.Tensor], views: int, source: str, device: torch.device) -> Surfels:
    count = len(stored_tensor(tensors, _SURFELS + "points", (-1, 3), source))
    shapes = {"points": (count, 3), "normals": (count, 3), "cosines": (count, views), "errors": (count,)}
    parts = {name: stored_tensor(tensors, _SURFELS + name, shape, source) for name, shape in shapes.items()}
    uniform = int(stored_tensor(tensors, _SURFELS + "uniform", (), source))
    return Surfels(**{name: part.to(device) for name, part in parts.items()}, uniform=uniform)
