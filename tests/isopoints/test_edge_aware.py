import torch

from isopts.isopoints.edge_aware import EdgeAwareConfig, resample_edge_aware
from isopts.isopoints.extract import IsoPointsConfig, extract_isopoints
from isopts.isopoints.project import ProjectionConfig


def near_edge(points: torch.Tensor) -> torch.Tensor:
    """Within a hundredth of one of the edges of the cube with half side 0.5."""
    return (points.abs() > 0.49).sum(dim=1) >= 2


def test_a_cube_gets_points_on_its_edges_and_normals_of_its_faces(fields, generator) -> None:
    even = extract_isopoints(fields.box, 1500, IsoPointsConfig(cell_resolution=48), generator=generator).points
    result = resample_edge_aware(fields.box, even, 2250, EdgeAwareConfig(), ProjectionConfig())
    assert len(result.points) == 2250
    assert fields.box(result.points)[0].abs().max() <= 1e-5
    assert near_edge(result.points).sum() > 1.9 * near_edge(even).sum()  # 1.5 times as many points in all
    on_edge = result.normals[near_edge(result.points)].abs()
    assert (on_edge.amax(dim=1) > 0.99).float().mean() > 0.95


def test_on_a_sphere_it_only_fills(fields, generator) -> None:
    config = IsoPointsConfig(cell_resolution=48, edge_aware=EdgeAwareConfig())
    extracted = extract_isopoints(fields.sphere, 1500, config, generator=generator)
    assert len(extracted.points) == 1500
    assert extracted.quality.residual_max <= 1e-5
    assert extracted.quality.largest_hole < 2
    outward = torch.nn.functional.normalize(extracted.points, dim=1)
    assert (extracted.normals * outward).sum(dim=1).min() > 0.98


def test_sides_of_a_thin_wall_do_not_meet(fields, generator) -> None:
    def plate(points: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return fields.box(points, (0.6, 0.6, 0.01))

    config = IsoPointsConfig(cell_resolution=48, edge_aware=EdgeAwareConfig())
    extracted = extract_isopoints(plate, 1500, config, generator=generator)
    middle = (extracted.points[:, :2].abs() < 0.5).all(dim=1)
    assert middle.sum() > 500
    upwards = extracted.normals[middle, 2] * extracted.points[middle, 2].sign()
    assert upwards.min() > 0.99
