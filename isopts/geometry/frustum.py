"""What cameras can have in their images."""

import torch

from isopts.geometry.cameras import Cameras
from isopts.geometry.sphere import Sphere


def sees_sphere(cameras: Cameras, sphere: Sphere) -> torch.Tensor:
    """(V,) bool: some of the sphere is in front of the camera and between the four planes of its image's borders.

    A sphere just outside a corner of the image counts as seen.
    """
    center = torch.tensor(sphere.center, dtype=cameras.intrinsics.dtype, device=cameras.intrinsics.device)
    local = torch.einsum("vij,j->vi", cameras.rotations, center) + cameras.translations
    seen = local[:, 2] > -sphere.radius
    for axis in (0, 1):
        row = cameras.intrinsics[:, axis]
        for sign, border in ((1.0, -0.5), (-1.0, cameras.sizes[:, axis] - 0.5)):
            plane = row.clone()  # pixel * z - border * z >= 0 inside, a plane through the camera
            plane[:, 2] -= border
            plane = sign * torch.nn.functional.normalize(plane, dim=1)
            seen &= (plane * local).sum(dim=1) > -sphere.radius
    return seen
