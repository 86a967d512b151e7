"""Photo-consistency agrees with its definition in value and gradient, and peaks at the true plane."""

import math

import pytest
import torch
from torch.nn.functional import normalize

from isopts.errors import BackendError, InputError
from isopts.kernels.patch_consistency import INVALID, PatchViews, patch_consistency
from isopts.kernels.patch_consistency.reference import consistency_at, patch_pixels, patch_sags
from isopts.kernels.patch_consistency.views import PatchLimits

BACKENDS = pytest.mark.parametrize("backend", ["warp", "reference"])
LIMITS = PatchLimits(3, 0.006, 0.15, 0.6)


def texture(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Greys (0 ... 255) of the plane z = 0: waves of 0.15 to 1 units in several directions."""
    waves = ((19.0, 7.0, 0.3), (-11.0, 23.0, 1.0), (6.0, -13.0, 2.0), (31.0, 29.0, 0.5), (-27.0, 33.0, 1.7))
    return 127 + sum(22 * torch.sin(p * x + q * y + shift) for p, q, shift in waves)


def camera(center: torch.Tensor, size: tuple[int, int], focal: float) -> tuple[torch.Tensor, ...]:
    """Intrinsics and rotation of a camera that looks at the origin."""
    forward = normalize(-center, dim=0)
    right = normalize(torch.linalg.cross(forward, torch.tensor([0.1, 1.0, 0.2])), dim=0)
    rotation = torch.stack([right, torch.linalg.cross(forward, right), forward])
    intrinsics = torch.tensor([[focal, 0.0, (size[0] - 1) / 2], [0, focal, (size[1] - 1) / 2], [0, 0, 1]])
    return intrinsics, rotation


def photographs(
    centers: torch.Tensor, sizes: list[tuple[int, int]], device: torch.device, radius: float | None = None
) -> PatchViews:
    """Exact images of the textured plane z = 0, or of a ball below it that touches it at the origin; 70 pixels a unit,
    everything on the object."""
    images, projections, backprojections = [], [], []
    for center, (width, height) in zip(centers, sizes, strict=True):
        intrinsics, rotation = camera(center, (width, height), 70 * float(center.norm()))
        back = rotation.T @ intrinsics.inverse()
        row, column = torch.meshgrid(torch.arange(float(height)), torch.arange(float(width)), indexing="ij")
        rays = torch.stack([column, row, torch.ones_like(row)], dim=2) @ back.T
        depth = -center[2] / rays[..., 2] if radius is None else depth_of_ball(center, rays, radius)
        hits = center + rays * depth[..., None]
        images.append(texture(hits[..., 0], hits[..., 1]).round().to(torch.uint8).flatten())
        projections.append(intrinsics @ torch.cat([rotation, (-rotation @ center)[:, None]], dim=1))
        backprojections.append(back)
    pixels = torch.tensor([width * height for width, height in sizes])
    parts = (
        torch.cat(images),
        torch.full((int(pixels.sum()),), 255, dtype=torch.uint8),
        pixels.cumsum(0) - pixels,
        torch.tensor(sizes, dtype=torch.int32),
        torch.stack(projections),
        torch.stack(backprojections),
        centers,
    )
    return PatchViews(*(part.to(device) for part in parts))


def depth_of_ball(center: torch.Tensor, rays: torch.Tensor, radius: float) -> torch.Tensor:
    """Along rays (..., 3), to the nearest place of the ball or, beside it, to where they are nearest to its middle."""
    to_camera = center + torch.tensor([0.0, 0.0, radius])
    square, slope = (rays * rays).sum(dim=-1), rays @ to_camera
    reach = slope * slope - square * (to_camera @ to_camera - radius**2)
    return (-slope - reach.clamp_min(0).sqrt()) / square


@pytest.fixture
def three(device: torch.device) -> PatchViews:
    centers = torch.tensor([[0.2, -0.1, 4.0], [1.4, 0.3, 3.6], [-0.5, 1.2, 4.4]])
    return photographs(centers, [(141, 121), (161, 111), (131, 151)], device)


@pytest.fixture
def uneven(device: torch.device) -> PatchViews:
    """Nine views, some too small for a patch, with random masks."""
    generator = torch.Generator().manual_seed(2)
    centers = torch.randn(9, 3, generator=generator) * 0.8 + torch.tensor([0.0, 0.0, 4.0])
    views = photographs(centers, [(1, 1), (5, 90), *((90 + 9 * view, 130 - 7 * view) for view in range(7))], device)
    views.masks.copy_((torch.rand(len(views.masks), generator=generator) > 0.3).to(device) * 7)
    return views


def surfels(count: int, views: PatchViews, spread: float, choices: int = 4) -> list[torch.Tensor]:
    """Points on and beside the plane, tilted normals, random views; some have none."""
    generator, device = torch.Generator().manual_seed(3), views.first.device
    points = (torch.rand(count, 3, generator=generator) - 0.5) * torch.tensor([1.6, 1.6, spread])
    normals = normalize(torch.tensor([0.0, 0, 1]) + spread * torch.randn(count, 3, generator=generator), dim=1)
    high = len(views.first)
    references = torch.randint(-1, high, (count,), generator=generator, dtype=torch.int32)
    sources = torch.randint(-1, high, (count, choices), generator=generator, dtype=torch.int32)
    return [part.to(device) for part in (points, normals, references, sources)]


def random_bends(normals: torch.Tensor, size: float) -> torch.Tensor:
    """Shape operators (N, 3, 3) with curvatures of about `size`."""
    symmetric = torch.randn(len(normals), 3, 3, generator=torch.Generator().manual_seed(7)).to(normals)
    tangent = torch.eye(3).to(normals) - normals[:, :, None] * normals[:, None]
    return size * tangent @ (symmetric + symmetric.mT) @ tangent / 2


def on_the_plane(count: int, device: torch.device) -> list[torch.Tensor]:
    """Surfels of the true plane, seen by view 0 and sought in views 1 and 2."""
    points = (torch.rand(count, 3, generator=torch.Generator().manual_seed(4)) - 0.5) * torch.tensor([1.0, 1.0, 0.0])
    normals = torch.tensor([0.0, 0.0, 1.0]).repeat(count, 1)
    references = torch.zeros(count, dtype=torch.int32)
    sources = torch.tensor([[1, 2]], dtype=torch.int32).repeat(count, 1)
    return [part.to(device) for part in (points, normals, references, sources)]


def with_gradients(arguments: list[torch.Tensor], views: PatchViews, **options) -> list[torch.Tensor]:
    """Scores and the gradients of their random mixture with respect to points and normals."""
    points, normals = (part.clone().requires_grad_() for part in arguments[:2])
    scores = patch_consistency(points, normals, *arguments[2:], views, **options)
    mixture = torch.randn(scores.shape, generator=torch.Generator().manual_seed(5)).to(scores.device)
    (scores * mixture).sum().backward()
    return [scores.detach(), points.grad, normals.grad]


@pytest.mark.parametrize("half_size", [0, 1, 3, 5])
@pytest.mark.parametrize("spread", [0.05, 0.6])
@pytest.mark.parametrize("choices", [1, 4])
@pytest.mark.parametrize("bend", [None, 1.0, 30.0])
@pytest.mark.parametrize("detrend", [False, True])
def test_agrees_with_the_definition(uneven, half_size, spread, choices, bend, detrend):
    arguments = surfels(2001, uneven, spread, choices)
    bends = None if bend is None else random_bends(arguments[1], bend)
    options = {"half_size": half_size, "bends": bends, "detrend": detrend}
    found = with_gradients(arguments, uneven, **options)
    expected = with_gradients(arguments, uneven, **options, backend="reference")
    same = (found[0] == INVALID) == (expected[0] == INVALID)  # rounding decides about the border of an image
    assert same.float().mean() > 0.998
    valid = found[0] > INVALID
    if half_size == 0:
        assert not valid.any()  # one pixel has no contrast
        return
    assert 0.1 < valid.float().mean() < 0.9
    rounding = 5e-4 if detrend else 1e-4  # nine pixels hardly depart from their trend
    torch.testing.assert_close(found[0][same], expected[0][same], atol=rounding, rtol=0)
    for one, other in zip(found[1:], expected[1:], strict=True):
        size = other.norm(dim=1)
        off = (one - other).norm(dim=1) > 0.01 * size + 1e-4 * size.max()
        assert off[same.all(dim=1)].float().mean() < 0.002  # a sample beyond a pixel's centre: another slope
        assert (size > 1e-3 * size.max()).float().mean() > 0.1


def test_scores_do_not_depend_on_whether_gradients_are_wanted(uneven):
    arguments = surfels(500, uneven, 0.3)
    torch.testing.assert_close(patch_consistency(*arguments, uneven), with_gradients(arguments, uneven)[0])


@pytest.mark.parametrize("half_size", [1, 3])
@pytest.mark.parametrize("detrend", [False, True])
def test_gradients_of_the_definition_are_those_of_finite_differences(uneven, half_size, detrend):
    points, normals, references, sources = surfels(40, uneven, 0.2, 2)
    limits = LIMITS._replace(half_size=half_size, detrend=detrend)
    double = uneven._replace(
        **{name: getattr(uneven, name).double() for name in ("projections", "backprojections", "centers")}
    )
    points, normals = points.double().requires_grad_(), normals.double().requires_grad_()
    pixels, _ = patch_pixels(points.detach(), references, double, half_size)
    bends = random_bends(normals.detach(), 1.0)
    sags = patch_sags(pixels, points.detach(), normals.detach(), references, bends, double, half_size)

    def scores(points: torch.Tensor, normals: torch.Tensor) -> torch.Tensor:
        return consistency_at(pixels, sags, points, normals, references, sources, double, limits)

    assert (scores(points, normals) > INVALID).sum() > 15
    assert torch.autograd.gradcheck(scores, (points, normals), eps=1e-7, atol=1e-4, rtol=1e-4)


@BACKENDS
def test_the_true_plane_scores_one_and_its_gradient_vanishes(three, device, backend):
    arguments = on_the_plane(300, device)
    points, normals = (part.requires_grad_() for part in arguments[:2])
    scores = patch_consistency(*arguments, three, backend=backend)
    assert scores.min() > 0.985
    scores.sum().backward()
    away = patch_consistency(points + 0.02 * normals, *arguments[1:], three, backend=backend)
    at_truth = points.grad.norm(dim=1).median()
    points.grad = None
    away.sum().backward()
    assert at_truth < 0.1 * points.grad.norm(dim=1).median()


@BACKENDS
@pytest.mark.parametrize("offset", [-0.03, -0.01, 0.01, 0.03])
def test_beside_the_plane_the_gradient_points_back(three, device, backend, offset):
    points, normals, *choice = on_the_plane(300, device)
    points = (points + offset * normals).requires_grad_()
    scores = patch_consistency(points, normals, *choice, three, backend=backend)
    assert (scores < patch_consistency(points - offset * normals, normals, *choice, three)).float().mean() > 0.95
    scores.sum().backward()
    assert (points.grad[:, 2] * offset < 0).float().mean() > 0.95
    assert (points.grad[:, :2] == 0).all()


@BACKENDS
@pytest.mark.parametrize("radius", [0.4, 1.0])
def test_a_ball_is_found_where_it_is_by_patches_that_bend(device, backend, radius):
    """Flat ones find it deeper, by the mean of their sag, 4 square pixels / radius and more where they are oblique."""
    centers = torch.tensor([[0.2, -0.1, 4.0], [1.4, 0.3, 3.6], [-0.5, 1.2, 4.4]])
    views = photographs(centers, [(141, 121), (161, 111), (131, 151)], device, radius)
    across = 0.3 * radius * (torch.rand(200, 2, generator=torch.Generator().manual_seed(4)) - 0.5)
    normals = torch.cat([across, (radius**2 - across.square().sum(dim=1, keepdim=True)).sqrt()], dim=1) / radius
    points, normals = (radius * (normals - torch.tensor([0.0, 0.0, 1.0]))).to(device), normals.to(device)
    choice = on_the_plane(200, device)[2:]
    bends = (torch.eye(3).to(normals) - normals[:, :, None] * normals[:, None]) / radius
    steps = torch.linspace(-0.02, 0.02, 81).tolist()

    def offset(bends: torch.Tensor | None) -> float:
        """Along the normals, at which all surfels together agree best."""
        options = {"bends": bends, "mask_share_min": 0.1, "backend": backend}
        scores = [patch_consistency(points + step * normals, normals, *choice, views, **options) for step in steps]
        valid = torch.stack(scores).amin(dim=0) > INVALID
        assert valid.float().mean() > 0.7
        return steps[int(torch.stack([score[valid].mean() for score in scores]).argmax())]

    sag = 4 / 70**2 / radius
    assert abs(offset(bends)) < 0.15 * sag + 0.0005
    assert offset(None) < -0.7 * sag


@BACKENDS
def test_a_slope_of_light_does_not_count_in_detrended_patches(three, device, backend):
    """Greys that rise and fall across a view, as on curved surfaces whose light moved."""
    arguments = on_the_plane(300, device)
    lit = three._replace(greys=three.greys.clone())
    start, (width, height) = int(three.first[1]), three.sizes[1].tolist()
    waves = 4.0 * ((torch.arange(width) % 40 - 20).abs() - 10).to(device)
    view = lit.greys[start : start + width * height].view(height, width)
    view.copy_((0.3 * view + 88 + waves).round())

    def scores(views: PatchViews, detrend: bool) -> torch.Tensor:
        return patch_consistency(*arguments, views, detrend=detrend, backend=backend)[:, 0]

    assert scores(three, True).median() > 0.97
    assert scores(lit, False).median() < 0.85
    assert scores(lit, True).median() > 0.97


@BACKENDS
@pytest.mark.parametrize("tilt", [(0.3, 0.0), (0.0, -0.3), (-0.2, 0.2)])
def test_a_tilted_surfel_turns_back(three, device, backend, tilt):
    points, normals, *choice = on_the_plane(300, device)
    lean = torch.tensor([*tilt, 0.0], device=device)
    normals = normalize(normals + lean, dim=1).requires_grad_()
    patch_consistency(points, normals, *choice, three, backend=backend).sum().backward()
    assert ((normals.grad * lean).sum(dim=1) < 0).float().mean() > 0.9
    along = (normals.grad * normals.detach()).sum(dim=1).abs()  # a longer normal is the same plane
    assert (along < 1e-3 * normals.grad.norm(dim=1) + 1e-3).all()


def test_gradient_is_the_slope_of_the_score(three, device):
    """Finite differences of the kernel itself along the normal, of smooth images: within some per cent."""
    points, normals, *choice = on_the_plane(200, device)
    points = (points + 0.02 * normals).requires_grad_()
    patch_consistency(points, normals, *choice, three).sum().backward()
    ray = normalize(three.centers[0] - points.detach(), dim=1)  # along the ray the patch's pixels stay
    step = 2e-3 * ray / (ray * normals).sum(dim=1, keepdim=True)
    ahead, back = (patch_consistency(points.detach() + s * step, normals, *choice, three).sum(dim=1) for s in (1, -1))
    slope = (ahead - back) / 4e-3
    assert ((points.grad[:, 2] - slope).abs() < 0.1 * slope.abs() + 0.3).float().mean() > 0.95


@BACKENDS
def test_invalid_cases_one_by_one(three, device, backend):
    arguments = on_the_plane(1, device)
    arguments[0].zero_()

    def scores(views: PatchViews = three, **changed) -> list[bool]:
        names = ("points", "normals", "references", "sources")
        options = dict(zip(names, arguments, strict=True)) | {"backend": backend} | changed
        found = patch_consistency(views=views, **options)
        assert ((found == INVALID) | (found.abs() < 1.001)).all()
        return (found[0] > INVALID).tolist()

    def tensor(*values: float) -> torch.Tensor:
        return torch.tensor([values], device=device)

    def masked(share: float) -> PatchViews:
        views = three._replace(masks=three.masks.clone())
        views.masks[: 141 * round(121 / 2 - 3.5 + 7 * (1 - share))] = 0  # rows of view 0, from the top
        return views

    def greys(view: int, change) -> PatchViews:
        views, start = three._replace(greys=three.greys.clone()), int(three.first[view])
        image = views.greys[start : start + int(three.sizes[view].prod())]
        image.copy_(change(image.float()))
        return views

    assert scores() == [True, True]
    assert scores(references=torch.tensor([-1], dtype=torch.int32, device=device)) == [False, False]
    assert scores(sources=torch.tensor([[1, -1]], dtype=torch.int32, device=device)) == [True, False]
    assert scores(points=tensor(0.98, 0.0, 0.0)) == [False, False]  # the patch leaves the reference image
    assert scores(points=tensor(0.4, -8.0, 9.0)) == [False, False]  # behind the reference camera
    assert scores(points=tensor(math.nan, 0.0, 0.0)) == [False, False]
    assert scores(points=tensor(0.5, -0.75, 0.0)) == [False, True]  # outside of view 1 (its height is least)
    assert scores(normals=tensor(1.0, 0.0, 0.05)) == [False, False]  # grazing
    assert scores(normals=tensor(0.0, 0.0, -1.0)) == [False, False]
    assert scores(normals=tensor(math.sin(1), 0.0, math.cos(1)), cosine_min=0.7) == [False, False]
    assert scores(masked(0.75)) == [True, True]
    assert scores(masked(0.45)) == [False, False]
    assert scores(masked(0.45), mask_share_min=0.3) == [True, True]
    assert scores(masked(0.0), mask_share_min=0.0) == [False, False]
    assert scores(greys(0, lambda image: 0 * image + 90)) == [False, False]
    assert scores(greys(2, lambda image: 0 * image + 90)) == [True, False]
    assert scores(contrast_min=0.4) == [False, False]
    assert scores(greys(1, lambda image: 100 + 0.2 * image), contrast_min=0.1) == [False, True]
    assert scores(greys(1, lambda image: 100 + 0.5 * image), contrast_min=0.1) == [True, True]
    behind = three._replace(projections=three.projections.clone())
    behind.projections[1] *= -1
    assert scores(behind) == [False, True]


@BACKENDS
def test_invalid_scores_have_no_gradient(three, device, backend):
    points, normals, references, sources = on_the_plane(20, device)
    points[::2, 0] += 5
    points, normals = points.requires_grad_(), normals.requires_grad_()
    patch_consistency(points, normals, references, sources, three, backend=backend).sum().backward()
    for gradient in (points.grad, normals.grad):
        assert (gradient[::2] == 0).all()
        assert (gradient[1::2].norm(dim=1) > 0).all()


@BACKENDS
def test_background_pixels_do_not_count(three, device, backend):
    """Greys beside the mask of the reference view are noise; the score stays that of the plane."""
    arguments = on_the_plane(1, device)
    arguments[0].zero_()
    views = three._replace(masks=three.masks.clone(), greys=three.greys.clone())
    views.masks[: 141 * 59] = 0  # two of seven rows; samples lie on pixels' centres or within half a pixel of them
    views.greys[: 141 * 58] = torch.randint(0, 255, (141 * 58,), generator=torch.Generator().manual_seed(6)).to(
        views.greys
    )
    masked = patch_consistency(*arguments, views, backend=backend)
    views.masks.fill_(1)
    assert masked.min() > 0.98
    assert patch_consistency(*arguments, views, backend=backend).max() < 0.95


def test_same_result_for_one_and_two_threads(uneven):
    arguments = surfels(3000, uneven, 0.2)
    threads = torch.get_num_threads()
    try:
        results = []
        for count in (1, 2):
            torch.set_num_threads(count)
            results.append(with_gradients(arguments, uneven))
    finally:
        torch.set_num_threads(threads)
    assert all(torch.equal(*pair) for pair in zip(*results, strict=True))


@BACKENDS
def test_no_surfels_or_no_sources(uneven, backend):
    for count, choices in ((0, 4), (5, 0), (0, 0)):
        found = with_gradients(surfels(count, uneven, 0.1, choices), uneven, backend=backend)
        assert [tuple(part.shape) for part in found] == [(count, choices), (count, 3), (count, 3)]
        assert all((part == 0).all() for part in found)


def test_refuses_what_does_not_fit(three, device):
    points, normals, references, sources = arguments = on_the_plane(5, device)
    for changed, message in (
        ([points[:, :2], normals, references, sources], r"points is \(5, 2\)"),
        ([points, normals[:4], references, sources], r"normals is \(4, 3\)"),
        ([points, normals, references.long(), sources], r"references is \(5,\) torch.int64"),
        ([points, normals, references, sources[:, 0]], r"sources is \(5,\)"),
        ([points, normals, references + 3, sources], r"references has view 3; expected -1 \.\.\. 2"),
        ([points, normals, references, sources + 1], "sources has view 3"),
    ):
        with pytest.raises(InputError, match=message):
            patch_consistency(*changed, three)
    with pytest.raises(InputError, match=r"views\.greys is .* torch.float32"):
        patch_consistency(*arguments, three._replace(greys=three.greys.float()))
    with pytest.raises(InputError, match="one image after the other"):
        patch_consistency(*arguments, three._replace(sizes=three.sizes + 1))
    with pytest.raises(InputError, match=r"half_size is 6; expected 0 \.\.\. 5"):
        patch_consistency(*arguments, three, half_size=6)
    with pytest.raises(InputError, match="contrast_min is 0"):
        patch_consistency(*arguments, three, contrast_min=0)
    with pytest.raises(BackendError, match="no backend 'frnn'"):
        patch_consistency(*arguments, three, backend="frnn")
