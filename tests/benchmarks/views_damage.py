"""Sets of posed images as they come from the field: each damages a copy of a clean one, the same way every time."""

import shutil
from collections.abc import Callable
from pathlib import Path

import imageio.v3 as imageio
import numpy as np
from scipy import ndimage

Damage = Callable[[Path, np.random.Generator], list[str]]
"""Changes a folder in IDR's convention; the names of the images whose mask or pose is wrong afterwards."""

WORLD = "world_mat_"


def damaged(clean: Path, folder: Path, damage: Damage) -> list[str]:
    """Copy image/, mask/, cameras and reference.ply of `clean` to `folder`, and damage the copy."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(clean, folder, ignore=shutil.ignore_patterns("depth"))
    for path in (folder, *folder.rglob("*")):
        path.chmod(path.stat().st_mode | 0o200)  # data may be write-protected
    return damage(folder, np.random.default_rng(0))


def nothing(folder: Path, generator: np.random.Generator) -> list[str]:
    return []


def exposure(share: float) -> Damage:
    """Each image brighter or darker by up to `share`, and cut off at white."""

    def damage(folder: Path, generator: np.random.Generator) -> list[str]:
        for path in _files(folder, "image"):
            gain = generator.uniform(1 - share, 1 + share)
            _change(path, lambda image, gain=gain: image * gain)
        return []

    return damage


def brightened(gain: float) -> Damage:
    """All images brighter by the same: what was bright is white."""

    def damage(folder: Path, generator: np.random.Generator) -> list[str]:
        for path in _files(folder, "image"):
            _change(path, lambda image: image * gain)
        return []

    return damage


def grown(pixels: int) -> Damage:
    """All masks larger all around, or smaller where `pixels` is negative."""

    def damage(folder: Path, generator: np.random.Generator) -> list[str]:
        for path in _files(folder, "mask"):
            _change(path, lambda mask: 255.0 * (_signed_distance(mask >= 128) < pixels))
        return []

    return damage


def wrong_masks(kinds: tuple[str, ...]) -> Damage:
    """One mask of each kind, in images far apart."""

    def damage(folder: Path, generator: np.random.Generator) -> list[str]:
        masks, images = _files(folder, "mask"), _files(folder, "image")
        chosen = [(1 + 2 * number) * len(masks) // (2 * len(kinds)) for number in range(len(kinds))]
        for view, kind in zip(chosen, kinds, strict=True):
            _change(masks[view], lambda mask, kind=kind: _wrong(mask, kind))
        return [images[view].name for view in chosen]

    return damage


def _wrong(mask: np.ndarray, kind: str) -> np.ndarray:
    columns = np.arange(mask.shape[1]).reshape(1, -1, *[1] * (mask.ndim - 2))
    match kind:
        case "shifted":
            return np.roll(mask, mask.shape[1] // 12, axis=1)
        case "inverted":
            return 255.0 - mask
        case "erased":
            inside = np.nonzero((mask >= 128).reshape(*mask.shape[:2], -1).any(axis=2).any(axis=0))[0]
            return mask * (columns > np.median(inside))
        case _:
            return 0.0 * mask


def wrong_pose(degrees: float, axis: str) -> Damage:
    """One camera, in the middle of the list, turned about the scene's middle: `side` about its own vertical axis,
    `roll` about its optical axis."""

    def damage(folder: Path, generator: np.random.Generator) -> list[str]:
        with np.load(folder / "cameras.npz") as stored:
            matrices = dict(stored)
        number = len(_files(folder, "image")) // 2
        scale, world = matrices[f"scale_mat_{number}"], matrices[f"{WORLD}{number}"]
        extrinsics = np.linalg.inv(_intrinsics(world)) @ world[:3]
        direction = extrinsics[1 if axis == "side" else 2, :3]
        turn = np.eye(4)
        turn[:3, :3] = _rotation(direction / np.linalg.norm(direction), np.radians(degrees))
        turn[:3, 3] = scale[:3, 3] - turn[:3, :3] @ scale[:3, 3]
        matrices[f"{WORLD}{number}"] = world @ turn
        np.savez(folder / "cameras.npz", **matrices)
        return [_files(folder, "image")[number].name]

    return damage


def some_views(count: int) -> Damage:
    """So many views only, as far apart as they get."""

    def damage(folder: Path, generator: np.random.Generator) -> list[str]:
        directions = _directions(folder)
        kept = [0]
        while len(kept) < count:
            kept.append(int((directions @ directions[kept].T).max(axis=1).argmin()))
        _keep(folder, kept)
        return []

    return damage


def upper_half(folder: Path, generator: np.random.Generator) -> list[str]:
    """Only the views from above, where above is where the cameras' own upper sides point on average."""
    with np.load(folder / "cameras.npz") as stored:
        worlds = [stored[f"{WORLD}{number}"] for number in range(len(_files(folder, "image")))]
    up = -np.mean([(np.linalg.inv(_intrinsics(world)) @ world[:3])[1, :3] for world in worlds], axis=0)
    _keep(folder, np.nonzero(_directions(folder) @ up > 0)[0].tolist())
    return []


def enlarged(megapixels: float, count: int) -> Damage:
    """So many views of about `megapixels`, by a whole factor, as JPEG; their masks too."""

    def damage(folder: Path, generator: np.random.Generator) -> list[str]:
        some_views(count)(folder, generator)
        height, width = imageio.imread(_files(folder, "image")[0]).shape[:2]
        factor = max(1, round((megapixels * 1e6 / (width * height)) ** 0.5))
        with np.load(folder / "cameras.npz") as stored:
            matrices = dict(stored)
        grow = np.diag([factor, factor, 1.0, 1.0])
        grow[:2, 2] = (factor - 1) / 2
        for name in matrices:
            if name.startswith(WORLD):
                matrices[name] = grow @ matrices[name]
        np.savez(folder / "cameras.npz", **matrices)
        for path in _files(folder, "image"):
            large = ndimage.zoom(imageio.imread(path), (factor, factor, 1), order=1, grid_mode=True, mode="nearest")
            imageio.imwrite(path.with_suffix(".jpg"), large, quality=92)
            path.unlink()
        for path in _files(folder, "mask"):
            imageio.imwrite(path, imageio.imread(path).repeat(factor, axis=0).repeat(factor, axis=1))
        return []

    return damage


def _keep(folder: Path, kept: list[int]) -> None:
    """Remove the other views; images that are numbers find their cameras by them."""
    for kind in ("image", "mask"):
        files = _files(folder, kind)
        for number, path in enumerate(files):
            path.rename(path.with_name(f"{number:03d}{path.suffix}"))
        for number, path in enumerate(_files(folder, kind)):
            if number not in kept:
                path.unlink()


def _directions(folder: Path) -> np.ndarray:
    """(V, 3) unit vectors from the scene's middle to the cameras."""
    with np.load(folder / "cameras.npz") as stored:
        count = len(_files(folder, "image"))
        centers = [-np.linalg.solve(stored[f"{WORLD}{n}"][:3, :3], stored[f"{WORLD}{n}"][:3, 3]) for n in range(count)]
        away = np.array(centers) - stored["scale_mat_0"][:3, 3]
    return away / np.linalg.norm(away, axis=1, keepdims=True)


def _intrinsics(world: np.ndarray) -> np.ndarray:
    """K (3, 3) of a projection K [R | t], with K[2, 2] > 0."""
    lower = np.linalg.qr(np.linalg.inv(world[:3, :3]))[1]  # inv(K R) = R^T inv(K)
    lower = np.diag(np.sign(np.diag(lower))) @ lower
    return np.linalg.inv(lower)


def _rotation(axis: np.ndarray, angle: float) -> np.ndarray:
    cross = np.cross(np.eye(3), axis)
    return np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross


def _signed_distance(mask: np.ndarray) -> np.ndarray:
    """Pixels to the nearest one of the other kind, of a mask (H, W) or (H, W, C); negative inside."""
    flat = mask if mask.ndim == 2 else mask.any(axis=2)
    distances = ndimage.distance_transform_edt(~flat) - ndimage.distance_transform_edt(flat)
    return distances if mask.ndim == 2 else np.repeat(distances[..., None], mask.shape[2], axis=2)


def _files(folder: Path, kind: str) -> list[Path]:
    return sorted((folder / kind).iterdir())


def _change(path: Path, change: Callable[[np.ndarray], np.ndarray]) -> None:
    changed = np.clip(change(imageio.imread(path).astype(np.float64)) + 0.5, 0, 255)
    imageio.imwrite(path, changed.astype(np.uint8))
