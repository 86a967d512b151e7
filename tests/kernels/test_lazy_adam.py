"""The kernel against its definition, and the definition against torch's Adam."""

import pytest
import torch

from isopts.errors import InputError
from isopts.kernels.lazy_adam.op import AdamRates, lazy_adam_
from isopts.kernels.lazy_adam.reference import lazy_adam_reference

RATES = AdamRates(learning_rate=0.01, beta1=0.8, beta2=0.95, epsilon=1e-8)


def _tensors(shape: tuple[int, ...], share: float) -> list[torch.Tensor]:
    """parameter, gradient, moments; about `share` of the gradient is not zero."""
    generator = torch.Generator().manual_seed(0)
    parameter, gradient, first, second = (torch.randn(shape, generator=generator) for _ in range(4))
    gradient[torch.rand(shape, generator=generator) >= share] = 0
    return [parameter, gradient, first, second.square()]


@pytest.mark.parametrize("shape", [(0,), (1,), (63,), (64,), (1000, 2), ()])
@pytest.mark.parametrize("share", [0.0, 0.05, 1.0])
@pytest.mark.parametrize("step", [1, 50])
def test_matches_the_definition(shape, share, step):
    actual, expected = _tensors(shape, share), [tensor.double() for tensor in _tensors(shape, share)]
    lazy_adam_(*actual, step, RATES)
    lazy_adam_reference(*expected, step, RATES)
    for got, want in zip(actual, expected, strict=True):
        torch.testing.assert_close(got.double(), want, rtol=1e-5, atol=1e-6)


def test_numbers_without_a_gradient_do_not_move():
    before = _tensors((500,), 0.1)
    after = [tensor.clone() for tensor in before]
    lazy_adam_(*after, 3, RATES)
    still = before[1] == 0
    for one, two in zip((before[0], before[2], before[3]), (after[0], after[2], after[3]), strict=True):
        assert torch.equal(one[still], two[still])
        assert bool((one[~still] != two[~still]).all())
    assert not after[1].any()


def test_is_adam_where_every_number_has_a_gradient():
    parameter = torch.nn.Parameter(torch.linspace(-1, 1, 40))
    optimizer = torch.optim.Adam([parameter], lr=0.01, betas=(0.8, 0.95), eps=1e-8)
    ours, first, second = parameter.detach().clone(), torch.zeros(40), torch.zeros(40)
    for step in range(1, 20):
        gradient = torch.sin(torch.arange(1.0, 41.0) * step)
        parameter.grad = gradient.clone()
        optimizer.step()
        lazy_adam_(ours, gradient, first, second, step, RATES)
    torch.testing.assert_close(ours, parameter.detach(), rtol=1e-5, atol=1e-6)


def test_not_a_number_is_not_hidden():
    parameter, gradient, first, second = _tensors((100,), 0.0)
    gradient[70] = torch.nan
    lazy_adam_(parameter, gradient, first, second, 1, RATES)
    assert parameter.isnan().nonzero().tolist() == [[70]]


@pytest.mark.parametrize("wrong", [torch.zeros(11), torch.zeros(10, dtype=torch.float64), torch.zeros(20)[::2]])
def test_tensors_that_do_not_fit_are_refused(wrong):
    with pytest.raises(InputError, match="lazy_adam_"):
        lazy_adam_(torch.zeros(10), wrong, torch.zeros(10), torch.zeros(10), 1, RATES)
    with pytest.raises(InputError, match="first step"):
        lazy_adam_(*_tensors((3,), 1.0), 0, RATES)
