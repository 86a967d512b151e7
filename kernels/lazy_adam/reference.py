"""The definition in plain PyTorch."""

import torch

from isopts.kernels.lazy_adam.op import AdamRates


def lazy_adam_reference(
    parameter: torch.Tensor,
    gradient: torch.Tensor,
    first_moment: torch.Tensor,
    second_moment: torch.Tensor,
    step: int,
    rates: AdamRates,
) -> None:
    """What `op.lazy_adam_` computes; see there."""
    touched = gradient != 0
    given = gradient[touched]
    first = rates.beta1 * first_moment[touched] + (1 - rates.beta1) * given
    second = rates.beta2 * second_moment[touched] + (1 - rates.beta2) * given**2
    corrected = (second / (1 - rates.beta2**step)).sqrt() + rates.epsilon
    parameter[touched] -= rates.learning_rate * (first / (1 - rates.beta1**step)) / corrected
    first_moment[touched], second_moment[touched] = first, second
    gradient.zero_()
