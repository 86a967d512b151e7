"""Cameras and points that explain where points are seen: Gauss-Newton, the points eliminated (Triggs et al., 2000)."""

from typing import NamedTuple

import torch

from isopts.geometry.camera_corrections import CameraCorrections, cross_matrices
from isopts.geometry.cameras import Cameras
from isopts.geometry.gauge_motion import without_gauge_motion

_OUTLIER, _MEDIANS = 3.0, 2.5  # of residuals in standard deviations, and against their median: a quarter of the weight
_POINT_STEP = 0.3  # unit frame: about how far a point may move at once where its views do not tell its depth


class Sightings(NamedTuple):
    """Where N points are seen in up to K views each: views (N, K) int64, -1: none; pixels (N, K, 2); covariances
    (N, K, 2, 2) of these, square pixels. float64."""

    views: torch.Tensor
    pixels: torch.Tensor
    covariances: torch.Tensor


class Adjusted(NamedTuple):
    """corrections: of the cameras. points: (N, 3). residuals: (N, K) in standard deviations; infinite where there is no
    sighting, or behind the camera."""

    corrections: CameraCorrections
    points: torch.Tensor
    residuals: torch.Tensor


class CorrectionSizes(NamedTuple):
    """Standard deviations that corrections are expected to have. rotation: radians. translation: of the distance of a
    camera from the origin. focal: relative; 0: focal lengths stay."""

    rotation: float
    translation: float
    focal: float


@torch.no_grad()
def adjust_bundle(
    cameras: Cameras,
    corrections: CameraCorrections,
    points: torch.Tensor,
    sightings: Sightings,
    sizes: CorrectionSizes,
    iterations: int,
    fixed: tuple[torch.Tensor, Sightings] | None = None,
) -> Adjusted:
    """Minimise residuals of sightings, robustly (Geman and McClure), and the squares of corrections over their expected
    sizes.

    What images cannot tell, a common motion and scale of cameras and points, is chosen so that these squares are as
    small as can be; fixed points pull at it, too, but have no say in it. The points stay in the frame without it.

    Args:
        cameras: as given, V, float64. corrections: to begin with. points: (N, 3), to begin with. fixed: points (M, 3)
            that stay where they are, and their sightings.
    """
    vectors, points = corrections.vectors().clone(), points.double()
    unknowns = 7 if sizes.focal > 0 else 6
    stiffness = _stiffness(cameras, sizes)[:, :unknowns]
    for _ in range(iterations):
        terms = _linearized(cameras, vectors, points, sightings)
        equations = _Equations.without_points(terms, sightings.views, unknowns, len(cameras))
        if fixed is not None:
            equations.add_cameras(_linearized(cameras, vectors, *fixed), fixed[1].views)
        step = equations.solve(stiffness, stiffness * vectors[:, :unknowns])
        vectors[:, :unknowns] += step
        points = points + equations.point_moves(step)
    terms = _linearized(cameras, vectors, points, sightings)
    residuals = torch.where(terms.counts, terms.squares.sqrt(), torch.inf)
    found = without_gauge_motion(cameras, CameraCorrections.from_vectors(vectors), _stiffness(cameras, sizes))
    return Adjusted(found, points, residuals)


def _stiffness(cameras: Cameras, sizes: CorrectionSizes) -> torch.Tensor:
    """(V, 7) one over the expected variances."""
    distances = cameras.centers().norm(dim=1, keepdim=True)
    rotation = torch.full_like(distances, sizes.rotation).expand(-1, 3)
    focal = torch.full_like(distances, sizes.focal or 1.0)
    return torch.cat([rotation, (sizes.translation * distances).expand(-1, 3), focal], dim=1) ** -2


def _weights(squares: torch.Tensor, counts: torch.Tensor) -> torch.Tensor:
    """(N, K), of squared residuals: those far beyond their median, most of which may yet be large, count little."""
    median = squares[counts].median() if bool(counts.any()) else squares.new_zeros(())
    scale = (_MEDIANS**2 * median).clamp_min(_OUTLIER**2)
    return torch.where(counts, (1 + squares / scale) ** -2, 0)


class _Terms(NamedTuple):
    """errors: sighted minus projected pixels (N, K, 2). by_camera (N, K, 2, 7), by_point (N, K, 2, 3): derivatives of
    the projection. information: (N, K, 2, 2), weighted. squares: (N, K), of errors in standard deviations. counts:
    (N, K) bool, where there is a sighting in front of its camera."""

    errors: torch.Tensor
    by_camera: torch.Tensor
    by_point: torch.Tensor
    information: torch.Tensor
    squares: torch.Tensor
    counts: torch.Tensor


def _linearized(cameras: Cameras, vectors: torch.Tensor, points: torch.Tensor, sightings: Sightings) -> _Terms:
    corrected = CameraCorrections.from_vectors(vectors).applied(cameras)
    views = sightings.views.clamp_min(0)
    rotations, linear = corrected.rotations[views], corrected.intrinsics[views][..., :2, :2]
    turned = torch.einsum("nkij,nj->nki", rotations, points) + corrected.translations[views]
    counts = (sightings.views >= 0) & (turned[..., 2] > 0)
    depth = torch.where(counts, turned[..., 2], 1)[..., None]
    flat = turned[..., :2] / depth
    spread = torch.einsum("nkij,nkj->nki", linear, flat)
    errors = sightings.pixels - spread - corrected.intrinsics[views][..., :2, 2]
    eye = torch.eye(2, dtype=torch.float64, device=points.device)
    by_place = linear @ torch.cat([eye.expand(*flat.shape[:2], 2, 2), -flat[..., None]], dim=3) / depth[..., None]
    arms = turned - vectors[views][..., 3:6]  # turns are about the centre, before the move
    by_camera = torch.cat([-by_place @ cross_matrices(arms), by_place, spread[..., None]], dim=3)
    information = torch.linalg.inv(torch.where(counts[..., None, None], sightings.covariances, eye))
    squares = torch.einsum("nki,nkij,nkj->nk", errors, information, errors)
    weighted = information * _weights(squares, counts)[..., None, None]
    return _Terms(errors, by_camera, by_place @ rotations, weighted, squares, counts)


class _Equations:
    """Normal equations of V cameras with U unknowns each."""

    def __init__(self, unknowns: int, count: int):
        self._unknowns, self._count = unknowns, count
        self._blocks = torch.zeros(count * count, unknowns, unknowns, dtype=torch.float64)
        self._right = torch.zeros(count, unknowns, dtype=torch.float64)

    @staticmethod
    def without_points(terms: _Terms, views: torch.Tensor, unknowns: int, count: int) -> "_Equations":
        """Of cameras and points, the points eliminated."""
        made = _Equations(unknowns, count)
        views = views.clamp_min(0)  # without a sighting the information is 0
        made.add_cameras(terms, views)
        camera_side = terms.by_camera[..., :unknowns].mT @ terms.information
        point_side = terms.by_point.mT @ terms.information
        made._views, made._mixed = views, camera_side @ terms.by_point  # (N, K, U, 3)
        made._pull = torch.einsum("nkui,nki->nu", point_side, terms.errors)
        damping = torch.eye(3, dtype=torch.float64) / _POINT_STEP**2
        made._inverse = torch.linalg.inv((point_side @ terms.by_point).sum(dim=1) + damping)
        eliminated = made._mixed @ made._inverse[:, None]
        products = eliminated[:, :, None] @ made._mixed.mT[:, None]  # (N, K, K, U, U)
        pairs = views[:, :, None] * count + views[:, None, :]
        made._blocks.index_add_(0, pairs.flatten(), products.flatten(0, 2), alpha=-1)
        pulls = torch.einsum("nkui,ni->nku", eliminated, made._pull)
        made._right.index_add_(0, views.flatten(), pulls.flatten(0, 1), alpha=-1)
        return made

    def add_cameras(self, terms: _Terms, views: torch.Tensor) -> None:
        """What sightings say of their cameras alone."""
        views = views.clamp_min(0).flatten()
        derivatives = terms.by_camera[..., : self._unknowns]
        side = derivatives.mT @ terms.information
        self._blocks.index_add_(0, views * (self._count + 1), (side @ derivatives).flatten(0, 1))
        self._right.index_add_(0, views, torch.einsum("nkui,nki->nku", side, terms.errors).flatten(0, 1))

    def solve(self, stiffness: torch.Tensor, pull: torch.Tensor) -> torch.Tensor:
        """Steps of the cameras (V, U). stiffness, pull: (V, U), of the corrections' own squares."""
        size = self._count * self._unknowns
        blocks = self._blocks.view(self._count, self._count, self._unknowns, self._unknowns)
        matrix = blocks.transpose(1, 2).reshape(size, size)
        matrix.diagonal().add_(stiffness.flatten())
        return torch.linalg.solve(matrix, (self._right - pull).flatten()).view(self._count, self._unknowns)

    def point_moves(self, step: torch.Tensor) -> torch.Tensor:
        """(N, 3), of the eliminated points where the cameras make `step`."""
        pulls = self._pull - torch.einsum("nkui,nku->ni", self._mixed, step[self._views])
        return torch.einsum("nij,nj->ni", self._inverse, pulls)
