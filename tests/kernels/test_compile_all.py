import logging
from pathlib import Path

import torch

from isopts import kernels
from isopts.kernels.compile_all import compile_all
from isopts.kernels.neighbors import nearest_neighbors


def test_every_op_is_compiled_and_its_first_use_is_not(device, caplog):
    seconds = compile_all(device)
    assert set(seconds) == {path.parent.name for path in Path(kernels.__path__[0]).glob("*/kernel.py")}
    points = torch.rand(50, 3, device=device)
    with caplog.at_level(logging.WARNING):
        nearest_neighbors(points, points, 3)
    assert "compiling" not in caplog.text
