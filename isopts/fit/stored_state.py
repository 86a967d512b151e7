"""What a checkpoint holds of a fit in progress, checked before it is used: a damaged file is an InputError."""

from collections.abc import Collection, Mapping
from typing import Any

import torch
from torch import nn

from isopts.errors import InputError
from isopts.field.lazy_adam import LazyAdam

_MOMENTS = {True: ("first_moment", "second_moment"), False: ("exp_avg", "exp_avg_sq")}  # of LazyAdam, of torch's Adam


def restore_optimizer(
    optimizer: torch.optim.Optimizer | LazyAdam,
    stored: Mapping[str, Any],
    step: int,
    source: str,
    resting: Collection[torch.Tensor] = (),
) -> None:
    """Continue with the moments of `stored`, the optimizer's state_dict after `step` steps.

    resting: parameters that may have had no gradient yet, and then have no moments. The rates stay those of
    `optimizer`: the configuration, which a resumed run shares, tells them. Raises InputError, which names `source`,
    when the moments are not those of its parameters.
    """
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    states = stored.get("state")
    expected = set(range(len(parameters))) if step > 0 else set()
    optional = {number for number in expected if any(parameters[number] is each for each in resting)}
    if not isinstance(states, Mapping) or not expected - optional <= states.keys() <= expected:
        raise _damaged(source, f"its optimizer's state is not that of {len(parameters)} parameters after {step} steps")
    for number in states:
        if not _is_state_of(parameters[number], states[number], _MOMENTS[isinstance(optimizer, LazyAdam)]):
            raise _damaged(source, f"its optimizer's moments of parameter {number} do not fit it")
    optimizer.load_state_dict({"state": dict(states), "param_groups": optimizer.state_dict()["param_groups"]})


def restore_generator(generator: torch.Generator, states: Mapping[str, Any], name: str, source: str) -> None:
    """Continue the random numbers of `states[name]`. Raises InputError, which names `source`."""
    expected, state = generator.get_state(), states.get(name)
    if not _is_like(state, expected):
        raise _damaged(source, f"its random state '{name}' is missing or of the wrong size")
    try:
        generator.set_state(state)
    except RuntimeError:
        raise _damaged(source, f"its random state '{name}' is none of torch's") from None


def restore_parameters(module: nn.Module, tensors: Mapping[str, Any], prefix: str, source: str) -> None:
    """Continue with the parameters of `tensors` whose names begin with `prefix`. Raises InputError, which names
    `source`."""
    for name, parameter in module.named_parameters():
        parameter.data.copy_(stored_tensor(tensors, prefix + name, tuple(parameter.shape), source))


def stored_tensor(tensors: Mapping[str, Any], name: str, shape: tuple[int, ...], source: str) -> torch.Tensor:
    """The floating-point tensor of this name, without NaN; -1 in `shape` is any length but 0.

    Raises InputError, which names `source`.
    """
    tensor = tensors.get(name)
    fits = isinstance(tensor, torch.Tensor) and tensor.is_floating_point() and tensor.ndim == len(shape)
    if not fits or any(size == 0 or wanted not in (-1, size) for wanted, size in zip(shape, tensor.shape, strict=True)):
        raise _damaged(source, f"its '{name}' is missing or of the wrong shape")
    if bool(tensor.isnan().any()):
        raise _damaged(source, f"its '{name}' holds values that are not numbers")
    return tensor


def _is_state_of(parameter: torch.Tensor, state: Any, moments: tuple[str, str]) -> bool:
    if not isinstance(state, Mapping) or not all(_is_like(state.get(name), parameter) for name in moments):
        return False
    step = state.get("step")
    counted = isinstance(step, int) or (isinstance(step, torch.Tensor) and step.numel() == 1)
    return counted and step >= 1 and all(bool(state[name].isfinite().all()) for name in moments)


def _is_like(tensor: Any, expected: torch.Tensor) -> bool:
    return isinstance(tensor, torch.Tensor) and tensor.shape == expected.shape and tensor.dtype == expected.dtype


def _damaged(source: str, reason: str) -> InputError:
    return InputError(
        f"'{source}' is a damaged checkpoint: {reason}; the run cannot be continued, start it again with --overwrite."
    )
