"""The definition of the encoding in plain PyTorch; any floating dtype, differentiable as often as wanted."""

from itertools import product

import torch

from isopts.kernels.grid_encoding.layout import GridLayout

_PRIME_Y, _PRIME_Z = 2654435761, 805459861  # spatial hash of Teschner et al. 2003, as in Müller et al. 2022


def encode_reference(
    points: torch.Tensor, table: torch.Tensor, layout: GridLayout, jacobian: bool
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """What `op.encode` computes; see there."""
    inside = (points >= -1) & (points <= 1)
    features, jacobians = [], []
    for level, resolution in enumerate(layout.resolutions):
        position = (points.clamp(-1, 1) + 1) * (resolution / 2)
        cell = position.detach().long().clamp(0, resolution - 1)
        weights, slopes = _spline(position - cell, layout.degree)
        slopes = slopes * (inside.to(points.dtype) * (resolution / 2))
        value, gradient = 0, [0, 0, 0]
        for steps in product(range(layout.degree + 1), repeat=3):
            entry = table[_entry(cell + cell.new_tensor(steps), layout, level)]
            factors = [weights[step, :, axis] for axis, step in enumerate(steps)]
            value = value + (factors[0] * factors[1] * factors[2])[:, None] * entry
            for axis in range(3):
                others = factors[(axis + 1) % 3] * factors[(axis + 2) % 3]
                gradient[axis] = gradient[axis] + (slopes[steps[axis], :, axis] * others)[:, None] * entry
        features.append(value)
        jacobians.append(torch.stack(gradient, -1))
    return torch.cat(features, 1), torch.cat(jacobians, 1) if jacobian else None


def _spline(fraction: torch.Tensor, degree: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Weights and slopes (degree + 1, N, 3) of the control values of a cell, at positions in [0, 1] within it."""
    if degree == 1:
        ones = torch.ones_like(fraction)
        return torch.stack((1 - fraction, fraction)), torch.stack((-ones, ones))
    weights = ((1 - fraction) ** 2 / 2, 0.5 + fraction * (1 - fraction), fraction**2 / 2)
    return torch.stack(weights), torch.stack((fraction - 1, 1 - 2 * fraction, fraction))


def _entry(control: torch.Tensor, layout: GridLayout, level: int) -> torch.Tensor:
    """Table entries of integer control positions (N, 3)."""
    x, y, z = control.unbind(1)
    offset, slots, side = layout.offsets[level], layout.slots(level), layout.resolutions[level] + layout.degree
    if slots == 0:
        return offset + x + side * (y + side * z)
    hashed = (y * _PRIME_Y ^ z * _PRIME_Z) & 0xFFFFFFFF  # the kernels multiply modulo 2^32
    if layout.degree == 1:
        return offset + ((x ^ hashed) & (slots - 1))
    return offset + x + (hashed * slots >> 32)
