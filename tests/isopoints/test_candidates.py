"""Where an extraction starts."""

import torch

from isopts.isopoints.candidates import jittered


def seeds(count):
    return torch.stack((torch.arange(count), torch.zeros(count), torch.zeros(count)), 1).float()


def test_every_seed_starts_equally_often():
    starts = jittered(seeds(100), 250, 0.1, torch.Generator().manual_seed(0))
    owners = starts[:, 0].round().long()
    assert (owners.bincount(minlength=100) == 3).all()
    assert (starts - seeds(100)[owners]).abs().max() <= 0.1


def test_seeds_far_beyond_what_is_wanted_are_left_out_at_random():
    starts = jittered(seeds(10_000), 50, 0.0, torch.Generator().manual_seed(0))
    assert len(starts) == 16 * 50
    assert len(starts.unique(dim=0)) == len(starts)
    assert 4500 < float(starts[:, 0].mean()) < 5500
    assert len(jittered(seeds(800), 50, 0.0)) == 800
