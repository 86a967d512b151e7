"""Pinhole cameras, and the one convention for them: OpenCV's.

Camera axes: x to the right, y down, z forward. Extrinsics map world to camera: `x_camera = R x_world + t`.
Pixels: (column, row) = K x_camera / z; the centre of the upper left pixel is (0, 0), so an image of width W spans
columns -0.5 ... W - 0.5. Every reader in `isopts/data/view_formats` converts its format to this.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from isopts.geometry.frames import WorldToUnit


@dataclass(frozen=True)
class Camera:
    """One camera as a file describes it. intrinsics K (3, 3), upper triangular with K[2, 2] = 1; rotation R (3, 3) and
    translation t (3,), world to camera. float64."""

    intrinsics: np.ndarray
    rotation: np.ndarray
    translation: np.ndarray

    @property
    def center(self) -> np.ndarray:
        """(3,) world."""
        return -self.rotation.T @ self.translation


@dataclass(frozen=True)
class Cameras:
    """Pinhole cameras without distortion, in the convention of this module.

    intrinsics (V, 3, 3), rotations (V, 3, 3), translations (V, 3), all of one floating-point dtype and on one device;
    sizes (V, 2) int64: width and height of the images in pixels.
    """

    intrinsics: torch.Tensor
    rotations: torch.Tensor
    translations: torch.Tensor
    sizes: torch.Tensor

    @staticmethod
    def stack(cameras: Sequence[Camera], sizes: Sequence[tuple[int, int]]) -> "Cameras":
        """float64, on the CPU; sizes: (width, height)."""
        parts = [[getattr(camera, name) for camera in cameras] for name in ("intrinsics", "rotation", "translation")]
        return Cameras(*(torch.from_numpy(np.stack(part).astype(np.float64)) for part in parts), torch.tensor(sizes))

    def __len__(self) -> int:
        return len(self.translations)

    def select(self, views: Sequence[int] | torch.Tensor) -> "Cameras":
        """The cameras of these views, in this order."""
        chosen = torch.as_tensor(views, device=self.sizes.device).long()  # of an empty list they would be floats
        return Cameras(self.intrinsics[chosen], self.rotations[chosen], self.translations[chosen], self.sizes[chosen])

    def replaced(self, views: Sequence[int], cameras: "Cameras") -> "Cameras":
        """These, but `cameras` in the place of `views`."""
        changed = [part.clone() for part in (self.intrinsics, self.rotations, self.translations)]
        for part, new in zip(changed, (cameras.intrinsics, cameras.rotations, cameras.translations), strict=True):
            part[list(views)] = new
        return Cameras(*changed, self.sizes)

    def to(self, device: torch.device | str, dtype: torch.dtype) -> "Cameras":
        """Move, and round; round only in a unit frame, where float32 moves nothing by a visible part of a pixel."""
        moved = (part.to(device, dtype) for part in (self.intrinsics, self.rotations, self.translations))
        return Cameras(*moved, self.sizes.to(device))

    def centers(self) -> torch.Tensor:
        """(V, 3), in the frame of the cameras."""
        return -torch.einsum("vji,vj->vi", self.rotations, self.translations)

    def apart_from(self, others: "Cameras") -> tuple[torch.Tensor, torch.Tensor]:
        """How far each of these V is from each of W others of the same frame: distances of the centres, and largest
        differences of entries of the rotations, (V, W) each."""
        distances = torch.cdist(self.centers(), others.centers(), compute_mode="donot_use_mm_for_euclid_dist")
        return distances, (self.rotations[:, None] - others.rotations).abs().amax(dim=(2, 3))

    def viewing_directions(self) -> torch.Tensor:
        """(V, 3) unit vectors along the optical axes."""
        return self.rotations[:, 2]

    def focal_lengths(self) -> torch.Tensor:
        """(V,) pixels: the geometric mean of both axes."""
        return (self.intrinsics[:, 0, 0] * self.intrinsics[:, 1, 1]).abs().sqrt()

    def projections(self) -> torch.Tensor:
        """(V, 3, 4) matrices K [R | t]: (column * z, row * z, z) of (x, y, z, 1)."""
        return self.intrinsics @ torch.cat([self.rotations, self.translations[:, :, None]], dim=2)

    def backprojections(self) -> torch.Tensor:
        """(V, 3, 3) matrices R^T K^-1: (column, row, 1) to the direction of depth 1 through that pixel."""
        return self.rotations.transpose(1, 2) @ torch.linalg.inv(self.intrinsics)

    def project(self, points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Pixels (V, N, 2) and depths z (V, N) of points (N, 3). Where z <= 0, behind the camera, pixels mean nothing.
        Differentiable."""
        matrices = self.projections()
        homogeneous = torch.einsum("vij,nj->vni", matrices[:, :, :3], points) + matrices[:, None, :, 3]
        depths = homogeneous[..., 2]
        return homogeneous[..., :2] / depths[..., None], depths

    def project_each(self, points: torch.Tensor, views: torch.Tensor) -> torch.Tensor:
        """Pixels (N, K, 2) of each of the points (N, 3) in its own `views` (N, K)."""
        matrices = self.projections()[views]
        homogeneous = torch.einsum("nkij,nj->nki", matrices[..., :3], points) + matrices[..., 3]
        return homogeneous[..., :2] / homogeneous[..., 2:]

    def rays(self, views: torch.Tensor, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Origins (R, 3) and unit directions (R, 3) through `pixels` (R, 2), column and row, of `views` (R,)."""
        homogeneous = torch.cat([pixels, torch.ones_like(pixels[:, :1])], dim=1).to(self.intrinsics.dtype)
        directions = torch.einsum("vij,vj->vi", self.backprojections()[views], homogeneous)
        return self.centers()[views], torch.nn.functional.normalize(directions, dim=1)

    def in_frame(self, frame: WorldToUnit) -> "Cameras":
        """The same cameras for points of the unit frame; depths come out in its unit."""
        center = torch.tensor(frame.center, dtype=self.translations.dtype, device=self.translations.device)
        moved = frame.scale * (torch.einsum("vij,j->vi", self.rotations, center) + self.translations)
        return replace(self, translations=moved)

    def out_of_frame(self, frame: WorldToUnit) -> "Cameras":
        """The inverse of `in_frame`, float64: for points of the world."""
        rotations, translations = self.rotations.double(), self.translations.double() / frame.scale
        center = torch.tensor(frame.center, dtype=torch.float64, device=self.translations.device)
        moved = translations - torch.einsum("vij,j->vi", rotations, center)
        return Cameras(self.intrinsics.double(), rotations, moved, self.sizes)

    def cropped(self, sizes: torch.Tensor) -> "Cameras":
        """The same cameras for images cut to their upper left `sizes` (V, 2) pixels."""
        return replace(self, sizes=sizes)

    def decimated(self, step: int, size: tuple[int, int]) -> "Cameras":
        """The same cameras for images of which every `step`-th pixel is kept, from number step // 2 on: `size` (width,
        height) of them."""
        intrinsics = self.intrinsics.clone()
        intrinsics[:, :2, 2] -= step // 2
        intrinsics[:, :2] /= step
        return replace(self, intrinsics=intrinsics, sizes=torch.tensor([size] * len(self)).to(self.sizes))

    def halved(self) -> "Cameras":
        """The same cameras for images shrunk to half, without an odd last column and row."""
        return self.cropped(self.sizes // 2 * 2).resized(self.sizes // 2)

    def resized(self, sizes: torch.Tensor) -> "Cameras":
        """The same cameras for images resampled to `sizes` (V, 2) pixels, border on border."""
        factors = (sizes / self.sizes).to(self.intrinsics.dtype)
        intrinsics = self.intrinsics.clone()
        intrinsics[:, :2] *= factors[:, :, None]
        intrinsics[:, :2, 2] += (factors - 1) / 2  # the border is at -0.5, not at 0
        return replace(self, intrinsics=intrinsics, sizes=sizes)
