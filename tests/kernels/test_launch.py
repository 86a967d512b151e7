"""Multi-threaded launches: every element once, whatever the number of threads."""

import subprocess
import sys
import threading

import pytest
import torch
import warp as wp

from isopts.kernels import launch as launch_module
from isopts.kernels.launch import launch

wp.set_module_options({"enable_backward": False})


@wp.kernel
def add_index(first: int, scale: float, values: wp.array(dtype=wp.vec3), results: wp.array(dtype=float)):
    i = first + wp.tid()
    results[i] = results[i] + scale * float(i) + wp.length(values[i])


@pytest.fixture(params=[1, 2, 3])
def threads(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(torch, "get_num_threads", lambda: request.param)
    return request.param


@pytest.mark.parametrize(("count", "grain"), [(1, 1), (2, 1), (7, 1), (1000, 1024), (1025, 1024), (50_001, 64)])
def test_every_element_once(count: int, grain: int, threads: int, device: torch.device) -> None:
    values = torch.rand(count, 3, device=device)
    results = torch.zeros(count, device=device)
    launch(add_index, count, [2.0, values, results], device, grain=grain)
    torch.testing.assert_close(results, 2.0 * torch.arange(count, device=device) + values.norm(dim=1))


def test_only_the_elements_asked_for(threads: int, device: torch.device) -> None:
    results = torch.full((100,), torch.nan, device=device)
    results[:60] = 0
    launch(add_index, 60, [1.0, torch.zeros(100, 3, device=device), results], device, grain=8)
    assert torch.equal(results[:60], torch.arange(60.0, device=device))
    assert results[60:].isnan().all()


def test_no_element(device: torch.device) -> None:
    results = torch.ones(3, device=device)
    launch(add_index, 0, [1.0, torch.zeros(3, 3, device=device), results], device)
    assert torch.equal(results, torch.ones(3, device=device))


def test_wrong_number_of_arguments(device: torch.device) -> None:
    with pytest.raises(TypeError, match="add_index takes 3 arguments after `first`, got 2"):
        launch(add_index, 5, [1.0, torch.zeros(5, 3, device=device)], device)


def test_tensor_of_another_type(device: torch.device) -> None:
    with pytest.raises(RuntimeError):
        launch(add_index, 5, [1.0, torch.zeros(5, 3, device=device, dtype=torch.float64), torch.zeros(5)], device)


def test_a_tensor_that_requires_a_gradient(device: torch.device) -> None:
    values = torch.ones(4, 3, device=device, requires_grad=True)
    results = torch.zeros(4, device=device)
    launch(add_index, 4, [0.0, values, results], device)
    assert not results.requires_grad
    torch.testing.assert_close(results, torch.full((4,), 3.0**0.5, device=device))


@pytest.mark.parametrize("failing", [0, 3, 7])
def test_exception_in_a_slice_is_raised_after_all_threads_ended(failing: int) -> None:
    done = []

    def run(index: int) -> None:
        if index == failing:
            raise ValueError(f"slice {index}")
        done.append(index)

    with pytest.raises(ValueError, match=f"slice {failing}"):
        launch_module._run_on_threads(run, 8, 2)
    assert failing not in done
    assert len(done) == len(set(done))


def test_slices_run_on_several_threads() -> None:
    barrier = threading.Barrier(2, timeout=20)  # passes only when two threads are inside at once
    arrived = set()
    launch_module._run_on_threads(lambda index: arrived.add(barrier.wait()), 2, 2)
    assert arrived == {0, 1}


def test_importing_does_not_start_warp() -> None:
    code = "import isopts.kernels.launch, isopts.kernels.neighbors, warp, threading; import sys;" + (
        "sys.exit(warp._src.context.runtime is not None or threading.active_count() > 1)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
