"""The optimiser around the kernel, with a grid field that accumulates in place."""

import torch

from isopts.field.grid import GridConfig, GridField
from isopts.field.lazy_adam import LazyAdam

CONFIG = GridConfig(levels=3, base_resolution=4, finest_resolution=12, log2_table_size=10)


def _train(in_place: bool, steps: int = 4, resume_after: int | None = None) -> GridField:
    field = GridField(CONFIG, torch.Generator().manual_seed(0))
    field.accumulate_in_place = in_place
    optimizer = LazyAdam([{"params": [field.table], "lr": 1e-2}, {"params": list(field.parameters())[1:]}])
    generator = torch.Generator().manual_seed(1)
    for step in range(steps):
        points = torch.rand((300, 3), generator=generator) - 0.5
        value, gradient = field.value_and_gradient(points)
        loss = (field.value(points + 0.1) - 0.2).abs().mean() + value.square().mean()
        (loss + (gradient.norm(dim=1) - 1).square().mean()).backward()
        optimizer.step()
        if step == resume_after:
            state, optimizer = optimizer.state_dict(), LazyAdam(optimizer.param_groups)
            optimizer.load_state_dict(state)
    return field


def test_accumulating_in_place_changes_nothing_but_the_cost():
    for one, two in zip(_train(True).parameters(), _train(False).parameters(), strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-6)


def test_training_reduces_a_loss_and_leaves_unseen_entries_alone():
    before, after = GridField(CONFIG, torch.Generator().manual_seed(0)), _train(True)
    same = (before.table == after.table).all(1)
    assert 0.1 < same.float().mean() < 0.9
    assert not torch.equal(before.input_weights, after.input_weights)
    assert not after.table.grad.any()


def test_a_restored_optimizer_goes_on_as_if_never_stopped():
    for one, two in zip(_train(True).parameters(), _train(True, resume_after=1).parameters(), strict=True):
        assert torch.equal(one, two)
