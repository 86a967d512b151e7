"""Chunked inference gives what one call gives."""

import pytest
import torch

from isopts.field.chunked import evaluate_in_chunks
from isopts.field.grid import GridConfig, GridField

FIELD = GridField(GridConfig(levels=2, base_resolution=3, finest_resolution=6, log2_table_size=8))


@pytest.mark.parametrize("count", [0, 1, 64, 65, 200])
def test_chunks_equal_one_call(count):
    points = torch.rand((count, 3), generator=torch.Generator().manual_seed(0)) * 2 - 1
    value, gradient = evaluate_in_chunks(FIELD.value_and_gradient, points, 64)
    expected_value, expected_gradient = FIELD.value_and_gradient(points)
    torch.testing.assert_close(value, expected_value)
    torch.testing.assert_close(gradient, expected_gradient)
    torch.testing.assert_close(evaluate_in_chunks(FIELD.value, points, 64), expected_value)


def test_no_call_sees_more_than_a_chunk_and_none_records_a_graph():
    sizes = []

    def value(points):
        sizes.append(len(points))
        return FIELD.value(points)

    result = evaluate_in_chunks(value, torch.zeros(150, 3), 64)
    assert sizes == [64, 64, 22]
    assert not result.requires_grad
