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
LIMITS = PatchLimits()


@pytest.fixture
def uneven(photographs, device: torch.device) -> PatchViews:
    """Nine views, some too small for a patch, with random masks."""
    generator = torch.Generator().manual_seed(2)
    centers = torch.randn(9, 3, generator=generator) * 0.8 + torch.tensor([0.0, 0.0, 4.0])
    views = photographs(centers, [(1, 1), (5, 90), *((90 + 9 * view, 130 - 7 * view) for view in range(7))])
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


def with_gradients(
    arguments: list[torch.Tensor], views: PatchViews, bends: torch.Tensor | None = None, backend="auto", **limits
) -> list[torch.Tensor]:
    """Scores and the gradients of their random mixture with respect to points and normals."""
    points, normals = (part.clone().requires_grad_() for part in arguments[:2])
    scores = patch_consistency(points, normals, *arguments[2:], views, LIMITS._replace(**limits), bends, backend)
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
def test_the_true_plane_scores_one_and_its_gradient_vanishes(on_the_plane, three, backend):
    arguments = on_the_plane(300)
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
def test_beside_the_plane_the_gradient_points_back(on_the_plane, three, backend, offset):
    points, normals, *choice = on_the_plane(300)
    points = (points + offset * normals).requires_grad_()
    scores = patch_consistency(points, normals, *choice, three, backend=backend)
    assert (scores < patch_consistency(points - offset * normals, normals, *choice, three)).float().mean() > 0.95
    scores.sum().backward()
    assert (points.grad[:, 2] * offset < 0).float().mean() > 0.95
    assert (points.grad[:, :2] == 0).all()


@BACKENDS
@pytest.mark.parametrize("tilt", [(0.3, 0.0), (0.0, -0.3), (-0.2, 0.2)])
def test_a_tilted_surfel_turns_back(on_the_plane, three, device, backend, tilt):
    points, normals, *choice = on_the_plane(300)
    lean = torch.tensor([*tilt, 0.0], device=device)
    normals = normalize(normals + lean, dim=1).requires_grad_()
    patch_consistency(points, normals, *choice, three, backend=backend).sum().backward()
    assert ((normals.grad * lean).sum(dim=1) < 0).float().mean() > 0.9
    along = (normals.grad * normals.detach()).sum(dim=1).abs()  # a longer normal is the same plane
    assert (along < 1e-3 * normals.grad.norm(dim=1) + 1e-3).all()


def test_gradient_is_the_slope_of_the_score(on_the_plane, three):
    """Finite differences of the kernel itself along the normal, of smooth images: within some per cent."""
    points, normals, *choice = on_the_plane(200)
    points = (points + 0.02 * normals).requires_grad_()
    patch_consistency(points, normals, *choice, three).sum().backward()
    ray = normalize(three.centers[0] - points.detach(), dim=1)  # along the ray the patch's pixels stay
    step = 2e-3 * ray / (ray * normals).sum(dim=1, keepdim=True)
    ahead, back = (patch_consistency(points.detach() + s * step, normals, *choice, three).sum(dim=1) for s in (1, -1))
    slope = (ahead - back) / 4e-3
    assert ((points.grad[:, 2] - slope).abs() < 0.1 * slope.abs() + 0.3).float().mean() > 0.95


@BACKENDS
def test_invalid_cases_one_by_one(on_the_plane, three, device, backend):
    arguments = on_the_plane(1)
    arguments[0].zero_()

    def scores(views: PatchViews = three, **changed) -> list[bool]:
        names = ("points", "normals", "references", "sources")
        limits = LIMITS._replace(**{name: changed.pop(name) for name in LIMITS._fields if name in changed})
        options = dict(zip(names, arguments, strict=True)) | {"backend": backend} | changed
        found = patch_consistency(views=views, limits=limits, **options)
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
def test_invalid_scores_have_no_gradient(on_the_plane, three, backend):
    points, normals, references, sources = on_the_plane(20)
    points[::2, 0] += 5
    points, normals = points.requires_grad_(), normals.requires_grad_()
    patch_consistency(points, normals, references, sources, three, backend=backend).sum().backward()
    for gradient in (points.grad, normals.grad):
        assert (gradient[::2] == 0).all()
        assert (gradient[1::2].norm(dim=1) > 0).all()


@BACKENDS
def test_background_pixels_do_not_count(on_the_plane, three, backend):
    """Greys beside the mask of the reference view are noise; the score stays that of the plane."""
    arguments = on_the_plane(1)
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


def test_refuses_what_does_not_fit(on_the_plane, three, device):
    points, normals, references, sources = arguments = on_the_plane(5)
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
        patch_consistency(*arguments, three, LIMITS._replace(half_size=6))
    with pytest.raises(InputError, match=r"bends is \(4, 3, 3\) .* expected \(5, 3, 3\)"):
        patch_consistency(*arguments, three, bends=torch.zeros(4, 3, 3, device=device))
    with pytest.raises(InputError, match="contrast_min is 0"):
        patch_consistency(*arguments, three, LIMITS._replace(contrast_min=0))
    with pytest.raises(BackendError, match="no backend 'frnn'"):
        patch_consistency(*arguments, three, backend="frnn")
