"""The installed configurations of fit-mvr are complete, explained, and differ from the defaults where recipes say so.

After a change of a default, of a description or of a recipe: `python tests/fit/test_mvr_config.py` rewrites them.
"""

from pathlib import Path

from isopts.config import config_from_dict, dump_config
from isopts.fit.mvr_config import MvrConfig

FOLDER = Path(__file__).parents[2] / "configs"
COLORS_ALONE = {"losses.photo": 0.0, "sampling.patches": 0}
RECIPES = {
    "mvr_fast": {},
}
UNIT = "# Lengths are in the unit frame, in which the object fills most of the unit sphere.\n"
HEADERS = {
    "mvr_fast": "# The default of `isopts fit-mvr`: visual hull, colours and photo-consistency at iso-points.\n" + UNIT,
}


def recipe(name):
    values = MvrConfig().model_dump(mode="json")
    for key, value in RECIPES[name].items():
        *parents, last = key.split(".")
        inner = values
        for parent in parents:
            inner = inner[parent]
        inner[last] = value
    return config_from_dict(MvrConfig, values, name)


if __name__ == "__main__":
    for each in RECIPES:
        (FOLDER / f"{each}.yml").write_text(HEADERS[each] + dump_config(recipe(each)), encoding="utf-8")
