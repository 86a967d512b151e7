"""A field as a camera sees it."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch.nn import functional

from isopts.geometry.cameras import Cameras
from isopts.render.implicit_points import refine_hits
from isopts.render.sampled_field import trace_sampled

ValueAndGradient = Callable[[torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
Shade = Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
"""points (N, 3), unit directions (N, 3) along which they are seen -> colours (N, 3) in 0 ... 1."""

_CHUNK = 65_536


class ViewImage(NamedTuple):
    """colors (H, W, 3) in 0 ... 1, black on the background. normals (H, W, 3), unit, outward, 0 on the background.
    depths (H, W) along the optical axis, unit frame, inf on the background. mask (H, W) bool: the object."""

    colors: torch.Tensor
    normals: torch.Tensor
    depths: torch.Tensor
    mask: torch.Tensor


@torch.no_grad()
def render_view(value_and_gradient: ValueAndGradient, grid: torch.Tensor, shade: Shade, camera: Cameras) -> ViewImage:
    """Render every pixel's centre.

    Args:
        value_and_gradient: the field. grid: its copy (see sampled_field.sample_field), on whose device all is.
        camera: one, float32, unit frame.
    """
    width, height = camera.sizes[0].tolist()
    pieces = [
        _render_rows(value_and_gradient, grid, shade, camera, rows)
        for rows in torch.arange(height, device=grid.device).split(max(1, _CHUNK // width))
    ]
    return ViewImage(*(torch.cat(parts) for parts in zip(*pieces, strict=True)))


def _render_rows(
    value_and_gradient: ValueAndGradient, grid: torch.Tensor, shade: Shade, camera: Cameras, rows: torch.Tensor
) -> ViewImage:
    width = int(camera.sizes[0, 0])
    row, column = torch.meshgrid(rows, torch.arange(width, device=grid.device), indexing="ij")
    pixels = torch.stack([column, row], dim=-1).view(-1, 2).float()
    origins, directions = camera.rays(torch.zeros(len(pixels), dtype=torch.int64, device=grid.device), pixels)
    trace = trace_sampled(grid, origins, directions)
    hit = torch.nonzero(trace.hits)[:, 0]
    origins, directions = origins[hit], directions[hit]
    distances = refine_hits(value_and_gradient, origins, directions, trace.distances[hit])
    points = origins + distances[:, None] * directions
    colors, normals = (torch.zeros((len(pixels), 3), device=grid.device) for _ in range(2))
    depths = torch.full((len(pixels),), torch.inf, device=grid.device)
    colors[hit] = shade(points, directions).clamp(0, 1)
    normals[hit] = functional.normalize(value_and_gradient(points)[1], dim=1)
    depths[hit] = distances * (directions @ camera.viewing_directions()[0])
    shape = (len(rows), width)
    return ViewImage(colors.view(*shape, 3), normals.view(*shape, 3), depths.view(shape), trace.hits.view(shape))
