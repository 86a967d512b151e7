"""The definition of the encoding in plain PyTorch; any floating dtype, differentiable as often as wanted."""

import torch

from isopts.kernels.grid_encoding.layout import GridLayout

_PRIMES = (1, 2654435761, 805459861)  # spatial hash of Teschner et al. 2003, as in Müller et al. 2022


def encode_reference(
    points: torch.Tensor, table: torch.Tensor, layout: GridLayout, jacobian: bool
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """What `op.encode` computes; see there."""
    inside = (points >= -1) & (points <= 1)
    features, jacobians = [], []
    for resolution, offset, size, hashed in zip(
        layout.resolutions, layout.offsets, layout.sizes, layout.hashed, strict=True
    ):
        position = (points.clamp(-1, 1) + 1) * (resolution / 2)
        cell = position.detach().long().clamp(0, resolution - 1)
        fraction = position - cell
        slope = inside.to(points.dtype) * (resolution / 2)
        value, gradient = 0, [0, 0, 0]
        for corner in range(8):
            upper = torch.tensor([corner >> axis & 1 for axis in range(3)], device=points.device)
            entry = table[offset + _entry(cell + upper, resolution, size, hashed)]
            weight = torch.where(upper.bool(), fraction, 1 - fraction)
            sign = slope * (2 * upper - 1)
            value = value + weight.prod(-1, keepdim=True) * entry
            for axis in range(3):
                others = weight[:, (axis + 1) % 3] * weight[:, (axis + 2) % 3]
                gradient[axis] = gradient[axis] + (sign[:, axis] * others)[:, None] * entry
        features.append(value)
        jacobians.append(torch.stack(gradient, -1))
    return torch.cat(features, 1), torch.cat(jacobians, 1) if jacobian else None


def _entry(vertex: torch.Tensor, resolution: int, size: int, hashed: bool) -> torch.Tensor:
    """Entry of integer vertices (N, 3) within their level."""
    x, y, z = vertex.unbind(1)
    if hashed:  # the low bits of the 64-bit products are those of the kernel's 32-bit ones
        return (x * _PRIMES[0] ^ y * _PRIMES[1] ^ z * _PRIMES[2]) & (size - 1)
    return x + (resolution + 1) * (y + (resolution + 1) * z)
