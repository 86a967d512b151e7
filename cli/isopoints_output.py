"""Where and what `isopts extract-isopoints` writes."""

import time
from pathlib import Path
from typing import Any

import torch
from rich.console import Console
from rich.table import Table

from isopts import __version__
from isopts.cli.restored_field import RestoredField
from isopts.data.points import write_points
from isopts.errors import InputError
from isopts.geometry.curvature import mean_curvature
from isopts.isopoints.edge_aware import EdgeAwareConfig
from isopts.isopoints.extract import IsoPoints, IsoPointsConfig, extract_isopoints
from isopts.kernels.neighbors import nearest_neighbors
from isopts.run.atomic import replacing

_SUFFIXES = (".ply", ".xyz", ".npy")
_CURVATURE_NEIGHBORS = 12


def choose_points_output(output: Path | None, count: int, overwrite: bool) -> Path:
    """The file to write. Checked before the work: known format, not there yet or to be overwritten."""
    target = output or Path(f"isopoints_{count}.ply")
    if target.suffix.lower() not in _SUFFIXES:
        raise InputError(f"-o '{target}' has no known format; use a name that ends in {', '.join(_SUFFIXES)}.")
    if target.exists() and not overwrite:
        raise InputError(f"'{target}' exists; add --overwrite to replace it, or choose another file with -o.")
    return target


def write_restored_isopoints(
    restored: RestoredField, count: int, edge_aware: bool, seed: int, target: Path
) -> dict[str, Any]:
    """Extract, move to the input's coordinates, write. Returns path, quality and seconds as plain values.

    Raises:
        InputError: the field has no surface, or the file cannot be written.
    """
    started = time.monotonic()
    with replacing(target) as temporary:  # before the work, so that a missing folder is told at once
        isopoints = _extract(restored, count, edge_aware, seed)
        seconds = time.monotonic() - started
        write_points(
            temporary,
            restored.frame.to_world(isopoints.points),
            isopoints.normals.cpu().numpy(),
            scalars={"curvature": _world_curvature(isopoints, restored)},
            comments=[f"isopts {__version__}, input coordinates, step {restored.step}, mean curvature"],
        )
    return {"path": str(target), **isopoints.quality.as_dict(), "seconds": round(seconds, 3)}


def _extract(restored: RestoredField, count: int, edge_aware: bool, seed: int) -> IsoPoints:
    config = IsoPointsConfig(edge_aware=EdgeAwareConfig() if edge_aware else None)
    generator = torch.Generator().manual_seed(seed)
    device = next(restored.field.parameters()).device
    isopoints = extract_isopoints(restored.field.value_and_gradient, count, config, generator=generator, device=device)
    if len(isopoints.points) < 2:
        raise InputError("The field of this checkpoint has no surface; fit longer, or check the input's normals.")
    return isopoints


def _world_curvature(isopoints: IsoPoints, restored: RestoredField) -> Any:
    """(N,) float32 mean curvature in one over the input's unit."""
    k = min(_CURVATURE_NEIGHBORS + 1, len(isopoints.points))
    neighbors = nearest_neighbors(isopoints.points, isopoints.points, k).indices[:, 1:]
    unit = mean_curvature(isopoints.points, isopoints.normals, neighbors)
    return (unit * restored.frame.scale).cpu().numpy()


def print_quality(result: dict[str, Any]) -> None:
    """The table on stdout."""
    table = Table(box=None, show_header=False, pad_edge=False)
    rows = {
        "iso-points": f"{result['count']:,}",
        "residual |f|": f"{result['residual_mean']:.2g} mean, {result['residual_max']:.2g} max (unit frame)",
        "spacing": f"{result['spacing']:.5f} (unit frame), variation {result['spacing_variation']:.3f}",
        "largest hole": f"{result['largest_hole']:.2f} spacings",
        "unconverged": f"{100 * result['unconverged']:.2f} % of the candidates, left out",
        "seconds": f"{result['seconds']:.2f}",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    print(result["path"])
    Console().print(table)
