"""The definition of closest points and ray hits: every query against every triangle."""

import torch


def closest_points(
    queries: torch.Tensor, vertices: torch.Tensor, faces: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """queries (Q, 3), vertices (V, 3), faces (F, 3) -> points (Q, 3), distances (Q,), faces (Q,)."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    candidates = torch.stack(
        [
            _on_plane(queries, a, b, c),
            _on_segment(queries, a, b),
            _on_segment(queries, b, c),
            _on_segment(queries, c, a),
        ]
    )
    distances = (candidates - queries[:, None]).norm(dim=-1).nan_to_num(nan=torch.inf)  # (4, Q, F)
    distances, part = distances.min(dim=0)
    nearest, face = distances.min(dim=1)
    rows = torch.arange(len(queries))
    return candidates[part[rows, face], rows, face], nearest, face


def _on_segment(queries: torch.Tensor, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    edge = b - a
    along = ((queries[:, None] - a) * edge).sum(-1) / (edge * edge).sum(-1).clamp_min(torch.finfo(edge.dtype).tiny)
    return a + along.clamp(0, 1)[..., None] * edge


def _on_plane(queries: torch.Tensor, a: torch.Tensor, b: torch.Tensor, c: torch.Tensor) -> torch.Tensor:
    """Foot of the perpendicular (Q, F, 3); NaN where it falls outside the triangle or the triangle has no area."""
    normal = torch.linalg.cross(b - a, c - a)
    area_squared = (normal * normal).sum(-1)
    offset = ((queries[:, None] - a) * normal).sum(-1) / area_squared
    foot = queries[:, None] - offset[..., None] * normal
    inside = torch.ones_like(offset, dtype=torch.bool)
    for start, end in ((a, b), (b, c), (c, a)):
        inside &= (torch.linalg.cross((end - start).expand_as(foot), foot - start) * normal).sum(-1) >= 0
    return torch.where((inside & (area_squared > 0))[..., None], foot, torch.nan)


def cast_rays(
    origins: torch.Tensor, directions: torch.Tensor, vertices: torch.Tensor, faces: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """origins, directions (R, 3) -> distances (R,), faces (R,), barycentric (R, 3); Moeller and Trumbore 1997."""
    a, b, c = (vertices[faces[:, corner]] for corner in range(3))
    across = torch.linalg.cross(directions[:, None].expand(-1, len(faces), -1), (c - a)[None])
    determinant = ((b - a) * across).sum(-1)
    from_a = origins[:, None] - a
    u = (from_a * across).sum(-1) / determinant
    up = torch.linalg.cross(from_a, (b - a).expand_as(from_a))
    v = (directions[:, None] * up).sum(-1) / determinant
    distances = ((c - a) * up).sum(-1) / determinant
    hit = (determinant != 0) & (u >= 0) & (v >= 0) & (u + v <= 1) & (distances >= 0)
    nearest, face = torch.where(hit, distances, torch.inf).min(dim=1)
    missed = nearest.isinf()
    rows = torch.arange(len(origins))
    weights = torch.stack([1 - u - v, u, v], dim=-1)[rows, face]
    return nearest, torch.where(missed, -1, face), torch.where(missed[:, None], 0.0, weights)
