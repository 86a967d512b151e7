"""What the iso-points contribute to the fit: the same field and budget with parts of them switched off."""

from collections.abc import Sequence
from statistics import mean

from points.methods import MESH_ONLY, Method
from points.page import markdown_table
from points.results import Row

LEVELS = ("noise 1", "outliers 10")
SHAPES = ("bracket", "angel", "nefertiti")
VARIANTS = {
    "no iso-points": ("isopoints.enabled=false",),
    "data weights only": ("losses.isopoint=0", "losses.isopoint_normal=0", "losses.isopoint_normal_estimated=0"),
    "iso terms only": ("isopoints.weights=none",),
    "weights and iso terms": (),
    "edge-aware": ("isopoints.extraction.edge_aware={}",),
}
"""Overrides of the default configuration, by which everything but the first and the last is reached."""


def ablation_methods() -> list[Method]:
    """fit-points with the overrides of each variant."""
    return [
        Method(f"isopts, {name}", (*MESH_ONLY, *(part for value in values for part in ("--set", value))))
        for name, values in VARIANTS.items()
    ]


def ablation_table(rows: Sequence[Row]) -> str:
    """One line a variant: the error relative to the first variant, mean over the clouds; gain: by how much lower."""
    methods = [method.name for method in ablation_methods()]
    by_cloud: dict[tuple[str, str], dict[str, Row]] = {}
    for row in rows:
        by_cloud.setdefault((row.shape, row.level), {})[row.method] = row
    clouds = [
        found for found in by_cloud.values() if all(name in found and not found[name].failure for name in methods)
    ]
    lines = []
    for name in methods if clouds else []:
        chamfer = mean(cloud[name].chamfer / cloud[methods[0]].chamfer for cloud in clouds)
        roughness = mean(cloud[name].roughness / cloud[methods[0]].roughness for cloud in clouds)
        gains = (f"{100 * (1 - ratio):+.1f} %" for ratio in (chamfer, roughness))
        seconds = f"{mean(cloud[name].seconds for cloud in clouds):.1f}"
        lines.append((name.removeprefix("isopts, "), str(len(clouds)), *gains, seconds))
    return markdown_table(("variant", "clouds", "gain in chamfer", "gain in 1 - normals", "seconds"), lines)
