import math

import numpy as np
import pytest
import torch
import trimesh

from isopts.errors import InputError
from isopts.evaluate.report import EvaluationConfig, Report, evaluate
from isopts.geometry.triangle_mesh import TriangleMesh

CONFIG = EvaluationConfig(samples=20_000, thresholds=(0.05, 0.15))


def sphere(radius: float = 1.0, offset: float = 0.0) -> TriangleMesh:
    mesh = trimesh.creation.icosphere(subdivisions=4)
    return TriangleMesh(radius * np.asarray(mesh.vertices) + offset, np.asarray(mesh.faces))


def cloud(count: int, radius: float = 1.0, normals: bool = True) -> TriangleMesh:
    directions = torch.randn((count, 3), generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    directions /= directions.norm(dim=1, keepdim=True)
    return TriangleMesh(radius * directions.numpy(), np.zeros((0, 3)), directions.numpy() if normals else None)


def test_a_surface_is_at_distance_zero_of_itself() -> None:
    figures = evaluate(sphere(), sphere(), CONFIG).figures
    assert figures["chamfer_l1_sum"] < 1e-7
    assert figures["chamfer_squared_sum"] < 1e-14
    assert figures["hausdorff"] < 1e-6
    assert figures["point_to_face_max"] < 1e-6
    assert figures["normal_consistency"] == pytest.approx(1, abs=1e-4)
    assert figures["flipped_normals"] == 0
    assert figures["fscore@0.05"] == 1


def test_concentric_spheres_by_hand() -> None:
    figures = evaluate(sphere(1.1), sphere(1.0), CONFIG).figures
    assert figures["accuracy"] == pytest.approx(0.1, rel=0.01)
    assert figures["completeness"] == pytest.approx(0.1, rel=0.01)
    assert figures["chamfer_l1_mean"] == pytest.approx(0.1, rel=0.01)
    assert figures["chamfer_l1_sum"] == pytest.approx(0.2, rel=0.01)
    assert figures["chamfer_squared_mean"] == pytest.approx(0.01, rel=0.02)
    assert figures["chamfer_squared_sum"] == pytest.approx(0.02, rel=0.02)
    assert figures["hausdorff"] == pytest.approx(0.1, rel=0.02)
    assert figures["point_to_face_rms"] == pytest.approx(0.1, rel=0.01)
    assert (figures["fscore@0.05"], figures["precision@0.15"], figures["fscore@0.15"]) == (0, 1, 1)


def test_a_half_is_accurate_but_not_complete() -> None:
    whole = sphere()
    upper = whole.vertices[whole.faces][:, :, 2].min(axis=1) >= 0
    figures = evaluate(TriangleMesh(whole.vertices, whole.faces[upper]), whole, CONFIG).figures
    assert figures["accuracy"] < 1e-6
    assert figures["hausdorff_accuracy"] < 1e-6
    assert figures["hausdorff_completeness"] == pytest.approx(math.sqrt(2), rel=0.02)  # from the pole to the rim
    assert figures["precision@0.05"] == 1
    assert figures["recall@0.05"] == pytest.approx(0.525, abs=0.02)


def test_an_inside_out_surface_is_consistent_but_flipped() -> None:
    mesh = sphere()
    figures = evaluate(TriangleMesh(mesh.vertices, mesh.faces[:, ::-1]), mesh, CONFIG).figures
    assert figures["normal_consistency"] == pytest.approx(1, abs=1e-4)
    assert figures["flipped_normals"] == 1


def test_clouds_on_either_side() -> None:
    report = evaluate(cloud(5000, 1.1), sphere(), CONFIG)
    assert report.figures["accuracy"] == pytest.approx(0.1, rel=0.01)
    assert report.figures["completeness"] > 0.1  # to points, not to the surface between them
    assert report.figures["normal_consistency"] == pytest.approx(1, abs=5e-3)
    assert report.figures["spacing_variation"] == pytest.approx(0.52, abs=0.02)
    report = evaluate(sphere(1.1), cloud(5000, normals=False), CONFIG)
    assert report.figures["completeness"] == pytest.approx(0.1, rel=0.01)
    assert report.figures["normal_consistency"] is None
    assert report.figures["point_to_face_mean"] is None
    assert [note.partition(":")[0] for note in report.notes] == ["no normal consistency", "no point-to-face distance"]


def test_a_regular_grid_is_uniform() -> None:
    grid = np.stack(np.meshgrid(np.arange(20), np.arange(20), [0.0]), axis=-1).reshape(-1, 3) * 0.5
    figures = evaluate(
        TriangleMesh(grid, np.zeros((0, 3))), sphere(), EvaluationConfig(metrics=("uniformity",))
    ).figures
    assert figures == pytest.approx({"spacing_mean": 0.5, "spacing_variation": 0}, abs=1e-12)


def test_a_geo_referenced_offset_changes_nothing() -> None:
    near = evaluate(sphere(1.1), sphere(), CONFIG).figures
    far = evaluate(sphere(1.1, 5.4e6), sphere(1.0, 5.4e6), CONFIG).figures
    for name, value in near.items():
        assert far[name] == pytest.approx(value, abs=1e-6), name


def test_the_seed_decides_and_the_default_thresholds_follow_the_size() -> None:
    config = EvaluationConfig(samples=2000, seed=3)
    first, again = (evaluate(sphere(1.1), sphere(), config) for _ in range(2))
    assert first == again
    assert first.diagonal == pytest.approx(2 * math.sqrt(3), rel=0.01)
    assert "fscore@0.01732" in first.figures
    other = evaluate(sphere(1.1), sphere(), EvaluationConfig(samples=2000, seed=4))
    assert other.figures["accuracy"] != first.figures["accuracy"]


def test_reports_join_and_views_keep_what_each_says() -> None:
    masks = Report({"mask_iou_mean": 0.9}, notes=["a"], views={"1.png": {"mask_iou": 0.9}, "2.png": {"mask_iou": 0.8}})
    images = Report({"psnr_mean": 30.0}, notes=["b"], views={"2.png": {"psnr": 30.0}})
    report = Report.joined([masks, Report({"accuracy": 1.0}, 2.0), images])
    assert report.figures == {"mask_iou_mean": 0.9, "accuracy": 1.0, "psnr_mean": 30.0}
    assert (report.diagonal, report.notes) == (2.0, ["a", "b"])
    assert report.views == {"1.png": {"mask_iou": 0.9}, "2.png": {"mask_iou": 0.8, "psnr": 30.0}}


def test_shapes_that_cannot_be_compared() -> None:
    flat = TriangleMesh(np.zeros((3, 3)), np.array([[0, 1, 2]]))
    with pytest.raises(InputError, match="without area"):
        evaluate(flat, sphere(), CONFIG)
    broken = TriangleMesh(np.full((3, 3), np.nan), np.array([[0, 1, 2]]))
    with pytest.raises(InputError):
        evaluate(broken, sphere(), CONFIG)
