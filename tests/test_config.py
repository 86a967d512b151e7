from typing import Literal

import pytest
from pydantic import Field

from isopts.config import (
    StrictModel,
    config_from_dict,
    config_from_overrides,
    dotted_names,
    dump_config,
    load_config,
)
from isopts.errors import ConfigError


class Optimizer(StrictModel):
    learning_rate: float = Field(1e-3, gt=0)
    halved_at_steps: tuple[int, ...] = (10, 20)


class Recipe(StrictModel):
    steps: int
    scale: float = 1.0
    denoise: bool = False
    mode: Literal["off", "1e-4", "bilateral"] = "bilateral"
    optimizer: Optimizer = Optimizer()
    limit: float | None = None


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / "recipe.yml"
    path.write_text("steps: 600\nscale: 1\noptimizer:\n  learning_rate: 1e-4\n")
    return path


def write(tmp_path, text):
    path = tmp_path / "given.yml"
    path.write_text(text)
    return path


def test_file_and_overrides_give_typed_values(recipe):
    config = load_config(Recipe, recipe, ["optimizer.halved_at_steps=[3, 4]", "denoise=true", "mode=off", "limit=2"])
    assert config == Recipe(
        steps=600,
        scale=1.0,
        denoise=True,
        mode="off",
        limit=2.0,
        optimizer=Optimizer(learning_rate=1e-4, halved_at_steps=(3, 4)),
    )


def test_later_override_wins_and_null_is_none(recipe):
    assert load_config(Recipe, recipe, ["limit=3", "steps=1", "steps=2", "limit=null"]).limit is None
    assert load_config(Recipe, recipe, ["steps=1", "steps=2"]).steps == 2


def test_an_override_reaches_a_group_that_the_file_leaves_out(tmp_path):
    config = load_config(Recipe, write(tmp_path, "steps: 1\n"), ["optimizer.learning_rate=0.5"])
    assert config.optimizer == Optimizer(learning_rate=0.5)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ("steps='600'", "--set steps='600': 'steps': input should be a valid integer, got '600'"),
        ("steps=true", "'steps': input should be a valid integer"),
        ("steps=1.5", "'steps': input should be a valid integer"),
        ("scale=fast", "'scale': input should be a valid number, got 'fast'"),
        ("denoise=yes", "'denoise': input should be a valid boolean, got 'yes'"),
        ("optimizer.learning_rate=-1", "'optimizer.learning_rate': input should be greater than 0, got -1"),
        ("optimizer.halved_at_steps=[1, x]", "'optimizer.halved_at_steps.1'"),
        ("optimizer.learning_rat=1", "unknown key 'optimizer.learning_rat'; did you mean 'optimizer.learning_rate'?"),
        ("learning_rate=1", "did you mean 'optimizer.learning_rate'?"),
        ("steps.x=1", "unknown key 'steps.x'"),
        ("steps", "expected key=value"),
        ("scale=[1", "not valid YAML"),
        ("scale=", "'scale': input should be a valid number, got None"),
    ],
)
def test_wrong_override_names_key_origin_and_nearest(recipe, override, expected):
    with pytest.raises(ConfigError) as error:
        load_config(Recipe, recipe, [override])
    assert expected in str(error.value)
    assert f"--set {override}" in str(error.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("steps: 1\nscael: 2\n", "given.yml: unknown key 'scael'; did you mean 'scale'?"),
        ("scale: 2\n", "given.yml: key 'steps' is missing"),
        ("steps: 1\nsteps: 2\n", "key 'steps' stands twice"),
        ("steps: 1\noptimizer: {learning_rate: 1, learning_rate: 2}\n", "key 'learning_rate' stands twice"),
        ("steps: [1\n", "given.yml is not valid YAML"),
        ("- 1\n", "must hold `key: value` pairs"),
        ("", "must hold `key: value` pairs"),
        ("steps: !!python/object/apply:os.system ['true']\n", "not valid YAML"),
        ("steps: &a [*a]\n", "aliases are not supported"),
        ("steps: 1\nscael: 2\noptimzer: 1\n", "(1 more like this)"),
    ],
)
def test_wrong_file_is_one_clear_sentence(tmp_path, text, expected):
    with pytest.raises(ConfigError) as error:
        load_config(Recipe, write(tmp_path, text))
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("name", ["no_such_config", "no_such_config.yml", "folder/none.yml", "."])
def test_missing_file_names_what_was_given(name):
    with pytest.raises(ConfigError, match=f"Configuration '{name}'"):
        load_config(Recipe, name)


def test_binary_file_is_refused(tmp_path):
    path = tmp_path / "given.yml"
    path.write_bytes(b"\xff\xfe\x00\x01")
    with pytest.raises(ConfigError, match="cannot be read"):
        load_config(Recipe, path)


@pytest.mark.parametrize("mode", ["off", "1e-4", "bilateral"])
def test_dump_is_read_back_equal(tmp_path, mode):
    config = Recipe(steps=3, scale=1e-12, mode=mode, limit=float("inf"), optimizer=Optimizer(halved_at_steps=()))
    assert load_config(Recipe, write(tmp_path, dump_config(config))) == config


def test_plain_values_of_a_checkpoint_are_checked():
    values = Recipe(steps=7).model_dump(mode="json")
    assert config_from_dict(Recipe, values, "checkpoint.pt") == Recipe(steps=7)
    with pytest.raises(ConfigError, match=r"checkpoint\.pt: unknown key 'stepss'; did you mean 'steps'"):
        config_from_dict(Recipe, {**values, "stepss": 1}, "checkpoint.pt")


def test_dotted_names_cover_nested_models():
    assert list(dotted_names(Recipe)) == [
        "steps",
        "scale",
        "denoise",
        "mode",
        "optimizer",
        "optimizer.learning_rate",
        "optimizer.halved_at_steps",
        "limit",
    ]


def test_options_of_the_command_line_change_defaults():
    changes = {"steps": 5, "optimizer.learning_rate": 0.5, "optimizer.halved_at_steps": [7]}
    expected = Recipe(steps=5, optimizer=Optimizer(learning_rate=0.5, halved_at_steps=(7,)))
    assert config_from_overrides(Recipe, changes) == expected
    assert config_from_overrides(Optimizer, {}) == Optimizer()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"steps": 1, "optimizer.learning_rate": -1.0}, r"The command line: 'optimizer\.learning_rate': .* got -1"),
        ({"steps": 1, "optimizer.rate": 1.0}, r"The command line: unknown key 'optimizer\.rate'"),
        ({"steps": "many"}, r"'steps': .* got 'many'"),
    ],
)
def test_wrong_options_are_named(changes, message):
    with pytest.raises(ConfigError, match=message):
        config_from_overrides(Recipe, changes)
