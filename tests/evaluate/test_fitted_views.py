import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import trimesh

from isopts.data.masks import MaskConfig
from isopts.data.posed_image import PosedImage
from isopts.data.posed_views import PosedViews
from isopts.evaluate.fitted_views import FittedViews, Rendering, fitted_view_figures
from isopts.geometry.cameras import Camera, Cameras
from isopts.geometry.triangle_mesh import TriangleMesh

RADII = (1.0, 1.1, 0.75, 1.25)
SHAPE = (100, 100, 3)


class Views(PosedViews):
    """One camera again and again; grey images and masks of balls of various sizes, without files."""

    def image(self, view: int) -> np.ndarray:
        return np.full(SHAPE, 102, np.uint8)

    def mask(self, view: int) -> np.ndarray:
        row, column = np.mgrid[:100, :100]
        return np.hypot(row - 49.5, column - 49.5) < 180 * math.tan(math.asin(RADII[view] / 5))


@pytest.fixture
def views() -> PosedViews:
    camera = Camera(np.array([[180, 0, 49.5], [0, 180, 49.5], [0, 0, 1]]), np.eye(3), np.array([0, 0, 5.0]))
    photographs = tuple(PosedImage(Path(f"{view}.png"), camera) for view in range(4))
    return Views(Cameras.stack([camera] * 4, [(100, 100)] * 4), photographs, "idr", "dir", (), MaskConfig())


@pytest.fixture
def ball() -> TriangleMesh:
    mesh = trimesh.creation.icosphere(subdivisions=4)
    return TriangleMesh(np.asarray(mesh.vertices), np.asarray(mesh.faces))


def upper_half() -> np.ndarray:
    return np.repeat(np.arange(100)[:, None] < 50, 100, axis=1)


def renderer():
    return lambda view: Rendering(np.full(SHAPE, 0.4 + 0.01 * (view + 1), np.float32), upper_half())


def test_held_out_views_are_compared_in_colour_and_all_in_outline(ball, views):
    report = fitted_view_figures(ball, views, FittedViews((0, 2), (1,), renderer))
    ious = [report.views[f"{view}.png"]["mask_iou"] for view in range(4)]
    assert report.figures["mask_iou_fitted_mean"] == pytest.approx((ious[0] + ious[2]) / 2)
    assert report.figures["mask_iou_heldout_mean"] == ious[1]
    assert report.figures["mask_iou_mean"] == pytest.approx(np.mean(ious))
    assert report.figures["psnr_heldout_mean"] == pytest.approx(-20 * math.log10(0.02), abs=1e-3)
    assert [name for name, figures in report.views.items() if "ssim" in figures] == ["1.png"]


def test_fitted_ones_stand_in_under_a_name_of_their_own(ball, views):
    report = fitted_view_figures(ball, views, FittedViews((0, 3), (), renderer))
    expected = np.mean([-20 * math.log10(error) for error in (0.01, 0.04)])
    assert report.figures["psnr_fitted_mean"] == pytest.approx(expected, abs=1e-3)
    assert not any("heldout" in name for name in report.figures)
    assert "PSNR and SSIM of 2 fitted views, inside the masks" in report.notes


def test_a_fit_without_colours_has_no_psnr(ball, views):
    report = fitted_view_figures(ball, views, FittedViews((0, 3), (1,), None))
    assert "mask_iou_heldout_mean" in report.figures
    assert not any(name.startswith(("psnr", "ssim")) for name in report.figures)
    assert "no PSNR: colours were not fitted" in report.notes


@pytest.mark.parametrize(
    ("offset", "way"), [(3.0, "3 pixels of its images inwards"), (-2.0, "2 pixels of its images outwards")]
)
def test_masks_that_the_fit_moved_are_told(ball, views, offset, way):
    moved = fitted_view_figures(ball, views, FittedViews((0, 3), (1,), renderer, offset))
    assert f"the fit moved all masks {way}; these figures are against the masks as they are" in moved.notes
    kept = fitted_view_figures(ball, views, FittedViews((0, 3), (1,), renderer))
    assert not any("moved" in note for note in kept.notes)
    unmasked = fitted_view_figures(
        ball, replace(views, mask_source="none"), FittedViews((0, 3), (1,), renderer, offset)
    )
    assert not any("moved" in note for note in unmasked.notes)


def test_background_inside_the_mask_counts_as_black(ball, views):
    def half_empty():
        return lambda view: Rendering(np.where(upper_half()[..., None], 0, np.full(SHAPE, 0.4)), upper_half())

    report = fitted_view_figures(ball, views, FittedViews((), (0,), half_empty))
    assert report.figures["psnr_heldout_mean"] == pytest.approx(-10 * math.log10(0.4**2 / 2), abs=0.05)


def test_without_masks_views_that_do_not_show_the_surface_are_left_out_and_counted(ball, views):
    def seen_in(*seen):
        return lambda: (
            lambda view: Rendering(np.full(SHAPE, 0.42), upper_half() if view in seen else upper_half() & False)
        )

    unmasked = replace(views, mask_source="none")
    report = fitted_view_figures(ball, unmasked, FittedViews((0,), (1, 2, 3), seen_in(2, 3)))
    assert report.figures["psnr_surface_heldout_mean"] == pytest.approx(-20 * math.log10(0.02), abs=1e-3)
    assert set(report.views) == {"2.png", "3.png"}
    assert report.notes == [
        "PSNR and SSIM of 2 held-out views, inside the rendered surface: there are no masks; 1 view in which the "
        "surface is not seen left out"
    ]
    report = fitted_view_figures(ball, unmasked, FittedViews((0,), (1, 2), seen_in()))
    assert (report.figures, report.notes) == ({}, ["no PSNR: the surface is seen in none of 2 held-out views"])


def test_without_masks_the_rendered_surface_is_compared(ball, views):
    def good_in_the_upper_half():
        colors = np.where(upper_half()[..., None], np.full(SHAPE, 0.42), 0.0)
        return lambda view: Rendering(colors, upper_half())

    report = fitted_view_figures(
        ball, replace(views, mask_source="none"), FittedViews((0,), (1,), good_in_the_upper_half)
    )
    assert report.figures["psnr_surface_heldout_mean"] == pytest.approx(-20 * math.log10(0.02), abs=1e-3)
    assert not any("iou" in name for name in report.figures)
    assert report.notes == ["PSNR and SSIM of 1 held-out view, inside the rendered surface: there are no masks"]
