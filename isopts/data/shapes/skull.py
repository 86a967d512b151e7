"""A skull: deep, blind cavities, arches to look through, rows of teeth, fine seams."""

import numpy as np

from isopts.data.shapes.solids import cone, ellipsoid, intersection, rounded_box, smooth_union

# x to the left, y ahead, z up; everything at both sides is written once, for x > 0
_ARCH_CENTER, _ARCH_RADIUS, _ARCH_END = 0.32, 0.185, 0.12  # of the teeth: half a circle, then straight back
_TEETH, _TOOTH = 7, 0.071  # on each side, and the width of one
_BITE = -0.455  # height where the teeth meet
_JOINT = 0.06  # width of the blends
_TOOTH_GAP = 0.013  # depth and width of the notches
_SEAM_DEPTH, _SEAM_WIDTH = 0.009, 0.013
_CENTER, _SCALE = np.array([0.0, -0.0825, 0.0073]), 1.0102  # bring it to the middle, its longest side to 1.5

Bone = tuple[tuple[float, float, float], tuple[float, float, float], tuple[float, float]]
_CHEEK: tuple[Bone, ...] = (  # start, end, radii
    ((0.0, 0.47, 0.15), (0.19, 0.46, 0.185), (0.055, 0.05)),  # brow
    ((0.19, 0.46, 0.185), (0.315, 0.36, 0.11), (0.05, 0.045)),
    ((0.315, 0.36, 0.11), (0.325, 0.36, -0.11), (0.042, 0.05)),  # beside the orbit
    ((0.325, 0.36, -0.11), (0.13, 0.43, -0.22), (0.06, 0.06)),  # below it
    ((0.325, 0.35, -0.12), (0.46, 0.13, -0.13), (0.055, 0.036)),  # arch
    ((0.46, 0.13, -0.13), (0.35, -0.12, -0.05), (0.036, 0.05)),
)
_JAW: tuple[Bone, ...] = (
    ((0.0, 0.49, -0.66), (0.17, 0.40, -0.65), (0.075, 0.07)),  # chin
    ((0.17, 0.40, -0.65), (0.335, 0.0, -0.53), (0.07, 0.06)),
    ((0.335, 0.0, -0.53), (0.345, -0.06, -0.09), (0.058, 0.045)),  # ramus, and its joint
    ((0.335, 0.03, -0.47), (0.335, 0.02, -0.34), (0.085, 0.06)),
    ((0.325, 0.10, -0.46), (0.325, 0.09, -0.26), (0.06, 0.035)),
)


def skull(points: np.ndarray) -> np.ndarray:
    """Skull with closed jaw: eye sockets, nasal cavity with a septum, hollows under the cheekbones, seven teeth a side
    in each jaw, cranial seams 0.009 deep. Genus 4: two cheekbone arches, and the jaw, which hangs at two joints and
    the teeth.
    """
    points = points / _SCALE + _CENTER
    half = np.concatenate([np.abs(points[:, :1]), points[:, 1:]], axis=1)
    head = _bones(_braincase(points, half), half, _CHEEK)
    head = smooth_union(head, _upper_jaw(half), _JOINT)
    head = _hollowed(head, half)
    jaw = cone(half, *map(np.array, _JAW[0][:2]), _JAW[0][2])
    jaw = smooth_union(_bones(jaw, half, _JAW[1:]), _along_arch(half, -0.57, (0.05, 0.06), 0.03), _JOINT)
    return _SCALE * smooth_union(smooth_union(head, jaw, 0.02), _teeth(half), 0.02)


def _bones(solid: np.ndarray, half: np.ndarray, bones: tuple[Bone, ...]) -> np.ndarray:
    for start, end, radii in bones:
        solid = smooth_union(solid, cone(half, np.array(start), np.array(end), radii), _JOINT)
    return solid


def _braincase(points: np.ndarray, half: np.ndarray) -> np.ndarray:
    """Round, narrower behind the eyes, with seams; the base of the skull below it."""
    case = ellipsoid(half - np.array([0, -0.12, 0.27]), np.array([0.5, 0.62, 0.48]))
    case = smooth_union(case, ellipsoid(half - np.array([0, 0.18, 0.24]), np.array([0.38, 0.36, 0.34])), 0.1)
    case = case + _seams(points)
    face = ellipsoid(half - np.array([0, 0.24, -0.04]), np.array([0.29, 0.26, 0.28]))
    case = smooth_union(case, face, 0.1)
    case = intersection(case, 0.26 - np.linalg.norm(half - np.array([0.58, 0.24, 0.05]), axis=1), 0.08)
    base = cone(half, np.array([0, 0.12, -0.14]), np.array([0, -0.2, -0.2]), (0.12, 0.1))
    mastoid = cone(half, np.array([0.36, -0.25, -0.04]), np.array([0.345, -0.24, -0.25]), (0.1, 0.045))
    case = smooth_union(smooth_union(case, base, 0.1), mastoid, 0.08)
    foramen = cone(half, np.array([0, -0.34, -0.35]), np.array([0, -0.3, -0.19]), (0.09, 0.075))
    return intersection(case, -foramen, 0.03)


def _seams(points: np.ndarray) -> np.ndarray:
    """Depth of the seams: over the top from ear to ear, from there back, and down to both sides."""
    x, y, z = points.T
    wave = 0.014 * np.sin(65 * np.abs(x)) + 0.006 * np.sin(150 * np.abs(x) + 40 * z)
    crossing = y - 0.1 - 0.3 * (z - 0.5) + wave
    back = x + 0.014 * np.sin(65 * y) + 0.006 * np.sin(150 * y)
    down = z + 0.45 * np.abs(x) - 0.47 - 0.4 * (y + 0.5) + 0.7 * wave
    behind, above, high = _step(-crossing), _step(down), _step(z - 0.12)
    seams = ((crossing, high), (back, behind * above * high), (down, _step(-y - 0.25) * _step(z + 0.05)))
    return _SEAM_DEPTH * (1 - np.prod([1 - shown * _notches(at / _SEAM_WIDTH) for at, shown in seams], axis=0))


def _step(distance: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-np.clip(distance / 0.015, -50, 50)))


def _upper_jaw(half: np.ndarray) -> np.ndarray:
    nose = cone(half, np.array([0, 0.47, 0.13]), np.array([0, 0.56, -0.02]), (0.045, 0.035))
    block = rounded_box(half - np.array([0, 0.33, -0.25]), np.array([0.2, 0.16, 0.13]), 0.08)
    return smooth_union(smooth_union(nose, block, _JOINT), _along_arch(half, -0.34, (0.05, 0.06), 0.03), _JOINT)


def _hollowed(head: np.ndarray, half: np.ndarray) -> np.ndarray:
    orbit = cone(half, np.array([0.205, 0.52, 0.035]), np.array([0.15, 0.26, 0.02]), (0.14, 0.075))
    head = intersection(head, -orbit, 0.03)
    under_cheek = ellipsoid(half - np.array([0.215, 0.47, -0.25]), np.array([0.07, 0.07, 0.06]))
    head = intersection(head, -under_cheek, 0.04)
    cavity = cone(half, np.array([0.04, 0.6, -0.17]), np.array([0, 0.32, -0.14]), (0.085, 0.08))
    upper = cone(half, np.array([0, 0.6, -0.03]), np.array([0, 0.34, -0.05]), (0.05, 0.055))
    head = intersection(head, -smooth_union(cavity, upper, 0.08), 0.015)
    septum = rounded_box(half - np.array([0, 0.26, -0.12]), np.array([0.022, 0.12, 0.16]), 0.015)
    return smooth_union(head, septum, 0.02)


def _arch(half: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Way along the dental arch from its middle, and distance out of it, of points with x > 0."""
    x, ahead = half[:, 0], half[:, 1] - _ARCH_CENTER
    turned = ahead > 0
    along = np.where(turned, _ARCH_RADIUS * np.arctan2(x, np.maximum(ahead, 1e-9)), _ARCH_RADIUS * np.pi / 2 - ahead)
    return along, np.where(turned, np.hypot(x, ahead), x) - _ARCH_RADIUS


def _along_arch(half: np.ndarray, height: float, half_sides: tuple[float, float], radius: float) -> np.ndarray:
    """The bone that holds teeth, half_sides (across, up)."""
    along, out = _arch(half)
    end = _ARCH_RADIUS * np.pi / 2 + _ARCH_CENTER - _ARCH_END
    local = np.stack([along, out, half[:, 2] - height], axis=1)
    return rounded_box(local, np.array([end, *half_sides]), radius)


def _teeth(half: np.ndarray) -> np.ndarray:
    """Both rows in one piece, notched between the teeth and where they meet."""
    along, _ = _arch(half)
    beside = along - _TOOTH * np.clip(np.round(along / _TOOTH), 0, _TEETH)
    rows = _along_arch(half, _BITE, (0.038, 0.09), 0.03)
    return rows + _TOOTH_GAP * _notches(beside / _TOOTH_GAP, (half[:, 2] - _BITE) / _TOOTH_GAP)


def _notches(*distances: np.ndarray) -> np.ndarray:
    """1 in the middle of any notch, 0 far from all; distances in widths. One crosses another without an edge."""
    return 1 - np.prod([1 - np.exp(-(distance**2)) for distance in distances], axis=0)
