"""A run whose checkpoint is damaged is not continued, and one sentence says why."""

import dataclasses

import numpy as np
import pytest
import torch

from isopts.config import load_config
from isopts.data.points import write_points
from isopts.errors import InputError
from isopts.fit.clouds.config import PointsConfig
from isopts.fit.conduct import FitRun
from isopts.fit.points import fit_points
from isopts.run.checkpoint import load_checkpoint, save_checkpoint

SMALL = (
    "sampling.signed_pool=2000",
    "isopoints.enabled=true",
    "isopoints.first_step=3",
    "fit.log_every=1",
    "output.mesh.resolution=32",
)
DECODERS = {"grid": (), "siren": ("field.decoder=siren", "field.siren.width=16", "field.siren.depth=2")}
MOMENTS = {"grid": "first_moment", "siren": "exp_avg"}


def fit(folder, changes, resume, steps=None):
    config = load_config(PointsConfig, "points_preview", [*SMALL, *changes])
    reports = []
    run = FitRun(folder / "scan.ply", folder / "run", torch.device("cpu"), resume=resume)
    return fit_points(run, config, reports.append, lambda note: None, lambda: len(reports) == steps)


@pytest.fixture(scope="module", params=DECODERS)
def stopped(request, tmp_path_factory):
    """Folder with a run that was stopped after its fifth step, its changes and its checkpoint."""
    folder = tmp_path_factory.mktemp(request.param)
    directions = np.random.default_rng(0).normal(size=(500, 3))
    write_points(folder / "scan.ply", directions / np.linalg.norm(directions, axis=1, keepdims=True), directions)
    fit(folder, DECODERS[request.param], resume=False, steps=5)
    return folder, request.param, load_checkpoint(folder / "run")


def optimizer_with(checkpoint, name, damage):
    state = {**checkpoint.optimizer["state"]}
    state[0] = {**state[0], name: damage(state[0][name])}
    return {"optimizer": {**checkpoint.optimizer, "state": state}}


DAMAGES = {
    "no optimizer": (lambda stored, name: {"optimizer": {}}, "optimizer's state"),
    "a state of no parameter": (
        lambda stored, name: {"optimizer": {**stored.optimizer, "state": {}}},
        "optimizer's state",
    ),
    "a state that is none": (
        lambda stored, name: {"optimizer": {**stored.optimizer, "state": {**stored.optimizer["state"], 0: 3.0}}},
        "moments of parameter 0",
    ),
    "moments cut short": (lambda stored, name: optimizer_with(stored, name, lambda each: each[:1]), "moments"),
    "moments that are no tensor": (lambda stored, name: optimizer_with(stored, name, lambda each: "x"), "moments"),
    "moments that are not finite": (
        lambda stored, name: optimizer_with(stored, name, lambda each: each / 0),
        "moments",
    ),
    "no steps": (lambda stored, name: optimizer_with(stored, "step", lambda each: None), "moments"),
    "no random state": (lambda stored, name: {"random_states": {}}, "random state 'fit'"),
    "a random state of another kind": (
        lambda stored, name: {"random_states": {"fit": torch.full_like(stored.random_states["fit"], 255)}},
        "random state 'fit'",
    ),
    "no seconds": (lambda stored, name: {"tensors": {**stored.tensors, "seconds": torch.zeros(2)}}, "'seconds'"),
    "iso-points without normals": (
        lambda stored, name: {"tensors": {**stored.tensors, "isopoint_normals": torch.zeros(1, 3)}},
        "'isopoint_normals'",
    ),
    "more steps than planned": (
        lambda stored, name: {"tensors": {**stored.tensors, "settling": torch.full((3,), torch.inf)}},
        "plans inf steps",
    ),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_checkpoint_is_not_continued(stopped, damage):
    folder, decoder, stored = stopped
    change, reason = DAMAGES[damage]
    changed = change(stored, MOMENTS[decoder])
    save_checkpoint(folder / "run" / "checkpoint.pt", dataclasses.replace(stored, **changed))
    with pytest.raises(InputError, match=f"damaged.*{reason}"):
        fit(folder, DECODERS[decoder], resume=True, steps=1)


def test_the_undamaged_one_is(stopped):
    folder, decoder, stored = stopped
    save_checkpoint(folder / "run" / "checkpoint.pt", stored)
    assert fit(folder, DECODERS[decoder], resume=True, steps=2).step == 7
