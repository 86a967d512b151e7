"""One surfel a thread: a reference view is drawn, then its sources are sorted in by their rank."""

import warp as wp

wp.set_module_options({"enable_backward": False})

CHOICES_MAX = 8
DRAWN_COSINE_MIN = 0.3  # views below it are not drawn as references beside a better one
NOISE_SHARE = 0.15  # of the noise in a source's rank, beside the cosine of its baseline
_CHOICES_MAX = wp.constant(CHOICES_MAX)
_DRAWN_COSINE_MIN = wp.constant(DRAWN_COSINE_MIN)
_NOISE_SHARE = wp.constant(NOISE_SHARE)


@wp.kernel
def choose_kernel(
    first: int,
    points: wp.array(dtype=wp.vec3),
    cosines: wp.array2d(dtype=float),
    centers: wp.array(dtype=wp.vec3),
    noise: wp.array2d(dtype=float),
    top: int,
    reference_cosine_min: float,
    source_cosine_min: float,
    angle_cosine_min: float,
    angle_cosine_max: float,
    references: wp.array(dtype=wp.int32),
    sources: wp.array2d(dtype=wp.int32),
):
    """Equal views keep their order."""
    i = first + wp.tid()
    count = sources.shape[1]
    references[i] = -1
    for slot in range(count):
        sources[i, slot] = -1
    values = wp.zeros(shape=(_CHOICES_MAX,), dtype=float)  # descending
    owners = wp.zeros(shape=(_CHOICES_MAX,), dtype=wp.int32)
    for slot in range(top):
        owners[slot] = -1
    for view in range(centers.shape[0]):
        value = cosines[i, view]
        owner = view
        if value > values[top - 1]:
            for slot in range(top):
                if value > values[slot]:
                    smaller = values[slot]
                    smaller_owner = owners[slot]
                    values[slot] = value
                    owners[slot] = owner
                    value = smaller
                    owner = smaller_owner
    total = float(0.0)
    for slot in range(top):
        if values[slot] > _DRAWN_COSINE_MIN:
            total += values[slot]
    drawn = int(0)
    if total > 0.0:
        left = noise[i, 0] * total
        for slot in range(top):
            if values[slot] > _DRAWN_COSINE_MIN:
                if left >= 0.0:
                    drawn = slot
                left -= values[slot]
    reference = owners[drawn]
    if reference < 0 or not (values[drawn] >= reference_cosine_min):
        return

    point = points[i]
    direction = wp.normalize(centers[reference] - point)
    for slot in range(count):
        values[slot] = -wp.inf
        owners[slot] = -1
    for view in range(centers.shape[0]):
        if cosines[i, view] > source_cosine_min:
            angle_cosine = wp.dot(wp.normalize(centers[view] - point), direction)
            if view != reference and angle_cosine > angle_cosine_min and angle_cosine < angle_cosine_max:
                value = angle_cosine + _NOISE_SHARE * noise[i, view]
                owner = view
                for slot in range(count):
                    if value > values[slot]:
                        smaller = values[slot]
                        smaller_owner = owners[slot]
                        values[slot] = value
                        owners[slot] = owner
                        value = smaller
                        owner = smaller_owner
    if owners[0] >= 0:
        references[i] = reference
        for slot in range(count):
            sources[i, slot] = owners[slot]
