"""Launch Warp kernels on torch tensors: several threads on the CPU, torch's current stream on CUDA.

A kernel that is launched from here takes the first index of its slice as its first parameter and works on
element `first + wp.tid()`. It writes only to what belongs to that element, so the result does not depend on
how a launch is cut into slices.
"""

import itertools
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import torch
import warp as wp

from isopts.kernels.backends import note_backend

logger = logging.getLogger(__name__)
_lock = threading.Lock()
_threads: int | None = None
_SLICES_PER_THREAD = 4  # uneven elements (dense neighbourhoods) balance out; a slice costs about 15 microseconds


def set_threads(count: int | None) -> None:
    """Threads of a CPU launch; None, the default, follows `torch.get_num_threads()`.

    torch on one thread and launches on all cores is the fast setting for small fields: torch's OpenMP team spins
    between small operations and takes the cores from the kernels. Results do not depend on it.
    """
    global _threads
    _threads = count


def thread_count() -> int:
    """Threads of a CPU launch, and of other work that is cut up by hand."""
    return _threads or torch.get_num_threads()


def launch(kernel: wp.Kernel, count: int, arguments: Sequence[Any], device: torch.device, grain: int = 1024) -> None:
    """Run `kernel` for the elements 0 ... count-1.

    Args:
        kernel: its first parameter is `first: int` (see the module's text), the others are `arguments`.
        count: number of elements; 0 does nothing.
        arguments: tensors, plain numbers and structs (`pack_struct`) in the kernel's order. Tensors are contiguous and
            on `device`; a parameter `wp.array(dtype=wp.vec3)` takes a float tensor `(n, 3)`.
        device: where the tensors live.
        grain: smallest slice worth a thread on the CPU. 1 for kernels whose element is a whole level or block.
    """
    if count == 0:
        return
    note_backend(_op_name(kernel), "warp")
    warp_device = _prepare(kernel, device)
    packed = _pack(kernel, arguments)
    if device.type == "cuda":
        stream = wp.stream_from_torch(torch.cuda.current_stream(device))
        wp.launch(kernel, dim=count, inputs=[0, *packed], device=warp_device, stream=stream, record_tape=False)
        return
    threads = thread_count()
    slices = min(-(-count // grain), threads * (_SLICES_PER_THREAD if count >= 8 * threads * grain else 1))
    if grain == 1:
        slices = min(count, threads * _SLICES_PER_THREAD)
    bounds = [count * index // slices for index in range(slices + 1)]

    def run(index: int) -> None:
        first, last = bounds[index], bounds[index + 1]
        wp.launch(kernel, dim=last - first, inputs=[first, *packed], device=warp_device, record_tape=False)

    _run_on_threads(run, slices, threads)


def _run_on_threads(run: Callable[[int], None], slices: int, threads: int) -> None:
    """Call run(0) ... run(slices-1) on the calling thread and up to threads-1 others, in any order."""
    todo = itertools.count()

    def work() -> None:
        while (index := next(todo)) < slices:
            run(index)

    helpers = min(threads, slices) - 1
    futures = [_pool(threads).submit(work) for _ in range(helpers)]
    try:
        work()
    finally:
        for future in futures:
            future.result()


@cache
def _op_name(kernel: wp.Kernel) -> str:
    return kernel.module.name.removeprefix("isopts.kernels.").removesuffix(".kernel")


@cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, thread_name_prefix="isopts-kernel")


def _pack(kernel: wp.Kernel, arguments: Sequence[Any]) -> list[Any]:
    parameters = kernel.adj.args[1:]
    if len(parameters) != len(arguments):
        raise TypeError(f"{kernel.key} takes {len(parameters)} arguments after `first`, got {len(arguments)}")
    return [
        wp.from_torch(value.detach(), dtype=parameter.type.dtype, requires_grad=False, return_ctype=True)
        if isinstance(value, torch.Tensor)
        else value
        for parameter, value in zip(parameters, arguments, strict=True)
    ]


def pack_struct(struct: Any, values: Mapping[str, Any]) -> Any:
    """A `wp.struct` for a launch. values: tensors and plain numbers by the names of its fields; tensors as `launch`
    takes them, or not contiguous."""
    initialize()
    instance = struct()
    for name, value in values.items():
        if isinstance(value, torch.Tensor):
            dtype = struct.vars[name].type.dtype
            value = wp.from_torch(value.detach().contiguous(), dtype=dtype, requires_grad=False)
        setattr(instance, name, value)
    return instance


@cache
def initialize() -> None:
    """Start Warp without its banner. Called by the first launch; importing this module has no effect."""
    wp.config.log_level = wp.LOG_ERROR
    with _silent_stderr():  # Warp's native code warns of a missing CUDA driver, which is no fault on a laptop
        wp.init()


@contextmanager
def _silent_stderr() -> Iterator[None]:
    """Point file descriptor 2 at the null device: native code does not go through sys.stderr."""
    saved, null = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(null, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(null)


def kernel_cache() -> Path:
    """Folder of the compiled kernels."""
    initialize()
    return Path(wp.config.kernel_cache_dir)


@cache
def _prepare(kernel: wp.Kernel, device: torch.device) -> Any:
    """Load the kernel's module once (compile it when the cache lacks it) and return Warp's device."""
    initialize()
    warp_device = wp.device_from_torch(device)
    block = 1 if warp_device.is_cpu else 256  # what wp.launch uses; another size would be another binary
    with _lock:  # threads must not compile the same module twice
        module = kernel.module
        if not (kernel_cache() / module.get_module_identifier(block)).exists():
            logger.warning("compiling %s (first use, seconds; cached in %s)", module.name, kernel_cache())
        module.load(warp_device, block)
    return warp_device
