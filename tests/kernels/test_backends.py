"""What computed an op is what the record says."""

import torch

from isopts.kernels.backends import record_backends
from isopts.kernels.farthest_points import farthest_points
from isopts.kernels.grid_decoder.op import Decoder, decode
from isopts.kernels.grid_encoding.layout import GridLayout
from isopts.kernels.local_planes import local_planes
from isopts.kernels.neighbors import nearest_neighbors

POINTS = torch.rand((50, 3), generator=torch.Generator().manual_seed(0))


def test_the_record_names_what_computed_each_op() -> None:
    with record_backends() as record:
        neighbors = nearest_neighbors(POINTS, POINTS, 4, backend="reference").indices
        local_planes(POINTS, neighbors)
        farthest_points(POINTS, 3)
    assert record.pop("point_tree") == "warp"
    assert record == {"neighbors": "reference", "local_planes": "warp", "farthest_points": "warp"}


def test_what_computed_nothing_is_not_named() -> None:
    with record_backends() as record:
        nearest_neighbors(POINTS, POINTS[:0], 4)
    assert record == {}
    nearest_neighbors(POINTS, POINTS, 4)
    assert record == {}  # it has ended


def test_several_backends_of_one_op_are_all_named_once() -> None:
    with record_backends() as outer:
        for backend in ("auto", "reference", "warp", "reference"):
            nearest_neighbors(POINTS, POINTS, 4, backend=backend)
        with record_backends() as inner:
            nearest_neighbors(POINTS, POINTS, 4)
    assert outer["neighbors"] == "warp + reference"
    assert inner["neighbors"] == "warp"


def test_a_decoder_that_is_not_fused_is_the_reference_on_encoding_kernels() -> None:
    layout = GridLayout.build(levels=2, base_resolution=3, finest_resolution=6, log2_table_size=8)
    for units, expected in (
        (64, {"grid_decoder": "warp"}),
        (32, {"grid_decoder": "reference", "grid_encoding": "warp"}),
    ):
        weights = torch.zeros(4 + layout.channels, units)
        decoder = Decoder(torch.zeros(layout.entries, 2), weights, torch.zeros(units), torch.zeros(()))
        with record_backends() as record:
            decode(POINTS, decoder, layout)
        assert record == expected
