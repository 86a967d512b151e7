import numpy as np
import pytest

from isopts.errors import InputError
from isopts.evaluate.image_figures import RenderedView, image_figures
from isopts.evaluate.image_quality import ssim

MASK = np.ones((20, 30), bool)


def view(name: str, error: float, mask: np.ndarray = MASK) -> RenderedView:
    expected = np.full((20, 30, 3), 0.5)
    return RenderedView(name, expected + error, expected, mask)


def test_means_and_single_views():
    rendered = [view("3.png", 0.1), view("8.png", 0.01)]
    report = image_figures(iter(rendered))
    assert report.views["3.png"]["psnr"] == pytest.approx(20)
    assert report.views["8.png"]["psnr"] == pytest.approx(40)
    assert report.figures["psnr_mean"] == pytest.approx(30)
    of_views = [ssim(*one[1:]) for one in rendered]
    assert [figures["ssim"] for figures in report.views.values()] == of_views
    assert report.figures["ssim_mean"] == pytest.approx(np.mean(of_views))
    assert of_views[0] < of_views[1] < 1


def test_no_views_and_views_that_cannot_be_compared():
    with pytest.raises(InputError, match="hold at least one out"):
        image_figures([])
    with pytest.raises(InputError, match=r"^View '8.png': The mask is empty"):
        image_figures([view("3.png", 0.1), view("8.png", 0.1, ~MASK)])
    with pytest.raises(InputError, match=r"Two views have the name '3\.png'"):
        image_figures([view("3.png", 0.1), view("3.png", 0.2)])
