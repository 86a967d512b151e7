"""Cameras and points that explain where points are seen: Gauss-Newton, the points eliminated (Triggs et al., 2000)."""

from typing import NamedTuple

import torch

from isopts.geometry.camera_corrections import CameraCorrections, cross_matrices
from isopts.geometry.cameras import Cameras

_OUTLIER, _MEDIANS = 3.0, 2.5  # of residuals in standard deviations, and against their median: half the weight
_POINT_STEP = 0.3  # unit frame: about how far a point may move at once where its views do not tell its depth


class Sightings(NamedTuple):
    """Where N points are seen in up to K views each: views (N, K) int64, -1: none; pixels (N, K, 2); covariances
    (N, K, 2, 2) of these, square pixels. float64."""

    views: torch.Tensor
    pixels: torch.Tensor
    covariances: torch.Tensor


class Adjusted(NamedTuple):
    """corrections: of the cameras. points: (N, 3). residuals: (N, K) in standard deviations; infinite where there is no
    sighting, or behind the camera. errors: (N, K), pixels."""

    corrections: CameraCorrections
    points: torch.Tensor
    residuals: torch.Tensor
    errors: torch.Tensor


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
) -> Adjusted:
    """Minimise residuals of sightings, robustly (Cauchy), and the squares of corrections over their expected sizes.

    Those squares also settle what images cannot tell: of all common motions and scales of cameras and points the one
    that changes the given cameras least.

    Args:
        cameras: as given, V, float64. corrections: to begin with. points: (N, 3), to begin with.
    """
    vectors, points = corrections.vectors().clone(), points.double()
    unknowns = 7 if sizes.focal > 0 else 6
    stiffness = _stiffness(cameras, sizes)[:, :unknowns]
    seen = sightings.views >= 0
    information = torch.linalg.inv(torch.where(seen[..., None, None], sightings.covariances, torch.eye(2).double()))
    for _ in range(iterations):
        errors, by_camera, by_point, ahead = _linearized(cameras, vectors, points, sightings)
        squares = torch.einsum("nki,nkij,nkj->nk", errors, information, errors)
        weights = _weights(squares, seen & ahead)
        step, moves = _solve(
            errors, by_camera[..., :unknowns], by_point, information * weights[..., None, None], sightings.views,
            stiffness, stiffness * vectors[:, :unknowns],
        )  # fmt: skip
        vectors[:, :unknowns] += step
        points = points + moves
    errors, _, _, ahead = _linearized(cameras, vectors, points, sightings)
    squares = torch.einsum("nki,nkij,nkj->nk", errors, information, errors)
    residuals = torch.where(seen & ahead, squares.sqrt(), torch.inf)
    return Adjusted(CameraCorrections.from_vectors(vectors), points, residuals, errors.norm(dim=2))


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
    return torch.where(counts, 1 / (1 + squares / scale), 0)


def _linearized(
    cameras: Cameras, vectors: torch.Tensor, points: torch.Tensor, sightings: Sightings
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor, torch.Tensor]:
    """Sighted minus projected pixels (N, K, 2), derivatives of the projection by the camera (N, K, 2, 7) and by the
    point (N, K, 2, 3), and whether the point is in front (N, K)."""
    corrected = CameraCorrections.from_vectors(vectors).applied(cameras)
    views = sightings.views.clamp_min(0)
    rotations, linear = corrected.rotations[views], corrected.intrinsics[views][..., :2, :2]
    turned = torch.einsum("nkij,nj->nki", rotations, points) + corrected.translations[views]
    ahead = turned[..., 2] > 0
    depth = torch.where(ahead, turned[..., 2], 1)[..., None]
    flat = turned[..., :2] / depth
    spread = torch.einsum("nkij,nkj->nki", linear, flat)
    errors = sightings.pixels - spread - corrected.intrinsics[views][..., :2, 2]
    eye = torch.eye(2, dtype=torch.float64, device=points.device).expand(*flat.shape[:2], 2, 2)
    by_place = linear @ torch.cat([eye, -flat[..., None]], dim=3) / depth[..., None]
    arms = turned - vectors[views][..., 3:6]  # turns are about the centre, before the move
    by_camera = torch.cat([-by_place @ cross_matrices(arms), by_place, spread[..., None]], dim=3)
    return errors, by_camera, by_place @ rotations, ahead


def _solve(
    errors: torch.Tensor,
    by_camera: torch.Tensor,
    by_point: torch.Tensor,
    information: torch.Tensor,
    views: torch.Tensor,
    stiffness: torch.Tensor,
    pull: torch.Tensor,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Steps of the cameras (V, U) and moves of the points (N, 3). stiffness, pull: (V, U)."""
    count, unknowns = stiffness.shape
    views = views.clamp_min(0)  # without a sighting the information is 0
    camera_side, point_side = by_camera.mT @ information, by_point.mT @ information
    mixed = camera_side @ by_point  # (N, K, U, 3)
    camera_pull = torch.einsum("nkui,nki->nku", camera_side, errors)
    point_pull = torch.einsum("nkui,nki->nu", point_side, errors)
    damping = torch.eye(3, dtype=torch.float64, device=views.device) / _POINT_STEP**2
    inverse = torch.linalg.inv((point_side @ by_point).sum(dim=1) + damping)
    eliminated = mixed @ inverse[:, None]  # (N, K, U, 3)

    pairs = views[:, :, None] * count + views[:, None, :]
    blocks = errors.new_zeros(count * count, unknowns, unknowns)
    products = eliminated[:, :, None] @ mixed.mT[:, None]  # (N, K, K, U, U)
    blocks.index_add_(0, pairs.flatten(), products.flatten(0, 2), alpha=-1)
    blocks.index_add_(0, (views * (count + 1)).flatten(), (camera_side @ by_camera).flatten(0, 1))
    matrix = blocks.view(count, count, unknowns, unknowns).transpose(1, 2).reshape(count * unknowns, count * unknowns)
    matrix.diagonal().add_(stiffness.flatten())
    right = errors.new_zeros(count, unknowns).index_add_(
        0, views.flatten(), (camera_pull - torch.einsum("nkui,ni->nku", eliminated, point_pull)).flatten(0, 1)
    )
    step = torch.linalg.solve(matrix, (right - pull).flatten()).view(count, unknowns)
    moves = point_pull - torch.einsum("nkui,nku->ni", mixed, step[views])
    return step, torch.einsum("nij,nj->ni", inverse, moves)
