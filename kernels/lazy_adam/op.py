"""One Adam step in place that skips what has no gradient."""

from typing import NamedTuple

import torch

from isopts.errors import InputError
from isopts.kernels.launch import launch
from isopts.kernels.lazy_adam import kernel


class AdamRates(NamedTuple):
    """Kingma & Ba, Adam, 2015."""

    learning_rate: float
    beta1: float = 0.9
    beta2: float = 0.99
    epsilon: float = 1e-15


def lazy_adam_(
    parameter: torch.Tensor,
    gradient: torch.Tensor,
    first_moment: torch.Tensor,
    second_moment: torch.Tensor,
    step: int,
    rates: AdamRates,
) -> None:
    """Update parameter and moments in place, then set the gradient to zero.

    A number whose gradient is exactly 0 stays as it is, its moments included: they do not decay while the number is
    not sampled. The bias corrections follow the global `step` (1 for the first), as in `torch.optim.SparseAdam`.

    Args:
        parameter, gradient, first_moment, second_moment: contiguous float32 tensors of one shape on one device.

    Raises:
        InputError: the tensors do not fit together.
    """
    tensors = (parameter, gradient, first_moment, second_moment)
    for tensor in tensors:
        same = tensor.shape == parameter.shape and tensor.device == parameter.device
        if not same or tensor.dtype != torch.float32 or not tensor.is_contiguous():
            raise InputError(
                "lazy_adam_: parameter, gradient and moments must be contiguous float32 tensors of one shape on one "
                f"device, got {[(tuple(t.shape), t.dtype, str(t.device)) for t in tensors]}"
            )
    if step < 1:
        raise InputError(f"lazy_adam_: the first step is 1, got {step}")
    first_correction, second_correction = 1 - rates.beta1**step, 1 - rates.beta2**step
    numbers = [rates.learning_rate / first_correction, rates.beta1, rates.beta2]
    numbers += [second_correction**-0.5, rates.epsilon]
    flat = [tensor.detach().view(-1) for tensor in tensors]
    launch(kernel.lazy_adam_kernel, -(-parameter.numel() // kernel.BLOCK), [*flat, *numbers], parameter.device)
