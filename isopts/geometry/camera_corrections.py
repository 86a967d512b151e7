"""Small corrections of cameras: what makes given poses and focal lengths agree with the images."""

from typing import NamedTuple

import torch

from isopts.geometry.cameras import Cameras


class CameraCorrections(NamedTuple):
    """Of V cameras, float64, in the frame of the cameras that they apply to.

    rotations: (V, 3) rotation vectors about each camera's centre, in its axes, radians. translations: (V, 3), by which
    the world moves in its axes: the centre moves the other way. log_focals: (V,), of the factor on the focal length.
    """

    rotations: torch.Tensor
    translations: torch.Tensor
    log_focals: torch.Tensor

    @staticmethod
    def none(count: int) -> "CameraCorrections":
        """That change nothing."""
        return CameraCorrections.from_vectors(torch.zeros(count, 7, dtype=torch.float64))

    @staticmethod
    def from_vectors(vectors: torch.Tensor) -> "CameraCorrections":
        """Of (V, 7): rotation, translation, log focal length."""
        return CameraCorrections(vectors[:, :3], vectors[:, 3:6], vectors[:, 6])

    @staticmethod
    def between(given: Cameras, corrected: Cameras) -> "CameraCorrections":
        """That make `given` (float64) cameras the `corrected` ones; turns below 90 degrees."""
        turns = corrected.rotations @ given.rotations.mT
        twice = turns - turns.mT
        axes = torch.stack([twice[:, 2, 1], twice[:, 0, 2], twice[:, 1, 0]], dim=1) / 2  # times the sine
        sines = axes.norm(dim=1, keepdim=True)
        angles = torch.where(sines > 0, torch.asin(sines.clamp(max=1)) / sines.clamp_min(1e-300), 1)
        translations = corrected.translations - torch.einsum("vij,vj->vi", turns, given.translations)
        focals = corrected.intrinsics[:, 0, 0] / given.intrinsics[:, 0, 0]
        return CameraCorrections(angles * axes, translations, focals.log())

    def vectors(self) -> torch.Tensor:
        """(V, 7), the inverse of `from_vectors`."""
        return torch.cat([self.rotations, self.translations, self.log_focals[:, None]], dim=1)

    def select(self, views: list[int]) -> "CameraCorrections":
        """Those of these views, in this order."""
        return CameraCorrections.from_vectors(self.vectors()[views])

    def applied(self, cameras: Cameras) -> Cameras:
        """`cameras`, of any dtype and of images of any size, corrected; computed in float64."""
        dtype, device = cameras.rotations.dtype, cameras.rotations.device
        turns = torch.linalg.matrix_exp(cross_matrices(self.rotations)).to(device)
        rotations = turns @ cameras.rotations.double()
        translations = torch.einsum("vij,vj->vi", turns, cameras.translations.double()) + self.translations.to(device)
        intrinsics = cameras.intrinsics.double().clone()
        intrinsics[:, :2, :2] *= self.log_focals.to(device).exp()[:, None, None]
        return Cameras(intrinsics.to(dtype), rotations.to(dtype), translations.to(dtype), cameras.sizes)

    def undone(self, cameras: Cameras) -> Cameras:
        """The cameras that `applied` made `cameras` of."""
        turns = torch.linalg.matrix_exp(cross_matrices(self.rotations))
        back = -torch.einsum("vji,vj->vi", turns, self.translations)
        return CameraCorrections(-self.rotations, back, -self.log_focals).applied(cameras)


def cross_matrices(vectors: torch.Tensor) -> torch.Tensor:
    """(..., 3, 3): that take x to v cross x, of vectors v (..., 3)."""
    x, y, z = vectors.unbind(-1)
    zero = torch.zeros_like(x)
    rows = (zero, -z, y, z, zero, -x, -y, x, zero)
    return torch.stack(rows, dim=-1).view(*vectors.shape, 3)
