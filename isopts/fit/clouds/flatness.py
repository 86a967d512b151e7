"""Whether a scan is a surface at all."""

import torch

from isopts.errors import InputError

_THIN = 1e-3  # of the longest extent: thinner than a grid's finest cell by a factor of five


def describe_flatness(points: torch.Tensor) -> str | None:
    """A sentence about points (N, 3) that lie in one plane; None for others. Raises InputError for points on a line,
    through which there are surfaces without number."""
    centered = (points - points.mean(dim=0)).double()
    variances = torch.linalg.eigvalsh(centered.T @ centered / len(points)).clamp_min(0)
    thickness, width, length = variances.sqrt().tolist()
    if width <= _THIN * length:
        raise InputError("The points lie on one line, which does not determine a surface; give a scan of a surface.")
    if thickness <= _THIN * length:
        return "The points lie in one plane: a closed surface is a slab behind it; --open keeps a single sheet."
    return None
