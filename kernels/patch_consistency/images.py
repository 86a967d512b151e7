"""Grey images with their cameras as a kernel takes them, and how their greys are read."""

import warp as wp

from isopts.kernels.launch import pack_struct
from isopts.kernels.patch_consistency.plane import mat34
from isopts.kernels.patch_consistency.views import PatchLimits, PatchViews

wp.set_module_options({"enable_backward": False})


@wp.struct
class Images:
    """See PatchViews."""

    greys: wp.array(dtype=wp.uint8)
    masks: wp.array(dtype=wp.uint8)
    first: wp.array(dtype=wp.int64)
    sizes: wp.array(dtype=wp.vec2i)
    projections: wp.array(dtype=mat34)
    backprojections: wp.array(dtype=wp.mat33)
    centers: wp.array(dtype=wp.vec3)


@wp.struct
class Place:
    """Where an image lies in the common buffer. last: its last column and row."""

    start: wp.int64
    width: int
    last: wp.vec2


@wp.struct
class Limits:
    """See PatchLimits. contrast: with white being 255."""

    half_size: int
    contrast: float
    cosine_min: float
    mask_share_min: float
    detrend: wp.bool


def as_images(views: PatchViews) -> Images:
    return pack_struct(Images, views._asdict())


def as_limits(limits: PatchLimits) -> Limits:
    values = limits._asdict()
    return pack_struct(Limits, {"contrast": 255 * values.pop("contrast_min"), **values})


@wp.func
def place_of(images: Images, view: int) -> Place:
    place = Place()
    size = images.sizes[view]
    place.start = images.first[view]
    place.width = size[0]
    place.last = wp.vec2(float(size[0] - 1), float(size[1] - 1))
    return place


@wp.func
def holds(place: Place, column: float, row: float) -> bool:
    """Whether a pixel lies between four of the image."""
    return column >= 0.0 and row >= 0.0 and column < place.last[0] and row < place.last[1]


@wp.func
def bilinear(greys: wp.array(dtype=wp.uint8), place: Place, column: float, row: float) -> wp.vec3:
    """Grey (0 ... 255) and its derivatives along the columns and the rows, at a pixel that the image `holds`."""
    left = int(column)
    top = int(row)
    a = column - float(left)
    b = row - float(top)
    at = place.start + wp.int64(top * place.width + left)
    below = at + wp.int64(place.width)
    p = float(greys[at])
    q = float(greys[at + wp.int64(1)])
    r = float(greys[below])
    s = float(greys[below + wp.int64(1)])
    upper = p + a * (q - p)
    lower = r + a * (s - r)
    return wp.vec3(upper + b * (lower - upper), q - p + b * (s - r - q + p), lower - upper)
