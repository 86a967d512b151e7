"""Exposures are found where photographs differ by them, and stay 0 where they do not."""

import torch

from isopts.fit.colors.exposure import Exposures


def _fit(gains: torch.Tensor, weight: float = 0.001) -> tuple[Exposures, torch.Tensor]:
    """Colours of 50 surface points fitted to photographs of them with these gains (V,)."""
    truth = 0.2 + 0.6 * torch.rand(50, 3, generator=torch.Generator().manual_seed(0))
    exposures, colors = Exposures(len(gains)), torch.full((50, 3), 0.5, requires_grad=True)
    optimizer = torch.optim.Adam([*exposures.parameters(), colors], lr=3e-2)
    views = torch.arange(len(gains)).repeat_interleave(50)
    photographs = (gains[:, None, None] * truth).reshape(-1, 3)
    for step in range(200):
        optimizer.param_groups[0]["lr"] = 3e-2 * (1 - step / 200)
        optimizer.zero_grad()
        error = (exposures(colors.repeat(len(gains), 1), views) - photographs).abs().mean()
        (error + weight * exposures.size()).backward()
        optimizer.step()
    return exposures, colors.detach() - truth


def test_a_photograph_without_exposure_is_left_as_it_is():
    colors = torch.rand(5, 3)
    assert torch.equal(Exposures(3)(colors, torch.tensor([0, 1, 2, 0, 1])), colors)


def test_gains_are_found_and_the_colours_are_their_mean():
    gains = torch.tensor([0.8, 1.0, 1.25])
    exposures, errors = _fit(gains)
    shown = exposures(torch.full((3, 3), 0.5), torch.arange(3))
    torch.testing.assert_close(shown / shown[1], (gains / gains[1])[:, None].expand(3, 3), atol=0.05, rtol=0)
    assert errors.abs().mean() < 0.05


def test_what_a_photograph_shows_is_brought_back_to_the_colours():
    generator, views = torch.Generator().manual_seed(1), torch.tensor([2, 0, 1, 1])
    exposures = Exposures.from_vectors(0.3 * torch.randn((3, 6), generator=generator))
    colors = torch.rand((4, 3), generator=generator)
    torch.testing.assert_close(exposures.undone(exposures(colors, views), views), colors)
    assert torch.equal(Exposures.from_vectors(exposures.vectors())(colors, views), exposures(colors, views))
    assert not any(parameter.requires_grad for parameter in exposures.parameters())


def test_equal_photographs_have_none():
    exposures, errors = _fit(torch.ones(3))
    grey = torch.full((3, 3), 0.5)
    shown = exposures(grey, torch.arange(3))
    torch.testing.assert_close(shown, shown[:1].expand(3, 3), atol=1e-3, rtol=0)
    assert (shown - grey).abs().max() < 0.05
    assert errors.abs().mean() < 0.05
