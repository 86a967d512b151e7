import imageio.v3 as imageio
import numpy as np
import pytest

from isopts.data.pictures import picture_size, read_picture, write_picture
from isopts.errors import InputError


@pytest.mark.parametrize(
    ("channels", "dtype"), [(1, np.uint8), (2, np.uint8), (3, np.uint8), (4, np.uint8), (1, np.uint16)]
)
def test_every_kind_of_png_is_read_as_uint8(tmp_path, channels, dtype):
    values = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (5, 7, channels)).astype(dtype)
    imageio.imwrite(tmp_path / "a.png", values[..., 0] if channels == 1 else values)
    expected = values if dtype == np.uint8 else values // 256
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), expected)
    assert picture_size(tmp_path / "a.png") == (7, 5)


def test_what_is_written_comes_back(tmp_path):
    picture = np.random.default_rng(0).integers(0, 255, (4, 6, 3)).astype(np.uint8)
    write_picture(tmp_path / "a.png", picture)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png"), picture)


@pytest.mark.parametrize("read", [read_picture, picture_size])
def test_what_is_no_image_is_one_sentence(tmp_path, read):
    with pytest.raises(InputError, match=r"The image '.*absent\.png' does not exist"):
        read(tmp_path / "absent.png")
    (tmp_path / "a.png").write_bytes(b"plain text")
    with pytest.raises(InputError, match=r"a\.png' cannot be read as an image"):
        read(tmp_path / "a.png")


def test_a_truncated_image_is_one_sentence(tmp_path):
    whole = tmp_path / "whole.png"
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3)).astype(np.uint8)
    write_picture(whole, noise)
    (tmp_path / "a.png").write_bytes(whole.read_bytes()[:5000])
    with pytest.raises(InputError, match=r"a\.png' cannot be read as an image"):
        read_picture(tmp_path / "a.png")
