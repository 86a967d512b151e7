"""A view that agrees with no other is found and left out; views that agree as well as others are not."""

import pytest
import torch

from isopts.errors import InputError
from isopts.fit.photo.view_agreement import ViewAgreement
from isopts.kernels.patch_consistency import INVALID


def compared(wrong=(), views=12, spread=0.05, patches=4000):
    """Agreement of random pairs: NCC 0.9, with the `wrong` views 0.3."""
    generator = torch.Generator().manual_seed(0)
    agreement = ViewAgreement(views, torch.device("cpu"))
    references = torch.randint(views, (patches,), generator=generator).int()
    sources = torch.randint(views, (patches, 4), generator=generator).int()
    sources = torch.where(sources == references[:, None], -1, sources)
    bad = torch.zeros(views, dtype=torch.bool)
    bad[list(wrong)] = True
    expected = torch.where(bad[references.long()][:, None] | bad[sources.long()], 0.3, 0.9)
    scores = expected + spread * torch.randn(sources.shape, generator=generator)
    agreement.add(references, sources, torch.where(sources < 0, INVALID, scores))
    return agreement


def test_a_ratio_compares_a_view_with_what_the_others_have_among_themselves():
    agreement = ViewAgreement(4, torch.device("cpu"))
    references, sources = torch.tensor([0, 1]).int(), torch.tensor([[1, 2], [2, -1]]).int()
    for _ in range(60):
        agreement.add(references, sources, torch.tensor([[0.8, -0.5], [0.4, INVALID]]))
    # 0 has 0.8 and 0, as nothing counts less; 1 and 2 have 0.4 without it. 2 has 0 and 0.4; 0 and 1 have 0.8 without it
    assert agreement.ratios()[[0, 2]].tolist() == pytest.approx([(0.8 + 0) / (0.4 + 0.4), (0 + 0.4) / (0.8 + 0.8)])
    assert agreement.ratios()[[1, 3]].isnan().all()  # 0 and 2 have nothing in common, 3 nothing at all
    assert agreement.counts.sum() == 180


def test_a_view_that_agrees_with_none_is_left_out_and_no_other():
    agreement = compared(wrong=(5,))
    assert agreement.leave_out(0.65, 3) == 5
    assert agreement.leave_out(0.65, 3) is None
    assert agreement.left_out.nonzero().flatten().tolist() == [5]
    assert agreement.ratios()[5].isnan()
    torch.testing.assert_close(agreement.ratios()[[0, 11]], torch.ones(2), atol=0.02, rtol=0)


def test_of_two_wrong_views_both_are_left_out():
    agreement = compared(wrong=(2, 7))
    assert {agreement.leave_out(0.65, 3), agreement.leave_out(0.65, 3)} == {2, 7}
    assert agreement.leave_out(0.65, 3) is None


def test_views_that_agree_are_kept_and_so_are_the_fewest():
    assert compared().leave_out(0.65, 3) is None
    assert compared(wrong=(5,)).leave_out(0.65, 12) is None
    assert compared(wrong=(5,)).leave_out(0.2, 3) is None


def test_neighbours_that_all_agree_badly_are_kept():
    """Views 0 ... 3 of 12 see something without texture, and each other only."""
    group = torch.arange(12) < 4
    agreement = ViewAgreement(12, torch.device("cpu"))
    agreement.counts += 100 * (group[:, None] == group) * (1 - torch.eye(12))
    agreement.sums += agreement.counts * torch.where(group, 0.3, 0.9)
    assert agreement.leave_out(0.65, 3) is None
    agreement.sums[:, 8] *= 0.4
    agreement.sums[8] *= 0.4
    assert agreement.leave_out(0.65, 3) == 8
    assert agreement.leave_out(0.65, 3) is None


def test_a_view_that_one_other_alone_is_compared_with_is_kept():
    """As of eight views all around: which of the two is wrong?"""
    agreement = ViewAgreement(12, torch.device("cpu"))
    agreement.counts += 100 * (1 - torch.eye(12))
    agreement.counts[5, :], agreement.counts[:, 5] = 0, 0
    agreement.counts[5, 3] = agreement.counts[3, 5] = 200
    agreement.sums += 0.9 * agreement.counts
    agreement.sums[5] *= 0.2
    agreement.sums[:, 5] *= 0.2
    assert agreement.leave_out(0.65, 3) is None
    agreement.counts[5, 7], agreement.sums[5, 7] = 20, 4
    assert agreement.leave_out(0.65, 3) == 5


def test_earlier_patches_fade():
    agreement = compared(wrong=(5,))
    before = agreement.counts.sum()
    agreement.fade()
    torch.testing.assert_close(agreement.counts.sum(), before / 2)
    torch.testing.assert_close(agreement.ratios(), compared(wrong=(5,)).ratios())


def test_it_continues_from_a_checkpoint():
    agreement = compared(wrong=(5,))
    agreement.leave_out(0.65, 3)
    again = ViewAgreement(12, torch.device("cpu"))
    again.restore(agreement.tensors(), "checkpoint.pt")
    for name in ("sums", "counts", "left_out"):
        assert torch.equal(getattr(again, name), getattr(agreement, name))
    with pytest.raises(InputError, match="damaged"):
        ViewAgreement(11, torch.device("cpu")).restore(agreement.tensors(), "checkpoint.pt")
