"""Scaling losses, so that gradients in float16 do not become zero."""

from __future__ import annotations

import warnings
from collections import defaultdict
from collections.abc import Iterable
from typing import Any

import minitorch
from minitorch import Tensor
from minitorch.optim import Optimizer


class GradScaler:
    """Multiplies losses by a factor, and divides gradients by it again before the step.

    Steps whose gradients are infinite or NaN are left out and the factor is made smaller; after enough good steps it is
    made larger.

    Args:
        device: ``"cpu"``; with the default, ``"cuda"``, which is not there, a scaler warns and does nothing.
        init_scale: the first factor.
        growth_factor: what it is multiplied by after `growth_interval` good steps.
        backoff_factor: what it is multiplied by after a bad one.
        enabled: False makes a scaler that does nothing.

    Source: Micikevicius and others, *Mixed precision training*, arXiv:1710.03740, section 3.2.

    >>> p = nn.Parameter(minitorch.tensor([1.]))
    >>> sgd, scaler = minitorch.optim.SGD([p], lr=0.5), minitorch.amp.GradScaler("cpu", init_scale=4.0)
    >>> scaler.scale(p.sum()).backward()
    >>> p.grad
    tensor([4.])
    >>> scaler.step(sgd)
    >>> scaler.update()
    >>> p.data
    tensor([0.5000])
    """

    def __init__(
        self,
        device: str = "cuda",
        init_scale: float = 2.0**16,
        growth_factor: float = 2.0,
        backoff_factor: float = 0.5,
        growth_interval: int = 2000,
        enabled: bool = True,
    ) -> None:
        if device != "cpu" and enabled:
            warnings.warn(f"GradScaler: there is no {device} device, so this scaler does nothing; device='cpu' would",
                          stacklevel=2)
            enabled = False
        self._device, self._enabled = device, enabled
        if not enabled:
            return
        if growth_factor <= 1.0:
            raise AssertionError("The growth factor must be > 1.0.")
        if backoff_factor >= 1.0:
            raise AssertionError("The backoff factor must be < 1.0.")
        self._init_scale, self._scale = init_scale, None
        self._growth_factor, self._backoff_factor = growth_factor, backoff_factor
        self._growth_interval, self._growth_tracker = growth_interval, 0
        self._found: defaultdict[int, dict[str, bool]] = defaultdict(dict)  # by optimizer: unscaled, infinite, stepped

    def scale(self, outputs: Any) -> Any:
        """The outputs, a tensor or an iterable of tensors, times the factor."""
        if not self._enabled:
            return outputs
        if isinstance(outputs, Tensor):
            if self._scale is None:
                self._scale = float(self._init_scale)
            return outputs * self._scale
        if isinstance(outputs, (list, tuple)):
            return type(outputs)(self.scale(output) for output in outputs)
        if isinstance(outputs, Iterable):
            return map(self.scale, outputs)
        raise ValueError("outputs must be a Tensor or an iterable of Tensors")

    def _check_scaled(self, name: str) -> float:
        if self._scale is None:
            raise AssertionError(f"Attempted {name} but _scale is None.  This may indicate your script did not use "
                                 "scaler.scale(loss or outputs) earlier in the iteration.")
        return self._scale

    def unscale_(self, optimizer: Optimizer) -> None:
        """Divide the gradients by the factor now, for instance to clip them; `step` does it otherwise.

        Raises:
            RuntimeError: the second time before `update`, or after `step`.
            ValueError: for gradients that are float16 themselves.
        """
        if not self._enabled:
            return
        scale, found = self._check_scaled("unscale_"), self._found[id(optimizer)]
        if found.get("stepped"):
            raise RuntimeError("unscale_() is being called after step().")
        if "infinite" in found:
            raise RuntimeError("unscale_() has already been called on this optimizer since the last update().")
        grads = [param.grad for group in optimizer.param_groups for param in group["params"] if param.grad is not None]
        if any(grad.dtype == minitorch.float16 for grad in grads):
            raise ValueError("Attempting to unscale FP16 gradients.")
        infinite = False
        with minitorch.no_grad():
            for grad in grads:
                infinite = infinite or not minitorch.isfinite(grad).all().item()
                grad.mul_(1 / scale)
        if grads:
            found["infinite"] = infinite

    def step(self, optimizer: Optimizer, *args: Any, **kwargs: Any) -> Any:
        """Divide the gradients by the factor, if that was not done, and let the optimizer step if they are finite.

        Raises:
            RuntimeError: for a closure, or the second time before `update`.
        """
        if not self._enabled:
            return optimizer.step(*args, **kwargs)
        if "closure" in kwargs:
            raise RuntimeError("Closure use is not currently supported if GradScaler is enabled.")
        self._check_scaled("step")
        found = self._found[id(optimizer)]
        if found.get("stepped"):
            raise RuntimeError("step() has already been called since the last update().")
        if "infinite" not in found:
            self.unscale_(optimizer)
        if "infinite" not in found:
            raise AssertionError("No inf checks were recorded for this optimizer.")
        result = None if found["infinite"] else optimizer.step(*args, **kwargs)
        found["stepped"] = True
        return result

    def update(self, new_scale: float | Tensor | None = None) -> None:
        """Find the next factor, or take this one."""
        if not self._enabled:
            return
        scale = self._check_scaled("update")
        if new_scale is not None:
            self._scale = float(new_scale)
        else:
            results = [found["infinite"] for found in self._found.values() if "infinite" in found]
            if not results:
                raise AssertionError("No inf checks were recorded prior to update.")
            if any(results):
                self._scale, self._growth_tracker = scale * self._backoff_factor, 0
            else:
                self._growth_tracker += 1
                if self._growth_tracker == self._growth_interval:
                    self._growth_tracker = 0
                    grown = float(minitorch.tensor(scale * self._growth_factor))
                    self._scale = grown if grown != float("inf") else scale
        self._found.clear()

    def get_scale(self) -> float:
        """The factor."""
        if not self._enabled:
            return 1.0
        return float(self._init_scale if self._scale is None else self._scale)

    def get_growth_factor(self) -> float:
        """What the factor is multiplied by after good steps."""
        return self._growth_factor

    def set_growth_factor(self, new_factor: float) -> None:
        """Change `growth_factor`."""
        self._growth_factor = new_factor

    def get_backoff_factor(self) -> float:
        """What the factor is multiplied by after a bad step."""
        return self._backoff_factor

    def set_backoff_factor(self, new_factor: float) -> None:
        """Change `backoff_factor`."""
        self._backoff_factor = new_factor

    def get_growth_interval(self) -> int:
        """After how many good steps the factor grows."""
        return self._growth_interval

    def set_growth_interval(self, new_interval: int) -> None:
        """Change `growth_interval`."""
        self._growth_interval = new_interval

    def is_enabled(self) -> bool:
        """Whether it does something."""
        return self._enabled

    def state_dict(self) -> dict[str, Any]:
        """The factor and how it changes; empty if the scaler does nothing."""
        if not self._enabled:
            return {}
        return {
            "scale": self.get_scale(), "growth_factor": self._growth_factor, "backoff_factor": self._backoff_factor,
            "growth_interval": self._growth_interval, "_growth_tracker": self._growth_tracker,
        }

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Take back what `state_dict` gave.

        Raises:
            RuntimeError: if that was of a scaler that does nothing, and this one does.
        """
        if not self._enabled:
            return
        if not state_dict:
            raise RuntimeError("The source state dict is empty, possibly because it was saved from a disabled instance "
                               "of GradScaler.")
        self._init_scale = float(state_dict["scale"])
        self._scale = None if self._scale is None else self._init_scale
        self._growth_factor, self._backoff_factor = state_dict["growth_factor"], state_dict["backoff_factor"]
        self._growth_interval, self._growth_tracker = state_dict["growth_interval"], state_dict["_growth_tracker"]
