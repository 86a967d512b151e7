"""The parts of tests/benchmarks/points_vs_poisson.py that decide: which clouds, which peer, which verdict."""

import json
import math
from pathlib import Path

import pytest

from isopts.data.points import read_points

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(scope="module", autouse=True)
def importable():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(BENCHMARKS))
        yield


def row(method, chamfer, roughness, level="noise 1", shape="vase", **others):
    from points.results import Row

    return Row(shape, level, method, "digest", 1.0, chamfer, roughness, **others)


def test_the_better_careful_poisson_is_the_peer():
    from points.judgement import judge

    rows = [
        row("isopts", 1.0, 0.02),
        row("poisson raw-8", 0.5, 0.01),  # does not count on noisy clouds
        row("poisson careful-7", 1.5, 0.06),
        row("poisson careful-8", 1.25, 0.05),
    ]
    (judgement,) = judge(rows, {"noise 1": 0.01})
    assert judgement.chamfer == pytest.approx(0.8)
    assert judgement.roughness == pytest.approx(0.4)
    assert judgement.chamfer_to_best == pytest.approx(2)
    assert judgement.verdict == "PASS"
    (judgement,) = judge([row("isopts", 1.01, 0.02), *rows[1:]], {"noise 1": 0.01})
    assert judgement.verdict == "FAIL"
    (judgement,) = judge([row("isopts", 1.0, 0.031), *rows[1:]], {"noise 1": 0.01})
    assert judgement.verdict == "FAIL"


def test_clean_clouds_are_compared_with_depth_8_and_small_noise_has_no_target():
    from points.judgement import judge

    rows = [
        row(method, value, value, level)
        for level in ("noise 0", "noise 0.25")
        for method, value in (("isopts", 1.04), ("poisson raw-8", 1.0), ("poisson careful-7", 0.5))
    ]
    clean, little = judge(rows, {"noise 0": 0.0, "noise 0.25": 0.0025})
    assert (clean.chamfer, clean.verdict) == (pytest.approx(1.04), "PASS")
    assert (little.chamfer, little.verdict) == (pytest.approx(2.08), "-")


def test_ratios_are_averaged_over_clouds_and_a_failure_fails_the_level():
    from points.judgement import judge
    from points.page import judgement_table

    rows = [
        row(method, chamfer, chamfer, shape=shape)
        for shape, method, chamfer in (
            ("vase", "isopts", 0.5),
            ("vase", "poisson careful-7", 1.0),
            ("angel", "isopts", 0.9),
            ("angel", "poisson careful-7", 1.0),
            ("torus", "isopts", 0.1),  # no peer: not compared
        )
    ]
    (judgement,) = judge(rows, {"noise 1": 0.01})
    assert (len(judgement.duels), judgement.chamfer) == (2, pytest.approx(0.7))
    failed = [*rows, row("isopts", None, None, shape="vase", failure="The fit diverged.")]
    (judgement,) = judge(failed, {"noise 1": 0.01})
    assert (judgement.chamfer, judgement.verdict) == (math.inf, "FAIL")
    assert "| vase The fit diverged. |" in judgement_table([judgement])


def test_rows_survive_a_killed_run_and_can_be_kept_by_method(tmp_path):
    from points.results import Results

    path = tmp_path / "rows.jsonl"
    ours, peer, failed = row("isopts", 1.0, 0.1), row("poisson raw-8", 2.0, 0.2), row("poisson careful-7", None, None)
    results = Results(path, None)
    results.add(ours)
    results.add(peer)
    results.add(row("isopts", 0.9, 0.1))
    results.add(type(failed)(**{**vars(failed), "failure": "killed"}))
    again = Results(path, None)
    assert again[ours.key].chamfer == 0.9
    assert peer.key in again
    assert failed.key not in again
    kept = Results(path, ("poisson",))
    assert (ours.key in kept, peer.key in kept) == (False, True)
    assert [json.loads(line)["method"] for line in path.read_text().splitlines()] == ["poisson raw-8"]


def test_clouds_have_the_errors_of_their_level(tmp_path):
    from points.clouds import LEVELS, choose_clouds, write_cloud

    clouds = choose_clouds(("no normals", "noise05"), ("sphere",), tmp_path)
    assert [cloud.name for cloud in clouds] == ["sphere no normals"]  # there is no shared cloud of it
    write_cloud(clouds[0])
    cloud, _ = read_points(clouds[0].path)
    assert (len(cloud), cloud.normals) == (60_000, None)
    assert LEVELS["noise 2"].errors.noise == pytest.approx(0.03)
    assert {level.noise for level in LEVELS.values() if level.errors is not None} == {0, 0.0025, 0.005, 0.01, 0.02}
    defaults = choose_clouds(tuple(LEVELS), (), tmp_path)
    assert len({cloud.path for cloud in defaults}) == len(defaults) == 65


def test_variants_of_the_ablation_are_configurations_and_their_gains_are_relative_to_the_first():
    from points import ablation

    from isopts.config import load_config
    from isopts.fit.clouds.config import PointsConfig

    loaded = {name: load_config(PointsConfig, "points_fast", changes) for name, changes in ablation.VARIANTS.items()}
    assert not loaded["no iso-points"].isopoints.enabled
    assert loaded["edge-aware"].isopoints.extraction.edge_aware is not None
    rows = [
        row(method.name, chamfer, chamfer / 10)
        for method, chamfer in zip(ablation.ablation_methods(), (2.0, 1.9, 1.8, 1.5, 2.2), strict=True)
    ]
    lines = ablation.ablation_table(rows).splitlines()
    assert lines[2:] == [
        "| no iso-points | 1 | +0.0 % | +0.0 % | 1.0 |",
        "| data weights only | 1 | +5.0 % | +5.0 % | 1.0 |",
        "| iso terms only | 1 | +10.0 % | +10.0 % | 1.0 |",
        "| weights and iso terms | 1 | +25.0 % | +25.0 % | 1.0 |",
        "| edge-aware | 1 | -10.0 % | -10.0 % | 1.0 |",
    ]


def test_presets_are_compared_with_the_default_on_the_same_clouds():
    from points.page import preset_table

    rows = [
        row("isopts", 1.0, 0.02),
        row("isopts fine", 0.8, 0.01),
        row("isopts", 2.0, 0.02, shape="angel"),
        row("isopts fine", 2.0, 0.02, shape="angel"),
        row("isopts fine", 9.0, 0.9, shape="torus"),  # the default has not been run on it
    ]
    assert preset_table(rows, ["isopts fine"]).splitlines()[2:] == ["| noise 1, fine | 2 | 0.900 | 0.750 | 1.0 |"]


def test_a_run_takes_up_where_it_was_killed(tmp_path, monkeypatch):
    from points import runner
    from points.clouds import Cloud
    from points.methods import Method, mesh_path
    from points.results import Results

    calls = []

    def run_method(method, cloud, digest, folder):
        calls.append((method.name, cloud.shape))
        if len(calls) == 3:
            raise KeyboardInterrupt
        folder.mkdir(parents=True, exist_ok=True)
        mesh_path(folder, method.name).write_text("mesh")
        yield runner.Row(cloud.shape, cloud.level, method.name, digest, 1.0, 1.0, 0.1, 0.0, 1, True)

    monkeypatch.setattr(runner, "run_method", run_method)
    monkeypatch.setattr(runner, "write_cloud", lambda cloud: cloud.path.write_text(cloud.shape))
    clouds = [Cloud(shape, "noise 1", tmp_path / shape, tmp_path / shape) for shape in ("vase", "angel")]
    methods = [Method("isopts", ()), Method("isopts fine", ())]
    work, meshes = tmp_path / "work", tmp_path / "meshes"
    with pytest.raises(KeyboardInterrupt):
        runner.run_all(clouds, methods, Results(tmp_path / "rows.jsonl", None), work, meshes)
    rows = runner.run_all(clouds, methods, Results(tmp_path / "rows.jsonl", None), work, meshes)
    assert [(row.shape, row.method) for row in rows] == [
        (shape, method) for shape in ("vase", "angel") for method in ("isopts", "isopts fine")
    ]
    assert calls == [("isopts", "vase"), ("isopts fine", "vase"), *2 * [("isopts", "angel")], ("isopts fine", "angel")]
    assert [folder.name for folder in work.iterdir()] == ["angel"]  # the last cloud's files alone
    assert len(list(meshes.iterdir())) == 4
