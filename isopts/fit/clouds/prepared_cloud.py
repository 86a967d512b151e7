"""A scan made ready for fitting: clean, oriented, in the unit frame."""

import math
from dataclasses import dataclass, field

import numpy as np
import torch
from torch.nn import functional

from isopts.data.points import POINTS_MIN, PointCloud
from isopts.errors import InputError
from isopts.fit.clouds.config import PrepareConfig
from isopts.geometry.adaptive_planes import adaptive_planes, flatness
from isopts.geometry.denoise_normals import denoise_normals
from isopts.geometry.frames import WorldToUnit
from isopts.geometry.noise import noise_and_support
from isopts.geometry.normals import estimate_normals
from isopts.geometry.orientation import orient_normals
from isopts.geometry.outliers import clutter, stray_points
from isopts.geometry.repair_normals import contradicted_share, opposite_offset, repair_normals
from isopts.geometry.thinning import thin_points
from isopts.kernels.local_planes import LocalPlanes
from isopts.kernels.neighbors import nearest_neighbors

_NEIGHBORS = 16
_PASSES, _FEW = 4, 0.01  # of the search for outliers, which ends when it drops less than this share
_FRAME_SAMPLE, _FRAME_QUANTILES = 100_000, (0.01, 0.99)
_CONTRADICTED_MAX = 0.03  # share of the normals; noise and outliers alone reach half of it
_ONE_SHEET = 0.1  # opposite_offset up to which contradicting normals are errors and not the other side of a wall
_FLAT = 1e-3  # flatness below which normals are equally good
_DENOISING_ANGLE_DEGREES = 20.0  # of the paper's point-cloud recipe


@dataclass(frozen=True)
class PreparedCloud:
    """points, normals: (N, 3) float32, unit frame; the normals are unit vectors pointing outward.
    noise: standard deviation along the normal. spacing: square root of the median area that a point stands for.
    normals_estimated: the scan had none. normal_trust: (N,) in [0, 1], of estimated normals; None: full.
    notes: sentences for the user about what was done. dropped: outliers."""

    points: torch.Tensor
    normals: torch.Tensor
    noise: float
    spacing: float
    frame: WorldToUnit
    normals_estimated: bool = False
    normal_trust: torch.Tensor | None = None
    notes: list[str] = field(default_factory=list)
    dropped: int = 0


def prepare_cloud(cloud: PointCloud, config: PrepareConfig, device: torch.device) -> PreparedCloud:
    """Thin a dense scan, drop outliers, choose the frame from what is left, estimate noise, complete the normals.

    Raises InputError when too few points are left.
    """
    notes = []
    cloud = _thinned(cloud, config.thin_to, device, notes)
    kept, radius = _inliers(cloud, config, device)
    if (dropped := len(cloud) - len(kept)) > 0:
        notes.append(
            f"{dropped:,} of {len(cloud):,} points lie far from the others or in clutter and were dropped as outliers."
        )
    if len(kept) < POINTS_MIN:
        raise InputError(f"Only {len(kept)} usable points are left; at least {POINTS_MIN} are needed.")
    frame = WorldToUnit.from_bounds(cloud.points[kept], config.longest_side)
    points = frame.to_unit(cloud.points[kept], device)
    given = None if cloud.normals is None else cloud.normals[kept]
    normals, trust = _normals(points, given, config.normal_neighbors, notes)
    noise = noise_and_support(points, normals)
    if config.denoise_normals:
        neighbors = nearest_neighbors(points, points, noise.k).indices
        normals = denoise_normals(points, normals, neighbors, _DENOISING_ANGLE_DEGREES)
    spacing = frame.scale * float(radius.median()) * (math.pi / _NEIGHBORS) ** 0.5
    return PreparedCloud(points, normals, noise.deviation, spacing, frame, given is None, trust, notes, dropped)


def _thinned(cloud: PointCloud, thin_to: int, device: torch.device, notes: list[str]) -> PointCloud:
    """`cloud`, or averages of groups of its points where it has at least twice as many as `thin_to`."""
    group = len(cloud) // thin_to if thin_to > 0 else 1
    if group < 2:
        return cloud
    local = _local_frame(cloud.points)
    normals = None if cloud.normals is None else torch.from_numpy(cloud.normals).to(device)
    points, normals = thin_points(local.to_unit(cloud.points, device), normals, group)
    notes.append(f"Each {group} of {len(cloud):,} points were averaged to one (prepare.thin_to changes that).")
    return PointCloud(local.to_world(points), None if normals is None else normals.cpu().numpy())


def _local_frame(points: np.ndarray) -> WorldToUnit:
    """One whose single precision does not suffer from outliers a thousand times farther away than the scan is long."""
    sample = points[:: -(-len(points) // _FRAME_SAMPLE)]
    return WorldToUnit.from_bounds(np.quantile(sample, _FRAME_QUANTILES, axis=0, method="nearest"))


def _inliers(cloud: PointCloud, config: PrepareConfig, device: torch.device) -> tuple[np.ndarray, torch.Tensor]:
    """Indices (M,) of the points whose 16th neighbour is about as far as it is for most points, and for the
    neighbours, and that are not in clutter; and the distance of that neighbour (M,), in the unit of the cloud.

    Outliers in number are each other's neighbours: they are thinned pass by pass, until little is found.
    """
    frame = _local_frame(cloud.points)
    local = frame.to_unit(cloud.points, device)
    normals = None
    if cloud.normals is not None:
        normals = functional.normalize(torch.from_numpy(cloud.normals).to(local), dim=1)
    kept = torch.arange(len(local), device=device)
    for _ in range(_PASSES):
        points = local[kept]
        found = nearest_neighbors(points, points, min(_NEIGHBORS, len(points)))
        radius = found.squared_distances[:, -1].sqrt()
        good = torch.ones_like(radius, dtype=torch.bool)
        if config.outlier_factor > 0:
            good &= radius <= config.outlier_factor * radius.median()
            good &= ~clutter(points, None if normals is None else normals[kept], found.indices)
        if config.local_outlier_factor > 0:
            good &= radius <= config.local_outlier_factor * radius[found.indices].median(dim=1).values
        kept, radius = kept[good], radius[good]
        if int(good.sum()) >= (1 - _FEW) * len(good) or len(kept) <= _NEIGHBORS:
            break
    return kept.cpu().numpy(), radius / frame.scale


def _normals(
    points: torch.Tensor, given: np.ndarray | None, neighbors: int, notes: list[str]
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Outward unit normals (N, 3) and the trust in them (N,), None for full trust: the given ones, or estimated from
    `neighbors` each, 0 for as many as it takes."""
    if given is not None:
        return _consistent(points, functional.normalize(torch.from_numpy(given).to(points), dim=1), notes), None
    notes.append("The scan has no normals: they were estimated and oriented outward.")
    if neighbors > 0:
        return orient_normals(points, estimate_normals(points, neighbors)), None
    planes = adaptive_planes(points)
    return orient_normals(points, planes.normals, ~stray_points(points, planes)), _trust(planes)


def _trust(planes: LocalPlanes) -> torch.Tensor:
    """(N,) the inverse of the squared error to expect of a normal, 1 for the flatter half of the planes."""
    errors = flatness(planes).clamp_min(_FLAT)
    return (errors.median() / errors).square().clamp_max(1)


def _consistent(points: torch.Tensor, given: torch.Tensor, notes: list[str]) -> torch.Tensor:
    """The given normals, those turned around that contradict their neighbours where that is more than noise does, and
    more than walls do whose sheets noise has mixed."""
    share = contradicted_share(points, given)
    if share <= _CONTRADICTED_MAX or abs(opposite_offset(points, given)) > _ONE_SHEET:
        return given
    notes.append(f"About {100 * share:.0f} % of the normals face the wrong way for their neighbours and were turned.")
    return repair_normals(points, given, share)
