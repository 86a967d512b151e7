"""Adam for fields with a large, sparsely touched feature table."""

from collections.abc import Iterable
from typing import Any

import torch

from isopts.kernels.lazy_adam.op import AdamRates, lazy_adam_


class LazyAdam:
    """Adam that leaves numbers with a zero gradient alone, their moments included.

    Every gradient is zero again after `step`, so `zero_grad` is not needed between steps. Parameters are contiguous
    float32. Use it with `GridField.accumulate_in_place`: a step then touches what was sampled and nothing else.

    It has the attributes, methods and state of a torch.optim.Optimizer but is none: the constructor of that imports
    torch._dynamo, which takes as long as importing torch.
    """

    def __init__(
        self,
        parameters: Iterable[torch.Tensor] | Iterable[dict[str, Any]],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.99),
        eps: float = 1e-15,
    ):
        given = list(parameters)
        groups = given if given and isinstance(given[0], dict) else [{"params": given}]
        defaults = {"lr": lr, "betas": betas, "eps": eps}
        self.param_groups = [{**defaults, **group, "params": list(group["params"])} for group in groups]
        self.state: dict[torch.Tensor, dict[str, Any]] = {}

    def zero_grad(self) -> None:
        """Nothing: `step` leaves zeros, and writing them again would touch the whole table."""

    @torch.no_grad()
    def step(self) -> None:
        """One step for every parameter that has a gradient."""
        for group in self.param_groups:
            rates = AdamRates(float(group["lr"]), *group["betas"], group["eps"])
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, rates)

    def state_dict(self) -> dict[str, Any]:
        """Plain containers and tensors (not copies), parameters by their number."""
        numbers = {parameter: number for number, parameter in enumerate(self._parameters())}
        groups = [{**group, "params": [numbers[each] for each in group["params"]]} for group in self.param_groups]
        return {"state": {numbers[each]: dict(state) for each, state in self.state.items()}, "param_groups": groups}

    def load_state_dict(self, stored: dict[str, Any]) -> None:
        """Continue from a `state_dict`. Raises ValueError when it is of other groups of parameters."""
        sizes = [len(group["params"]) for group in self.param_groups]
        if sizes != [len(group["params"]) for group in stored["param_groups"]]:
            raise ValueError(f"the state is not that of parameter groups of {sizes} tensors")
        for group, values in zip(self.param_groups, stored["param_groups"], strict=True):
            group.update({name: value for name, value in values.items() if name != "params"})
        parameters = self._parameters()
        for number, state in stored["state"].items():
            parameter = parameters[number]
            moments = {name: state[name].to(parameter, copy=True) for name in ("first_moment", "second_moment")}
            self.state[parameter] = {"step": int(state["step"]), **moments}

    def _parameters(self) -> list[torch.Tensor]:
        return [parameter for group in self.param_groups for parameter in group["params"]]

    def _update(self, parameter: torch.Tensor, rates: AdamRates) -> None:
        state = self.state.get(parameter)
        if state is None:
            moments = {name: torch.zeros_like(parameter) for name in ("first_moment", "second_moment")}
            state = self.state[parameter] = {"step": 0, **moments}
        state["step"] += 1
        gradient = parameter.grad.contiguous()
        lazy_adam_(parameter, gradient, state["first_moment"], state["second_moment"], state["step"], rates)
        if gradient is not parameter.grad:
            parameter.grad.zero_()
