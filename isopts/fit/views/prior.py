"""Sparse points on the surface, made ready to steer a fit of images, and the term by which they do."""

from dataclasses import replace

import torch
from torch.nn import functional

from isopts.data.point_cloud import PointCloud
from isopts.data.points import POINTS_MIN
from isopts.errors import InputError
from isopts.fit.clouds.config import PrepareConfig
from isopts.fit.clouds.prepared_cloud import PreparedCloud, prepare_cloud
from isopts.geometry.frames import WorldToUnit

_POINTS_MAX = 20_000


def usable_prior(
    points: PointCloud | None, frame: WorldToUnit, device: torch.device, asked_for: bool, notes: list[str]
) -> PreparedCloud | None:
    """`prepare_prior` with a note; None where there are no points, or too few that nobody asked for.

    Raises:
        InputError: too few that were asked for.
    """
    if points is None:
        return None
    try:
        prior = prepare_prior(points, frame, device)
    except InputError as error:
        if asked_for:
            raise
        notes.append(f"COLMAP's points are not used. {error}")
        return None
    dropped = f"; {prior.dropped:,} were dropped as outliers" if prior.dropped else ""
    notes.append(
        f"{len(prior.points):,} of {len(points):,} points on the surface steer the fit (losses.prior){dropped}."
    )
    return prior


def prepare_prior(cloud: PointCloud, frame: WorldToUnit, device: torch.device) -> PreparedCloud:
    """The points in the unit sphere of `frame`, without outliers, with normals; lengths in the unit of `frame`.

    Raises:
        InputError: fewer than POINTS_MIN are left.
    """
    inside = frame.to_unit(cloud.points).norm(dim=1).numpy() < 1
    if inside.sum() < POINTS_MIN:
        raise InputError(
            f"Only {inside.sum()} of {len(cloud)} points on the surface are in the region of interest; at least "
            f"{POINTS_MIN} are needed: are they in the frame of the cameras?"
        )
    cloud = PointCloud(cloud.points[inside], None if cloud.normals is None else cloud.normals[inside])
    found = prepare_cloud(cloud, PrepareConfig(thin_to=_POINTS_MAX), device)
    points = frame.to_unit(found.frame.to_world(found.points), device)
    ratio = frame.scale / found.frame.scale
    return replace(found, points=points, noise=ratio * found.noise, spacing=ratio * found.spacing, frame=frame)


def prior_loss(values: torch.Tensor, noise: float, reach: float) -> torch.Tensor:
    """Mean of |f| beyond the points' `noise`, `reach` at most, at points (N,) that lie on the surface. Within the noise
    the images know better; points farther away are outliers and pull not."""
    return functional.relu(values.abs() - noise).clamp_max(reach).mean()
