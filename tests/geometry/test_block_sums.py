import numpy as np
import pytest

from isopts.geometry.block_sums import block_sums


@pytest.mark.parametrize(("size", "factor"), [((7, 11), 3), ((8, 4), 2), ((5, 5), 5), ((2, 9), 3), ((1, 1), 1)])
@pytest.mark.parametrize("channels", [1, 3])
def test_sums_block_by_block(size, factor, channels):
    picture = np.random.default_rng(0).integers(0, 256, (*size, channels)).astype(np.uint8)
    found = block_sums(picture, factor)
    assert found.shape == (size[0] // factor, size[1] // factor, channels)
    for row, column in np.ndindex(found.shape[:2]):
        block = picture[row * factor : (row + 1) * factor, column * factor : (column + 1) * factor]
        np.testing.assert_array_equal(found[row, column], block.sum(axis=(0, 1), dtype=int))


def test_the_brightest_blocks_do_not_overflow():
    assert block_sums(np.full((300, 300, 1), 255, np.uint8), 300).item() == 300 * 300 * 255
