"""The sphere around an object, from its silhouettes alone."""

import torch
from scipy import ndimage

from isopts.errors import InputError
from isopts.geometry.cameras import Cameras
from isopts.geometry.silhouette_maps import SilhouetteMaps
from isopts.geometry.sphere import Sphere
from isopts.geometry.visual_hull import VisualHull
from isopts.kernels.visual_hull import RANK_MAX

_RESOLUTION = 40  # cells along the cube around the sphere
_MARGIN = 1.2  # the hull fills the rest of the region, so that a fit has room around it
_GROWTH = 1.7
_GROWTHS_MAX = 6
_ROBUST_STEPS = 10
_SPECK_SHARE = 0.02  # of the largest part's cells

TOLERATED_MAX = RANK_MAX - 1
"""Most masks that may be wrong."""

WELL_SEEN = 0.75
"""Parts of a hull that on average fewer views see than this share of the best seen part's are no object."""


def hull_region(cameras: Cameras, maps: SilhouetteMaps, tolerated: int = 0, within: Sphere | None = None) -> Sphere:
    """The sphere around the visual hull, a fifth larger than it.

    Args:
        cameras: V, world frame, float64. maps: of their masks.
        tolerated: how many masks may be wrong.
        within: a sphere that is known to hold the object; the part of the hull outside its cube does not count.

    Raises:
        InputError: no point is inside all silhouettes but `tolerated`.
    """
    if within is None:
        center, radius = _first_guess(cameras, maps)
    else:
        center, radius = torch.tensor(within.center, dtype=torch.float64), within.radius
    for _ in range(_GROWTHS_MAX if within is None else 1):
        low, high, reach = _hull_bounds(cameras, maps, center, radius, tolerated)
        if reach < 1:
            break
        radius *= _GROWTH
    for _ in range(2):  # the first bounds are as coarse as the cells of the guess
        center, radius = (low + high) / 2, _MARGIN * float((high - low).norm()) / 2
        low, high, reach = _hull_bounds(cameras, maps, center, radius, tolerated)
    x, y, z = center.tolist()
    return Sphere((x, y, z), _MARGIN * radius * min(1.0, reach))


def _first_guess(cameras: Cameras, maps: SilhouetteMaps) -> tuple[torch.Tensor, float]:
    """The place (3,) nearest to the rays through the silhouettes' centres, and their median size there."""
    views, pixels, extents = [], [], []
    for view in range(len(maps)):
        inside = torch.nonzero(maps.map(view) < 0).double()
        if len(inside) == 0:
            continue
        middle = inside.mean(dim=0)
        extents.append((inside - middle).norm(dim=1).max() * maps.factors[view])
        pixels.append((middle.flip(0) + 0.5) * maps.factors[view] - 0.5)
        views.append(view)
    if not views:
        raise InputError("No mask shows an object; expected masks that are white on it.")
    chosen = cameras.select(views)
    origins, directions = chosen.rays(torch.arange(len(views)), torch.stack(pixels))
    center = _nearest_to_lines(origins, directions)
    depths = ((center - chosen.centers()) * chosen.viewing_directions()).sum(dim=1)
    sizes = torch.stack(extents) * depths.abs() / chosen.focal_lengths()
    return center, _MARGIN * float(sizes.median())


def _nearest_to_lines(origins: torch.Tensor, directions: torch.Tensor) -> torch.Tensor:
    """The point (3,) with the least sum of distances to the lines: unlike squares, a few wrong lines do not move it."""
    across = torch.eye(3, dtype=origins.dtype) - directions[:, :, None] * directions[:, None]
    weights = torch.ones(len(origins), dtype=origins.dtype)
    for _ in range(_ROBUST_STEPS):
        weighted = weights[:, None, None] * across
        # parallel lines leave their direction open: stay near their origins
        system = weighted.sum(dim=0) + 1e-9 * weights.sum() * torch.eye(3, dtype=origins.dtype)
        target = torch.einsum("vij,vj->i", weighted, origins) + 1e-9 * weights.sum() * origins.mean(dim=0)
        point = torch.linalg.solve(system, target)
        distances = torch.einsum("vij,vj->vi", across, point - origins).norm(dim=1)
        weights = 1 / distances.clamp_min(1e-3 * distances.median().clamp_min(1e-12))
    return point


def _hull_bounds(
    cameras: Cameras, maps: SilhouetteMaps, center: torch.Tensor, radius: float, tolerated: int
) -> tuple[torch.Tensor, torch.Tensor, float]:
    """Corners (3,) of the hull's bounding box in the cube around a sphere, and how far the hull reaches from the
    centre, in radii; 1 and more where it leaves the cube."""
    x, y, z = center.tolist()
    frame = Sphere((x, y, z), radius).frame()
    cell = 2 / _RESOLUTION
    axis = -1 + cell * (torch.arange(_RESOLUTION) + 0.5)
    points = torch.cartesian_prod(axis, axis, axis)
    found = VisualHull(maps.seen_by(cameras.in_frame(frame)), tolerated).distances(points)
    inside = points[_well_seen_parts(found.distances < cell / 2, found.seen)]
    if len(inside) == 0:
        raise InputError(
            "The silhouettes have no point in common: masks or camera poses contradict each other; look at both, or "
            "give the object's place with --sphere x y z radius."
        )
    leaves = bool((inside.abs().amax(dim=0) > 1 - cell).any())
    reach = 1.0 if leaves else min(float(inside.norm(dim=1).max()) + cell / 2, 0.999)
    low, high = (bound.double() * radius + center for bound in (inside.amin(dim=0), inside.amax(dim=0)))
    return low, high, reach


def _well_seen_parts(inside: torch.Tensor, seen: torch.Tensor) -> torch.Tensor:
    """`inside` (G^3,) without the parts that fewer views have in their images than the best seen part: they are left
    over where no silhouette says anything."""
    label, count = ndimage.label(inside.view([_RESOLUTION] * 3).numpy())
    if count == 0:
        return inside
    part = torch.from_numpy(label).flatten().long()
    cells = torch.bincount(part, minlength=count + 1)
    mean_seen = torch.bincount(part, weights=seen.double(), minlength=count + 1) / cells.clamp_min(1)
    mean_seen[0] = 0
    mean_seen[cells < _SPECK_SHARE * cells[1:].max()] = 0
    return inside & (mean_seen >= WELL_SEEN * mean_seen.max())[part]
