"""COLMAP's sparse points: points3D.txt or points3D.bin beside the model's cameras."""

import struct
from pathlib import Path

import numpy as np

from isopts.errors import InputError

_TRACK_MIN = 3  # images that saw a point; two agree by chance
_ENOUGH = 50  # points of longer tracks that can do without the others
_HEADER = struct.Struct("<Q3d3BdQ")  # number, x y z, colour, error, length of the track
_TRACK_BYTES = 8  # image, number of its 2D point


def find_sparse_points(model: Path) -> Path | None:
    """points3D.bin or .txt in the folder of a COLMAP model, the one that goes with its cameras; None without."""
    suffixes = (".bin", ".txt") if (model / "cameras.bin").is_file() else (".txt", ".bin")
    return next((path for suffix in suffixes if (path := model / f"points3D{suffix}").is_file()), None)


def read_sparse_points(path: Path) -> np.ndarray:
    """(N, 3) float64, world frame: the finite points that three images saw, or all where those are few.

    Raises:
        InputError: a damaged file.
    """
    points, tracks = _read_binary(path) if path.suffix == ".bin" else _read_text(path)
    finite = np.isfinite(points).all(axis=1)
    trusted = finite & (tracks >= _TRACK_MIN)
    return points[trusted if trusted.sum() >= _ENOUGH else finite]


def _read_binary(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Points (N, 3) and the lengths (N,) of their tracks."""
    data = path.read_bytes()
    points, tracks = [], []
    try:
        (count,) = struct.unpack_from("<Q", data)
        at = 8
        for _ in range(count):
            _, x, y, z, _, _, _, _, track = _HEADER.unpack_from(data, at)
            at += _HEADER.size + track * _TRACK_BYTES
            points.append((x, y, z))
            tracks.append(track)
        if at > len(data):
            raise ValueError("it ends too early")
    except (struct.error, ValueError) as error:
        raise InputError(f"'{path}' holds no COLMAP points or is truncated ({error}).") from None
    return np.array(points, dtype=np.float64).reshape(-1, 3), np.array(tracks)


def _read_text(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """As `_read_binary`; a line: number, x, y, z, colour, error, then image and 2D point of each image."""
    points, tracks = [], []
    for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").split("\n"), start=1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        try:
            points.append(tuple(map(float, words[1:4])))
            if len(words) < 8 or len(words) % 2:
                raise ValueError
        except ValueError:
            raise InputError(
                f"'{path}', line {number}: expected number, x, y, z, colour, error, then pairs of numbers."
            ) from None
        tracks.append((len(words) - 8) // 2)
    return np.array(points, dtype=np.float64).reshape(-1, 3), np.array(tracks)
