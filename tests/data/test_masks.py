import imageio.v3 as imageio
import numpy as np
import pytest
from pydantic import ValidationError

from isopts.data.masks import MaskConfig, find_mask_files, mask_from_file, mask_from_image, mask_problem
from isopts.data.posed_image import PosedImage
from isopts.errors import InputError


def disc(height: int = 60, width: int = 80, radius: float = 20.0) -> np.ndarray:
    row, column = np.mgrid[:height, :width]
    return np.hypot(row - height / 2, column - width / 2) < radius


def write(path, picture) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    imageio.imwrite(path, picture)


def posed(folder, names) -> list[PosedImage]:
    return [PosedImage(folder / "image" / name, None) for name in names]


@pytest.mark.parametrize(
    "picture",
    [
        np.where(disc(), 255, 0).astype(np.uint8),
        np.where(disc(), 65535, 0).astype(np.uint16),
        np.where(disc(), 200, 30).astype(np.uint8)[..., None].repeat(3, axis=2),
        np.dstack([np.full((60, 80, 3), 255, np.uint8), np.where(disc(), 255, 0).astype(np.uint8)]),
        np.dstack([np.where(disc(), 255, 0).astype(np.uint8)] * 3 + [np.full((60, 80), 255, np.uint8)]),
    ],
    ids=["grey", "16 bits", "color", "alpha", "opaque"],
)
def test_white_is_the_object_in_every_kind_of_file(tmp_path, picture):
    write(tmp_path / "mask.png", picture)
    assert (mask_from_file(tmp_path / "mask.png", MaskConfig()) == disc()).all()
    assert (mask_from_file(tmp_path / "mask.png", MaskConfig(invert=True)) == ~disc()).all()


@pytest.mark.parametrize("source", ["black", "white"])
def test_a_plain_background_is_told_from_the_object(source):
    generator = np.random.default_rng(0)
    background = 255.0 if source == "white" else 0.0
    picture = np.where(disc()[..., None], [120.0, 90, 60], background)
    picture += generator.normal(scale=6, size=picture.shape)
    picture[28:31, 38:41] = background  # a highlight or shadow
    picture[3:5, 3:5] = 128  # dust
    found = mask_from_image(picture.clip(0, 255).astype(np.uint8), source, MaskConfig(), "a.png")
    assert (found == disc()).all()


def test_a_hole_through_the_object_stays_a_hole():
    ring = disc() & ~disc(radius=8)
    picture = np.where(ring, 200, 0).astype(np.uint8)[..., None]
    assert (mask_from_image(picture, "black", MaskConfig(), "a.png") == ring).all()


def test_the_threshold_says_how_dark_an_object_may_be():
    picture = np.where(disc(), 20, 0).astype(np.uint8)[..., None]
    assert not mask_from_image(picture, "black", MaskConfig(), "a.png").any()
    assert (mask_from_image(picture, "black", MaskConfig(source="black", threshold=0.05), "a.png") == disc()).all()


@pytest.mark.parametrize(
    ("source", "option"),
    [
        ("black", {"invert": True}),
        ("none", {"invert": True}),
        ("dir", {"threshold": 0.3}),
        ("auto", {"threshold": 0.3}),
    ],
)
def test_what_would_say_nothing_about_such_masks_is_refused(source, option):
    with pytest.raises(ValidationError, match=next(iter(option))):
        MaskConfig(source=source, **option)


def test_alpha_needs_an_alpha_channel():
    picture = np.zeros((4, 4, 3), np.uint8)
    with pytest.raises(InputError, match=r"'a\.png' has no alpha channel"):
        mask_from_image(picture, "alpha", MaskConfig(), "a.png")


@pytest.mark.parametrize(
    ("names", "masks"),
    [
        (["a.png", "b.jpg"], ["a.png", "b.png"]),
        (["a.jpg", "b.jpg"], ["a.jpg.png", "b.jpg.png"]),
        (["000000.png", "000010.png"], ["000.png", "010.png"]),
        (["rgb_3.png", "rgb_11.png"], ["mask_003.png", "mask_011.png"]),
        (["left.png", "right.png"], ["0.png", "1.png"]),
    ],
)
def test_masks_belong_to_images_by_name_number_or_order(tmp_path, names, masks):
    for mask in reversed(masks):
        write(tmp_path / "masks" / mask, np.zeros((2, 2), np.uint8))
    found = find_mask_files(posed(tmp_path, names), tmp_path)
    assert [path.name for path in found] == masks


def test_more_masks_than_images_do_no_harm(tmp_path):
    for number in range(5):
        write(tmp_path / "mask" / f"{number:03d}.png", np.zeros((2, 2), np.uint8))
    found = find_mask_files(posed(tmp_path, ["000001.png", "000003.png"]), tmp_path)
    assert [path.name for path in found] == ["001.png", "003.png"]


def test_a_missing_mask_is_named(tmp_path):
    for number in (0, 1, 3):
        write(tmp_path / "mask" / f"{number:03d}.png", np.zeros((2, 2), np.uint8))
    with pytest.raises(InputError, match=r"000002\.png' has no mask in .*mask' \(nor have 1 more\)"):
        find_mask_files(posed(tmp_path, [f"{number:06d}.png" for number in range(5)]), tmp_path)
    assert find_mask_files(posed(tmp_path, ["a.png"]), tmp_path / "elsewhere") is None


@pytest.mark.parametrize(
    ("mask", "expected"),
    [
        (disc(), None),
        (disc(radius=45), None),  # cut by the border
        (np.roll(disc(), 15, axis=0), None),
        (np.zeros((9, 9), bool), "is empty"),
        (np.ones((9, 9), bool), "covers the whole image"),
        (~disc(), "looks inverted"),
        (~np.roll(disc(), 15, axis=0), "looks inverted"),
    ],
)
def test_masks_that_cannot_be_right(mask, expected):
    problem = mask_problem(mask)
    assert problem is None if expected is None else problem.startswith(expected)
