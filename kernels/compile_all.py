"""Compile every kernel ahead of its first use."""

import importlib
import pkgutil
import time
from importlib import util

import torch
import warp as wp

from isopts import kernels
from isopts.kernels.launch import initialize


def compile_all(device: torch.device) -> dict[str, float]:
    """Compile, or load from the cache, the kernels of every op for `device`. Returns op -> seconds."""
    initialize()
    warp_device = wp.device_from_torch(device)
    seconds = {}
    for package in pkgutil.iter_modules(kernels.__path__):
        name = f"isopts.kernels.{package.name}.kernel"
        if package.ispkg and util.find_spec(name) is not None:
            started = time.perf_counter()
            wp.load_module(importlib.import_module(name), device=warp_device)
            seconds[package.name] = time.perf_counter() - started
    return seconds
