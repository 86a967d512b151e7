"""Every command as a user types it: its files, figures, output and exit codes."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

SMALL = (
    "--set=sampling.data=1000",
    "--set=sampling.gaussian=500",
    "--set=sampling.uniform=250",
    "--set=sampling.signed=250",
    "--set=sampling.signed_pool=20000",
    "--set=isopoints.count=1000",
    "--set=isopoints.first_step=50",
    "--set=isopoints.every_steps=40",
    "--set=output.mesh.resolution=64",
    "--set=output.isopoints=1000",
    "--set=output.preview=false",
)
DIAMETER = 1.5  # of the torus of make-scan


def start(*arguments: object, cwd: Path) -> subprocess.Popen:
    """The program in a process of its own, with Ctrl-C as a terminal leaves it."""
    program = "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
    program += "from isopts.cli.app import main; main()"
    command = [sys.executable, "-c", program, *map(str, arguments)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "stdin": subprocess.DEVNULL}
    return subprocess.Popen(command, cwd=cwd, text=True, env={**os.environ, "OMP_NUM_THREADS": "1"}, **pipes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, isopts):
    """A working folder with a scan, its exact surface and a finished run, under names that need quoting."""
    folder = tmp_path_factory.mktemp("end to [end] ü")
    isopts("make-scan", "torus", "--points", 5000, "-o", "scan é.ply", "--reference", "exact.ply", cwd=folder)
    fit = start(
        "fit-points", "scan é.ply", "-o", "runs/a b/whole", "--threads=1", "--set=fit.steps=200", *SMALL,
        "--json", "--quiet", cwd=folder,
    )  # fmt: skip
    stdout, stderr = fit.communicate(timeout=120)
    assert (fit.returncode, stderr) == (0, "")
    result = json.loads(stdout)
    assert (result["reason"], result["step"]) == ("finished", 200)
    assert result["metrics"]["mesh_closed"]
    assert result["metrics"]["mesh_components"] == 1
    return folder


@pytest.fixture(scope="module")
def run(folder):
    return folder / "runs" / "a b" / "whole"


@pytest.fixture(scope="session")
def chamfer(isopts):
    """(*predictions, reference=, cwd=) -> mean distance of each."""

    def distances(*predictions: object, reference: object, cwd: Path) -> list[float]:
        stdout, _ = isopts("evaluate", *predictions, reference, "--samples=10000", "--chamfer", "--json", cwd=cwd)
        figures = [entry["figures"] for entry in json.loads(stdout)["predictions"]]
        return [(each["accuracy"] + each["completeness"]) / 2 for each in figures]

    return distances


def test_the_fit_is_near_the_exact_surface(folder, run, chamfer):
    (distance,) = chamfer(run, reference="exact.ply", cwd=folder)
    assert distance < 0.005 * DIAMETER


def test_isopoints_lie_on_the_exact_surface(folder, run, isopts):
    stdout, _ = isopts("extract-isopoints", run, "-n", 2000, "-o", "isopoints.ply", "--json", cwd=folder)
    result = json.loads(stdout)
    assert result["count"] == 2000
    assert result["spacing_variation"] < 0.15
    stdout, _ = isopts("evaluate", "isopoints.ply", "exact.ply", "--chamfer", "--json", cwd=folder)
    assert json.loads(stdout)["predictions"][0]["figures"]["accuracy"] < 0.005 * DIAMETER


@pytest.mark.parametrize("suffix", ["obj", "glb"])
def test_a_mesh_in_another_format_is_the_same_surface(folder, run, suffix, isopts, chamfer):
    stdout, _ = isopts("mesh", run, "-r", 64, "-o", f"mesh {suffix}.{suffix}", "--json", cwd=folder)
    assert json.loads(stdout)["state"] == "closed"
    (distance,) = chamfer(f"mesh {suffix}.{suffix}", reference=run, cwd=folder)
    assert distance < 1e-4 * DIAMETER


def test_several_predictions_and_csv(folder, run, isopts, chamfer):
    distances = chamfer(run, "exact.ply", "scan é.ply", reference="exact.ply", cwd=folder)
    assert distances[1] < 1e-6 < distances[0] < distances[2]
    isopts("evaluate", run, "exact.ply", "exact.ply", "--samples=2000", "--chamfer", "--csv", "figures.csv", cwd=folder)
    header, *rows = (folder / "figures.csv").read_text().splitlines()
    assert header.startswith("prediction,reference,accuracy")
    assert len(rows) == 2


def test_doctor(folder, isopts):
    stdout, _ = isopts("doctor", "--compile", "--json", cwd=folder)
    report = json.loads(stdout)
    assert report["ok"]
    packages = {path.parent.name for path in Path(__file__).parents[2].glob("kernels/*/kernel.py")}
    assert {name.partition(" ")[0] for name in report["compiled"]} == packages


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fit-points", "absent.ply"], "does not exist"),
        (["fit-points", "scan é.ply", "-o", "runs/a b/whole"], "holds a finished run"),
        (["fit-points", "exact.ply", "-o", "runs/a b/whole", "--resume"], "not the input"),
        (["fit-points", "scan é.ply", "-o", "runs/a b/whole", "--resume", "--seed=3"], "seed was 0, now 3"),
        (["fit-points", "scan é.ply", "-o", "exact.ply"], "Cannot create the run folder"),
        (["mesh", "scan é.ply"], "cannot be read as a checkpoint"),
        (["evaluate", "absent.ply", "exact.ply"], "absent.ply"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(folder, arguments, message, isopts):
    stdout, stderr = isopts(*arguments, cwd=folder, code=2)
    assert stdout == ""
    sentence = stderr.splitlines()[-1]
    assert sentence.startswith("Error: ")
    assert message in sentence


def test_a_diverging_fit_exits_with_3(folder, isopts):
    changes = ["--set=optimizer.learning_rate=1e30", "--set=optimizer.warm_up_steps=0", "--set=fit.steps=50"]
    _, stderr = isopts("fit-points", "scan é.ply", "-o", "diverged", *changes, *SMALL, cwd=folder, code=3)
    assert "diverged at step" in stderr


@pytest.mark.parametrize(
    ("number", "code", "checkpoint_every"),
    [(signal.SIGINT, 130, 1000), (signal.SIGTERM, 143, 1000), (signal.SIGKILL, -9, 40), (signal.SIGKILL, -9, 1000)],
    ids=["ctrl-c", "terminated", "killed", "killed before the first checkpoint"],
)
def test_a_stopped_fit_resumes_to_the_same_result(folder, whole, number, code, checkpoint_every, isopts):
    run = folder / f"stopped {number} {checkpoint_every}"
    process = start(*STOPPABLE, f"--set=fit.checkpoint_every={checkpoint_every}", "-o", run, cwd=folder)
    wait_for_step(process, run, 60)
    process.send_signal(number)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == code, stderr
    assert "Traceback" not in stderr
    assert not (run / "mesh.ply").exists()
    isopts("fit-points", "scan é.ply", "-o", run, "--threads=1", "--resume", cwd=folder)
    assert (run / "mesh.ply").read_bytes() == (whole / "mesh.ply").read_bytes()
    fields = [torch.load(path / "checkpoint.pt", weights_only=True)["field"] for path in (run, whole)]
    assert all(torch.equal(fields[0][name], tensor) for name, tensor in fields[1].items())
    steps = [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()]
    assert steps == sorted(set(steps))


STOPPABLE = (
    "fit-points", "scan é.ply", "--threads=1", "--seed=5", "--set=fit.steps=140", "--set=fit.log_every=10", *SMALL,
)  # fmt: skip


@pytest.fixture(scope="module")
def whole(folder, isopts):
    isopts(*STOPPABLE, "-o", "uninterrupted", cwd=folder)
    return folder / "uninterrupted"


def wait_for_step(process: subprocess.Popen, run: Path, step: int) -> None:
    log = run / "log.jsonl"
    deadline = time.monotonic() + 60
    while not (log.is_file() and log.read_text().count("\n") >= step // 10):
        assert process.poll() is None, process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.needs_data
def test_a_real_noisy_scan(data_dir, tmp_path, isopts, chamfer):
    scan, reference = (data_dir / "points" / f"spot_{name}.ply" for name in ("noise10_outliers", "reference"))
    changes = ["--set=fit.steps=150", "--set=output.mesh.resolution=96", "--set=output.preview=false"]
    stdout, _ = isopts("fit-points", scan, "-o", "run", *changes, "--json", "--quiet", cwd=tmp_path)
    metrics = json.loads(stdout)["metrics"]
    assert metrics["mesh_closed"]
    assert metrics["mesh_components"] == 1
    (distance,) = chamfer("run", reference=reference, cwd=tmp_path)
    assert distance < 0.005  # half the scan's noise; longest side 1.5
