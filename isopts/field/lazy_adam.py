"""Adam for fields with a large, sparsely touched feature table."""

from collections.abc import Callable, Iterable
from typing import Any

import torch

from isopts.kernels.lazy_adam.op import AdamRates, lazy_adam_


class LazyAdam(torch.optim.Optimizer):
    """Adam that leaves numbers with a zero gradient alone, their moments included.

    Every gradient is zero again after `step`, so `zero_grad` is not needed between steps. Parameters are contiguous
    float32. Use it with `GridField.accumulate_in_place`: a step then touches what was sampled and nothing else.
    """

    def __init__(
        self,
        parameters: Iterable[torch.Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.99),
        eps: float = 1e-15,
    ):
        super().__init__(parameters, {"lr": lr, "betas": betas, "eps": eps})

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Nothing: `step` leaves zeros, and writing them again would touch the whole table."""

    @torch.no_grad()
    def step(self, closure: Callable[[], torch.Tensor] | None = None) -> torch.Tensor | None:
        """One step for every parameter that has a gradient."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for group in self.param_groups:
            rates = AdamRates(float(group["lr"]), *group["betas"], group["eps"])
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, rates)
        return loss

    def _update(self, parameter: torch.Tensor, rates: AdamRates) -> None:
        state = self.state[parameter]
        if not state:
            state["step"] = torch.tensor(0)
            state["first_moment"] = torch.zeros_like(parameter)
            state["second_moment"] = torch.zeros_like(parameter)
        state["step"] += 1
        gradient = parameter.grad.contiguous()
        lazy_adam_(parameter, gradient, state["first_moment"], state["second_moment"], int(state["step"]), rates)
        if gradient is not parameter.grad:
            parameter.grad.zero_()
