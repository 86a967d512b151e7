import json

import pytest
from typer.testing import CliRunner

from isopts import __version__
from isopts.cli import machine_report
from isopts.cli.app import app
from isopts.kernels.launch import kernel_cache


def run(*options):
    return CliRunner().invoke(app, ["doctor", *options])


def test_json_describes_this_machine():
    result = run("--json")
    report = json.loads(result.stdout)
    assert result.exit_code == 0
    assert report["ok"] is True
    assert report["problems"] == []
    assert report["versions"]["isopts"] == __version__
    assert "cpu" in report["devices"]
    assert 1 <= report["idle_processors"] <= report["processors"]
    assert report["backends"]["warp"] == "available"
    assert report["kernel_cache"] == str(kernel_cache())


def test_compile_warms_every_op():
    report = json.loads(run("--compile", "--json").stdout)
    assert {"neighbors (cpu)", "grid_encoding (cpu)", "triangles (cpu)"} <= set(report["compiled"])


def test_text_names_what_json_names():
    stdout = run().stdout
    for text in ("torch", "warp-lang", "kernel cache", "torch_cluster", "isopts can run here."):
        assert text in stdout


@pytest.mark.parametrize("options", [[], ["--json"]])
def test_a_machine_that_cannot_run_a_fit_is_exit_2_with_the_reason(monkeypatch, options):
    monkeypatch.setattr(
        machine_report, "_small_kernel_fails", lambda device: f"kernels do not run on {device}: no LLVM"
    )
    result = run(*options)
    assert result.exit_code == 2
    assert "kernels do not run on cpu: no LLVM" in " ".join(result.stderr.split())
    assert "isopts can run here." not in result.stdout


def test_a_wrong_answer_of_a_kernel_is_a_problem(monkeypatch):
    from isopts.kernels import neighbors

    right = neighbors.nearest_neighbors
    monkeypatch.setattr(neighbors, "nearest_neighbors", lambda queries, points, k: right(queries, points.flip(0), k))
    assert "wrong neighbours on cpu" in machine_report.inspect_machine(compile_kernels=False).problems[0]
