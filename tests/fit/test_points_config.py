"""The installed configurations are complete, explained, and say what the recipes say."""

from importlib import resources

import pytest

from isopts.config import dump_config, load_config
from isopts.errors import ConfigError
from isopts.fit.points_config import PointsConfig


@pytest.mark.parametrize("name", ["points_fast", "points_paper"])
def test_every_key_is_there_with_its_current_meaning(name):
    text = (resources.files("isopts.configs") / f"{name}.yml").read_text()
    body = "".join(line for line in text.splitlines(keepends=True) if not line.startswith("#"))
    assert body == dump_config(load_config(PointsConfig, name))


def test_the_default_configuration_is_the_default_of_every_key():
    assert load_config(PointsConfig, "points_fast") == PointsConfig()


def test_the_paper_recipe():
    config = load_config(PointsConfig, "points_paper")
    assert (config.field.decoder, config.field.siren.width, config.field.siren.omega) == ("siren", 256, 30.0)
    assert (config.fit.steps, config.optimizer.learning_rate) == (30_000, 1e-4)
    assert config.optimizer.halve_at == (10_000, 20_000)
    assert (config.sampling.data, config.sampling.gaussian + config.sampling.uniform) == (5000, 5000)
    weights = config.losses
    assert (weights.data, weights.normal, weights.off_surface, weights.eikonal) == (1000, 100, 100, 50)
    assert (weights.isopoint, weights.isopoint_normal, weights.share_by_count) == (1000, 100, True)
    assert (config.isopoints.first_step, config.isopoints.every_steps) == (501, 2000)


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        (["sampling.signed=0"], "losses.sign and losses.sal"),
        (["losses.off_normal=2.0", "sampling.gaussian=0"], "losses.off_surface and losses.off_normal"),
    ],
)
def test_a_term_without_samples_is_refused(changes, keys):
    with pytest.raises(ConfigError, match=f"points_fast: {keys}"):
        load_config(PointsConfig, "points_fast", changes)
