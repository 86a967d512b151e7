"""What fit-mvr minimises: which terms there are, what they pull at, and that they fall."""

import pytest
import torch

from isopts.field.build import build_field
from isopts.field.radiance import build_radiance
from isopts.fit.optimizer import build_optimizer
from isopts.fit.starts.hull import start_as_hull
from isopts.fit.views.config import StartConfig
from isopts.fit.views.objective import MvrObjective

RADIUS = 2 / 3
ALL = {"photo", "color", "silhouette", "mask", "eikonal", "curvature"}
EVERY_TERM = ("losses.mask=1.0",)
SDF = ("field.decoder=sdf", "field.sdf.width=64", "field.sdf.depth=3", "field.sdf.skip=0", "field.sdf.features=8")
COLOR_NETWORK = ("radiance.decoder=network", "radiance.network.width=32", "radiance.network.depth=1")


@pytest.fixture(scope="session")
def hull_state(close_views, small_config):
    """Parameters of a field that starts as the hull of the ball."""
    field = build_field(small_config().field, torch.Generator().manual_seed(0))
    start_as_hull(field, close_views.silhouettes, StartConfig(steps=60), torch.Generator().manual_seed(0))
    return field.state_dict()


class Fit:
    """An objective with its networks; the field is the ball's hull where it is a grid, else a sphere."""

    def __init__(self, views, config, hull_state, seed=0):
        generator = torch.Generator().manual_seed(seed)
        self.field = build_field(config.field, generator)
        if config.field.decoder == "grid":
            self.field.load_state_dict(hull_state)
        features = config.field.sdf.features if config.field.decoder == "sdf" else 0
        self.radiance = build_radiance(config.radiance, features, generator)
        parts = [(self.field, config.optimizer), (self.radiance, config.radiance_rates)]
        self.optimizer = build_optimizer(parts, 0.99)
        steps = config.fit.steps
        self.objective = MvrObjective(
            self.field, self.radiance, views, config, generator, lambda step: min(1.0, step / steps)
        )

    def step(self, step):
        self.objective.refresh(step)
        self.optimizer.zero_grad()
        terms = self.objective.losses(step)
        torch.stack(list(terms.values())).sum().backward()
        self.optimizer.step()
        return {name: float(term.detach()) for name, term in terms.items()}

    def norms(self, name, step=1):
        """Of the gradient of one term with respect to the field and to the radiance."""
        self.objective.refresh(step)
        self.optimizer.zero_grad()
        self.objective.losses(step)[name].backward()
        return [
            sum(float(each.grad.norm()) for each in module.parameters() if each.grad is not None)
            for module in (self.field, self.radiance)
        ]


@pytest.fixture
def make(close_views, small_config, hull_state):
    def made(*changes, seed=0):
        return Fit(close_views, small_config(*changes), hull_state, seed)

    return made


@pytest.mark.parametrize("tracer", ["sampled", "sphere"])
@pytest.mark.parametrize("mode", ["rays", "isopoints", "importance"])
def test_every_mode_and_tracer_has_every_term(make, mode, tracer):
    fit = make(*EVERY_TERM, f"sampling.mode={mode}", f"sampling.tracer={tracer}", "photo.levels=[0.0]")
    terms = fit.step(1)
    assert set(terms) == ALL
    assert all(0 <= value < 10 for value in terms.values())
    assert terms["photo"] > 1e-3
    assert terms["color"] > 0.05
    assert fit.objective.isopoint_count >= 400
    assert (fit.objective.isopoint_count > 400) == (mode == "importance")


def test_colours_come_from_rays_until_there_are_isopoints(make):
    fit = make("isopoints.first_step=3", "sampling.mode=isopoints")
    assert {*fit.step(1)} == {"color", "silhouette", "eikonal"}
    assert fit.objective.isopoint_count == 0
    fit.step(2)
    assert fit.objective.refresh(3) == "400 iso-points on the surface."
    assert {*fit.step(3)} == ALL - {"mask"}


@pytest.mark.parametrize(
    ("changes", "left_out"),
    [
        (["losses.photo=0"], {"photo"}),
        (["losses.color=0"], {"color"}),
        (["losses.color=0", "sampling.colors=0", "losses.photo=0", "sampling.patches=0"], {"color", "photo"}),
        (["losses.silhouette=0"], {"silhouette"}),
        (["losses.mask=0", "losses.silhouette=0", "sampling.silhouettes=0"], {"silhouette", "mask"}),
        (["losses.eikonal=0"], {"eikonal"}),
        (["losses.eikonal=0", "sampling.eikonal=0", "losses.curvature=0"], {"eikonal", "curvature"}),
        (["losses.curvature=0"], {"curvature"}),
    ],
)
@pytest.mark.parametrize("mode", ["rays", "isopoints"])
def test_a_weight_of_zero_leaves_a_term_out(make, mode, changes, left_out):
    fit = make(*EVERY_TERM, *changes, f"sampling.mode={mode}")
    assert set(fit.step(1)) == ALL - left_out


@pytest.mark.parametrize("mode", ["rays", "isopoints"])
@pytest.mark.parametrize("networks", [(), (*SDF, *COLOR_NETWORK)])
def test_every_term_pulls_at_the_field_and_colours_at_the_radiance_too(make, mode, networks):
    common = (*EVERY_TERM, *networks, f"sampling.mode={mode}", "photo.levels=[0.0]")
    for name in sorted(ALL):
        field, radiance = make(*common).norms(name)
        assert field > 1e-6, name
        assert (radiance > 1e-6) == (name == "color"), name


def test_a_limited_point_gradient_is_smaller(make):
    """All of colour's pull at the field is through surface points and normals; the radiance does not notice."""
    free = make("losses.curvature=0").norms("color")
    limited = make("losses.curvature=0", "losses.point_gradient_max=1e-4").norms("color")
    assert limited[0] < 0.9 * free[0]
    assert limited[1] == pytest.approx(free[1])


def test_the_same_seed_has_the_same_losses(make):
    for mode in ("rays", "importance"):
        changes = (f"sampling.mode={mode}", "isopoints.every_steps=2", "isopoints.jitter=0.01")
        first, second = ([fit.step(step) for step in (1, 2, 3)] for fit in (make(*changes), make(*changes)))
        assert first == second
        assert [make(*changes, seed=1).step(1)] != first[:1]


@pytest.mark.parametrize("mode", ["rays", "isopoints", "importance"])
def test_the_loss_falls(make, mode):
    fit = make(f"sampling.mode={mode}", "photo.levels=[0.0]", "radiance_rates.learning_rate=0.005")
    losses = [fit.step(step) for step in range(1, 41)]
    first, last = (
        {name: sum(terms[name] for terms in part) / 5 for name in part[0]} for part in (losses[:5], losses[-5:])
    )
    assert last["color"] < 0.75 * first["color"]
    assert sum(last.values()) < 0.8 * sum(first.values())


def test_a_field_that_is_too_large_is_pushed_out_of_free_space(make):
    """Only what lies off the masks pulls: the surface shrinks where the views see around it."""
    fit = make("losses.photo=0", "losses.color=0", "losses.curvature=0")
    with torch.no_grad():
        fit.field.output_bias -= 0.08
    silhouette = [fit.step(step)["silhouette"] for step in range(1, 31)]
    assert sum(silhouette[-5:]) < 0.3 * sum(silhouette[:5])


def test_isopoints_off_the_masks_are_free_space(make):
    """Without any ray beside the silhouettes they are all that can pull a surface inwards that is too large."""
    fit = make("sampling.silhouettes=2", "losses.photo=0", "losses.curvature=0")
    assert fit.step(1)["silhouette"] < 2e-3
    fit = make("sampling.silhouettes=2", "losses.photo=0", "losses.curvature=0")
    with torch.no_grad():
        fit.field.output_bias -= 0.1
    fit.objective.refresh(1)
    with torch.no_grad():
        fit.field.output_bias -= 0.02  # the iso-points are a little inside by now
    terms = fit.objective.losses(1)
    assert terms["silhouette"] > 0.1
    terms["silhouette"].backward()
    assert fit.field.output_bias.grad < 0  # a step against it raises the values


def test_errors_of_colours_are_remembered_where_they_were_seen(make):
    fit = make("sampling.mode=importance", "isopoints.every_steps=50")
    fit.step(1)
    errors = fit.objective.surfels.errors
    seen = errors > 0
    assert 50 < int(seen.sum()) <= 256
    assert errors[seen].mean() == pytest.approx(0.32, abs=0.08)  # grey against the ball's colours
    for step in range(2, 15):
        fit.step(step)
    assert (fit.objective.surfels.errors > 0).float().mean() > 0.6  # not where the field has moved too far


def test_more_colours_are_compared_towards_the_end(make):
    fit = make("sampling.colors=100", "sampling.colors_final=300", "sampling.patches=10", "fit.steps=4")
    drawn = []
    sampler = fit.objective._colors
    original = sampler.from_surfels
    sampler.from_surfels = lambda points, cosines: drawn.append(len(points)) or original(points, cosines)
    for step in range(1, 5):
        fit.step(step)
    assert drawn == [150, 200, 250, 300]


def test_a_view_that_agrees_with_no_other_is_named_and_nothing_is_drawn_of_it(make):
    fit = make("photo.levels=[0.0]", "isopoints.every_steps=5")
    for step in range(1, 6):
        fit.step(step)
    agreement = fit.objective.agreement
    assert not agreement.left_out.any()
    assert agreement.counts.sum() > 100
    agreement.counts[:] = 100
    agreement.sums[:] = 90
    agreement.sums[7] = agreement.sums[:, 7] = 20
    note = fit.objective.refresh(6)
    assert note.count("left out") == 1
    assert "The view '007.png' is left out" in note
    assert agreement.left_out.nonzero().flatten().tolist() == [7]
    assert (fit.objective.surfels.cosines[:, 7] == 0).all()
    assert (fit.objective.surfels.cosines[:, 8] > 0).any()
    agreement.counts[:] = agreement.sums[:] = 0
    for step in range(7, 11):
        fit.step(step)
    assert agreement.counts[7].sum() == agreement.counts[:, 7].sum() == 0
    assert (agreement.counts.sum(dim=1) > 0).sum() > 30


def test_no_view_is_left_out_when_that_is_switched_off(make):
    fit = make("photo.levels=[0.0]", "photo.agreement_min=0", "isopoints.every_steps=5")
    fit.step(1)
    agreement = fit.objective.agreement
    assert agreement.counts.sum() == 0
    agreement.counts[:] = 100
    agreement.sums[:] = 90
    agreement.sums[7] = agreement.sums[:, 7] = 20
    assert fit.objective.refresh(6) is None
