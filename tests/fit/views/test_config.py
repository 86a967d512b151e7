"""The installed configurations of fit-mvr are complete, explained, and differ from the defaults where recipes say so.

After a change of a default, of a description or of a recipe: `python tests/fit/views/test_config.py` rewrites them.
"""

from pathlib import Path

import pytest

from isopts.config import config_differences, config_from_dict, dotted_names, dump_config, load_config
from isopts.errors import ConfigError
from isopts.fit.views.config import MvrConfig

FOLDER = Path(__file__).parents[3] / "configs"
COLORS_ALONE = {"losses.photo": 0.0}
PAPER = {
    "field.decoder": "sdf",
    "field.sdf.features": 256,
    "radiance.decoder": "network",
    "start.init": "sphere",
    "losses.silhouette": 0.0,
    "losses.mask": 100.0,
    "losses.mask_sharpness": 5.0,
    "losses.mask_sharpness_final": 100.0,
    "losses.curvature": 0.0,
    "losses.point_gradient_max": 0.1,
    "sampling.colors": 2048,
    "optimizer.learning_rate": 1e-4,
    "optimizer.warm_up_steps": 0,
    "optimizer.second_moment_decay": 0.999,
    "optimizer.gradient_norm_max": 1.0,
    "radiance_rates.learning_rate": 1e-4,
    "fit.seconds": 6000.0,
    "fit.checkpoint_every": 200,
    "finish.steps_share": 0.0,
}
PAPER_RAYS = {**PAPER, "sampling.tracer": "sphere"}
PAPER_ISOPOINTS = {
    **PAPER,
    "isopoints.first_step": 500,
    "isopoints.every_steps": 500,
    "isopoints.jitter": 0.025,
    "isopoints.extraction.method": "paper",
    "isopoints.extraction.projection.tolerance": 5e-5,
    "isopoints.extraction.resample.form": "paper",
    "isopoints.extraction.resample.iterations": 1,
    "isopoints.extraction.resample.k": 8,
    "isopoints.extraction.jitter": 0.05,
    "isopoints.extraction.candidates_per_point": 2.0,
}
RAYS = {**COLORS_ALONE, "sampling.mode": "rays"}
LOSS = {"sampling.mode": "importance"}
CURVATURE = {"sampling.mode": "importance", "isopoints.importance": "curvature"}
COMPRESSOR, SCAN55 = {"data.path": "compressor"}, {"data.path": "scan55"}
RECIPES = {
    "mvr_fast": {},
    "compressor_implicit": {**COMPRESSOR, **RAYS},
    "compressor_uni": {**COMPRESSOR, **COLORS_ALONE},
    "compressor_uni_lossS": {**COMPRESSOR, **COLORS_ALONE, **LOSS},
    "compressor_uni_curvS": {**COMPRESSOR, **COLORS_ALONE, **CURVATURE},
    "dtu55": {**SCAN55, **RAYS},
    "dtu55_iso": {**SCAN55, **COLORS_ALONE},
    "compressor_implicit_paper": {**COMPRESSOR, **RAYS, **PAPER_RAYS},
    "compressor_uni_paper": {**COMPRESSOR, **COLORS_ALONE, **PAPER_ISOPOINTS},
    "compressor_uni_lossS_paper": {**COMPRESSOR, **COLORS_ALONE, **LOSS, **PAPER_ISOPOINTS},
    "compressor_uni_curvS_paper": {**COMPRESSOR, **COLORS_ALONE, **CURVATURE, **PAPER_ISOPOINTS},
    "dtu55_paper": {**SCAN55, **RAYS, **PAPER_RAYS},
    "dtu55_iso_paper": {**SCAN55, **COLORS_ALONE, **PAPER_ISOPOINTS},
}
UNIT = "# Lengths are in the unit frame, in which the object fills most of the unit sphere.\n"
MADE = "# Its images: `isopts make-views compressor -o compressor`.\n"
ELSEWHERE = "# Any other data set: --set data.path=FOLDER.\n"
ABOUT = {
    "mvr_fast": "The default of `isopts fit-mvr`: visual hull, colours and photo-consistency at iso-points.",
    "implicit": "Colours alone, at traced rays: what iso-points are compared with.",
    "uni": "Colours alone, at evenly spread iso-points.",
    "uni_lossS": "Colours alone, at iso-points, more of them where colours fit badly.",
    "uni_curvS": "Colours alone, at iso-points, more of them where the surface is curved.",
    "dtu55": "Colours alone, at traced rays, for any DTU scan: --set data.path=FOLDER.",
    "dtu55_iso": "Colours alone, at evenly spread iso-points, for any DTU scan: --set data.path=FOLDER.",
}


def header(name):
    about = ABOUT[name.removesuffix("_paper").removeprefix("compressor_")]
    paper = "# The networks and schedules of the iso-points paper (CVPR 2021): hours on a CPU.\n"
    made = MADE + ELSEWHERE if name.startswith("compressor") else ""
    return f"# {about}\n" + (paper if name.endswith("_paper") else "") + made + UNIT


def recipe(name):
    values = MvrConfig().model_dump(mode="json")
    for key, value in RECIPES[name].items():
        *parents, last = key.split(".")
        inner = values
        for parent in parents:
            inner = inner[parent]
        inner[last] = value
    return config_from_dict(MvrConfig, values, name)


def test_every_configuration_has_a_recipe():
    files = {path.stem for path in FOLDER.glob("*.yml") if not path.stem.startswith("points_")}
    assert files == set(RECIPES)


@pytest.mark.parametrize("name", RECIPES)
def test_a_configuration_is_its_recipe_with_every_key_explained(name):
    assert load_config(MvrConfig, name) == recipe(name)
    assert (FOLDER / f"{name}.yml").read_text(encoding="utf-8") == header(name) + dump_config(recipe(name))


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_only_names_keys_that_differ(name):
    assert set(RECIPES[name]) <= set(dotted_names(MvrConfig))
    assert set(config_differences(MvrConfig(), recipe(name))) == set(RECIPES[name])


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        (["output.open=true"], "output.open is for scans"),
        (["sampling.colors=0"], "losses.color acts on sampling.colors"),
        (["sampling.patches=0"], "losses.photo acts on sampling.patches"),
        (["sampling.eikonal=0"], "losses.eikonal acts on sampling.eikonal"),
        (["losses.eikonal=0", "losses.silhouette=0"], "are all 0"),
        (["sampling.silhouettes=1"], "losses.silhouette and losses.mask act on sampling.silhouettes"),
        (["cameras.rounds=[0.5, 1.0]"], "'cameras': value error, cameras.rounds are shares"),
        (["cameras.enabled=true", "cameras.rounds=[]", "start.init=sphere"], "tells nothing about cameras"),
        (["isopoints.importance=photo", "losses.photo=0"], "isopoints.importance=photo needs losses.photo"),
        (["photo.floors=[0.1]"], "'photo': value error, photo.floors needs one entry more"),
        (["photo.levels=[0.5, 0.1, 0.2]"], "'photo': value error, photo.levels must rise"),
    ],
)
def test_keys_that_contradict_each_other_are_refused(changes, keys):
    with pytest.raises(ConfigError, match=keys):
        load_config(MvrConfig, "mvr_fast", changes)


if __name__ == "__main__":
    for each in RECIPES:
        (FOLDER / f"{each}.yml").write_text(header(each) + dump_config(recipe(each)), encoding="utf-8")
