import math

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from isopts.errors import InputError
from isopts.evaluate.image_quality import psnr, ssim


@pytest.fixture
def photograph() -> np.ndarray:
    """(60, 80, 3) float64: soft texture."""
    noise = np.random.default_rng(0).random((60, 80, 3))
    soft = gaussian_filter(noise, (2, 2, 0))
    return (soft - soft.min()) / np.ptp(soft)


@pytest.fixture
def mask() -> np.ndarray:
    row, column = np.mgrid[:60, :80]
    return np.hypot(row - 25, column - 45) < 18


def ssim_by_definition(image: np.ndarray, expected: np.ndarray, mask: np.ndarray) -> float:
    """Equation 13 of Wang et al. with local means under a Gaussian, on images that are black outside of the mask."""
    maps = []
    for channel in range(3):
        x, y = (np.where(mask, picture[..., channel], 0) for picture in (image, expected))
        mean_x, mean_y, xx, yy, xy = (gaussian_filter(part, 1.5, truncate=3.5) for part in (x, y, x * x, y * y, x * y))
        covariance = xy - mean_x * mean_y
        variances = xx - mean_x**2 + yy - mean_y**2
        similar = (2 * mean_x * mean_y + 0.01**2) * (2 * covariance + 0.03**2)
        maps.append(similar / ((mean_x**2 + mean_y**2 + 0.01**2) * (variances + 0.03**2)))
    return float(np.mean([part[mask].mean() for part in maps]))


def test_psnr_by_hand(photograph, mask):
    expected = 0.2 + 0.6 * photograph
    assert psnr(expected + 0.1, expected, mask) == pytest.approx(20)
    assert psnr(expected + 0.01, expected, mask) == pytest.approx(40)
    one_channel = expected + np.array([0.1, 0, 0])
    assert psnr(one_channel, expected, mask) == pytest.approx(20 + 10 * math.log10(3))


def test_equal_images(photograph, mask):
    assert psnr(photograph, photograph, mask) == math.inf
    assert ssim(photograph, photograph, mask) == pytest.approx(1)


def test_ssim_is_its_definition(photograph, mask):
    noisy = np.clip(photograph + 0.1 * np.random.default_rng(1).standard_normal(photograph.shape), 0, 1)
    assert ssim(noisy, photograph, mask) == pytest.approx(ssim_by_definition(noisy, photograph, mask), abs=1e-6)
    assert 0.3 < ssim(noisy, photograph, mask) < 0.9
    full = np.ones_like(mask)
    assert ssim(noisy, photograph, full) == pytest.approx(ssim_by_definition(noisy, photograph, full), abs=1e-6)


def test_ssim_sees_structure_and_psnr_does_not(photograph, mask):
    expected = 0.25 + 0.5 * photograph
    brighter = expected + 0.05
    noise = np.random.default_rng(2).choice([-0.05, 0.05], expected.shape)
    assert psnr(brighter, expected, mask) == pytest.approx(psnr(expected + noise, expected, mask))
    assert ssim(brighter, expected, mask) > ssim(expected + noise, expected, mask) + 0.1


@pytest.mark.parametrize("figure", [psnr, ssim])
def test_outside_of_the_mask_nothing_counts(photograph, mask, figure):
    rendered = 0.9 * photograph
    littered = np.where(mask[..., None], rendered, 1 - rendered)
    assert figure(littered, photograph, mask) == figure(rendered, photograph, mask)
    assert figure(littered, photograph, np.ones_like(mask)) < figure(rendered, photograph, np.ones_like(mask)) - 0.1


@pytest.mark.parametrize("figure", [psnr, ssim])
def test_bytes_and_shares_are_the_same(photograph, mask, figure):
    rendered, expected = (np.round(255 * picture).astype(np.uint8) for picture in (0.9 * photograph, photograph))
    value = figure(rendered, expected, mask)
    assert figure(rendered / 255, expected, mask) == pytest.approx(value)
    assert figure((rendered / 255).astype(np.float32), (expected / 255).astype(np.float32), mask) == pytest.approx(
        value, rel=1e-5
    )


def test_what_cannot_be_compared_says_why(photograph, mask):
    with pytest.raises(InputError, match=r"\(60, 80, 3\) and \(59, 80, 3\), the mask \(60, 80\)"):
        psnr(photograph, photograph[1:], mask)
    with pytest.raises(InputError, match=r"The mask is float64; expected bool"):
        psnr(photograph, photograph, mask.astype(float))
    with pytest.raises(InputError, match="The mask is empty"):
        ssim(photograph, photograph, np.zeros_like(mask))
    for wrong in (photograph * 255, np.full_like(photograph, np.nan), photograph.astype(np.int64)):
        with pytest.raises(InputError, match="expected uint8, or floating point from 0 to 1"):
            psnr(wrong, photograph, mask)
    with pytest.raises(InputError, match="windows of 11x11 pixels, the images are 80x10"):
        ssim(photograph[:10], photograph[:10], np.ones((10, 80), bool))
