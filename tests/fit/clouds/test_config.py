"""The installed configurations are complete, explained, and differ from the defaults where the recipes say so.

After a change of a default, of a description or of a recipe: `python tests/fit/clouds/test_config.py` rewrites them.
"""

from pathlib import Path

import pytest

from isopts.config import config_differences, config_from_dict, dotted_names, dump_config, load_config
from isopts.errors import ConfigError
from isopts.fit.clouds.config import PointsConfig
from isopts.fit.clouds.settling import Settling

FOLDER = Path(__file__).parents[3] / "configs"
UNIT = "Lengths are in the unit frame, in which\n# the scan's longest side is 1.5.\n"
HEADERS = {
    "points_fast": "# The default of `isopts fit-points`: feature grid, side of the surface known from the winding "
    f"number, iso-points\n# moved onto the scan. {UNIT}",
    "points_preview": f"# `isopts fit-points --preset preview`: a usable mesh within seconds. {UNIT}",
    "points_fine": f"# `isopts fit-points --preset fine`: more detail for more time. {UNIT}",
    "points_paper": f"# The recipe of the iso-points paper (CVPR 2021) with a SIREN: hours on a CPU. {UNIT}",
}
RECIPES = {
    "points_fast": {},
    "points_preview": {
        "sampling.data": 1024,
        "sampling.gaussian": 512,
        "sampling.signed": 512,
        "sampling.signed_pool": 20_000,
        "isopoints.enabled": False,  # those of a field that is still far off hold it back
        "fit.steps": 100,
        "fit.checkpoint_every": 1000,
        "output.mesh.resolution": 128,
        "output.isopoints": 0,
        "output.preview": False,
    },
    "points_fine": {
        "field.grid.log2_table_size": 21,
        "sampling.data": 4096,
        "sampling.isopoints": 4096,
        "isopoints.first_step": 300,
        "isopoints.every_steps": 250,
        "isopoints.count": 12_000,
        "optimizer.decay_final": 0.005,
        "fit.steps": 1500,
        "output.mesh.resolution": 512,
    },
    "points_paper": {
        "field.decoder": "siren",
        "follow_noise": False,
        "prepare.outlier_factor": 0.0,
        "prepare.local_outlier_factor": 0.0,
        "sampling.data": 5000,
        "sampling.gaussian": 2500,
        "sampling.gaussian_std": 0.1,
        "sampling.uniform": 2500,
        "sampling.signed": 0,
        "sampling.isopoints": 0,
        "losses.data": 1000.0,
        "losses.data_huber": 0.0,
        "losses.normal": 100.0,
        "losses.normal_estimated": 100.0,
        "losses.eikonal": 50.0,
        "losses.sign": 0.0,
        "losses.off_surface": 100.0,
        "losses.isopoint": 1000.0,
        "losses.isopoint_normal": 100.0,
        "losses.isopoint_normal_estimated": 100.0,
        "losses.share_by_count": True,
        "isopoints.first_step": 501,
        "isopoints.every_steps": 2000,
        "isopoints.count": 0,
        "isopoints.weight_noise_levels": 0.0,
        "isopoints.consolidate_cells": 0.0,
        "isopoints.extraction.method": "paper",
        "isopoints.extraction.resample.form": "paper",
        "isopoints.extraction.resample.iterations": 5,
        "isopoints.extraction.resample.k": 16,
        "optimizer.learning_rate": 1e-4,
        "optimizer.warm_up_steps": 0,
        "optimizer.schedule": "halvings",
        "optimizer.second_moment_decay": 0.999,
        "optimizer.gradient_norm_max": 1.0,
        "fit.steps": 30_000,
        "fit.log_every": 100,
        "fit.checkpoint_every": 1000,
        "output.mesh.resolution": 512,
    },
}


def recipe(name):
    values = PointsConfig().model_dump(mode="json")
    for key, value in RECIPES[name].items():
        *parents, last = key.split(".")
        inner = values
        for parent in parents:
            inner = inner[parent]
        inner[last] = value
    return config_from_dict(PointsConfig, values, name)


def test_every_configuration_has_a_recipe():
    assert {path.stem for path in FOLDER.glob("points_*.yml")} == set(RECIPES) == set(HEADERS)


@pytest.mark.parametrize("name", RECIPES)
def test_a_configuration_is_its_recipe_with_every_key_explained(name):
    assert load_config(PointsConfig, name) == recipe(name)
    assert (FOLDER / f"{name}.yml").read_text(encoding="utf-8") == HEADERS[name] + dump_config(recipe(name))


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_only_names_keys_that_differ(name):
    assert set(RECIPES[name]) <= set(dotted_names(PointsConfig))
    assert set(config_differences(PointsConfig(), recipe(name))) == set(RECIPES[name])


def test_the_presets_grow_in_cost():
    preview, default, fine = (load_config(PointsConfig, f"points_{name}") for name in ("preview", "fast", "fine"))
    assert preview.fit.steps < default.fit.steps < fine.fit.steps
    assert preview.output.mesh.resolution < default.output.mesh.resolution <= fine.output.mesh.resolution


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        (["sampling.signed=0"], "losses.sign and losses.sal"),
        (["losses.off_normal=2.0", "sampling.gaussian=0"], "losses.off_surface and losses.off_normal"),
        (["fit.settle=0.1", "optimizer.schedule=halvings"], "fit.settle starts an exponential decay"),
        (
            ["fit.settle=0.1", "fit.steps=150"],
            "fit.settle compares .* 2 \\* fit.settle_window .* optimizer.decay_start",
        ),
    ],
)
def test_keys_that_contradict_each_other_are_refused(changes, keys):
    with pytest.raises(ConfigError, match=f"points_fast: {keys}"):
        load_config(PointsConfig, "points_fast", changes)


def test_the_shortest_fit_that_may_settle_can():
    fit = load_config(PointsConfig, "points_fast", ["fit.settle=0.1", "fit.steps=151"])
    settling = Settling(fit.fit.steps, fit.optimizer.decay_start, fit.fit.settle_window, fit.fit.settle)
    assert [step for step in range(1, 152) if settling.observe(step, 1.0)] == [60]


if __name__ == "__main__":
    for each in RECIPES:
        (FOLDER / f"{each}.yml").write_text(HEADERS[each] + dump_config(recipe(each)), encoding="utf-8")
