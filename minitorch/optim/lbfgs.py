"""L-BFGS: Newton's method, with the curvature estimated from the last changes of the gradient."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import minitorch
from minitorch import Tensor

from .optimizer import Optimizer, check_lr


class LBFGS(Optimizer):
    r"""Limited-memory BFGS: steps along :math:`-H g`, where :math:`H` approximates the inverse of the Hessian.

    :math:`H` is never formed: the last changes :math:`s_i` of the parameters and :math:`y_i` of the gradient give its
    product with a vector in two passes over them.  One call of `step` makes up to `max_iter` such steps, and evaluates
    the closure for each.

    Args:
        params: parameters, all in one group.
        lr: the size of a step; 1 is Newton's.
        max_iter: steps of one call.
        max_eval: evaluations of one call; by default ``max_iter * 5 // 4``.
        tolerance_grad: stop when no element of the gradient is larger.
        tolerance_change: stop when parameters or loss change less.
        history_size: how many changes are remembered.
        line_search_fn: None, or ``"strong_wolfe"``, which tries several sizes for each step.

    Source: Nocedal and Wright, *Numerical optimization* (2006), algorithms 7.4, 3.5 and 3.6.

    >>> p = nn.Parameter(minitorch.tensor([3., -4.]))
    >>> lbfgs = minitorch.optim.LBFGS([p], line_search_fn="strong_wolfe")
    >>> def closure():
    ...     lbfgs.zero_grad()
    ...     loss = (p * p).sum()
    ...     loss.backward()
    ...     return loss
    >>> lbfgs.step(closure), p.detach().abs().max() < 1e-5
    (tensor(25., grad_fn=<SumBackward...>), tensor(True))
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float | Tensor = 1,
        max_iter: int = 20,
        max_eval: int | None = None,
        tolerance_grad: float = 1e-7,
        tolerance_change: float = 1e-9,
        history_size: int = 100,
        line_search_fn: str | None = None,
    ) -> None:
        check_lr(lr)
        if line_search_fn not in (None, "strong_wolfe"):
            raise RuntimeError(f"LBFGS: only 'strong_wolfe' is supported as line_search_fn, not {line_search_fn!r}")
        super().__init__(params, {
            "lr": lr, "max_iter": max_iter, "max_eval": max_iter * 5 // 4 if max_eval is None else max_eval,
            "tolerance_grad": tolerance_grad, "tolerance_change": tolerance_change, "history_size": history_size,
            "line_search_fn": line_search_fn,
        })
        if len(self.param_groups) != 1:
            raise ValueError("LBFGS doesn't support per-parameter options (parameter groups)")

    def step(self, closure: Callable[[], Any]) -> Any:
        """Change the parameters up to ``max_iter`` times.

        Args:
            closure: computes the loss and its gradients again.

        Returns:
            what the closure returned at first.
        """
        with minitorch.no_grad():
            return self._minimise(closure)

    def _minimise(self, closure: Callable[[], Any]) -> Any:
        group = self.param_groups[0]
        lr, small, change = float(group["lr"]), group["tolerance_grad"], group["tolerance_change"]
        state = self.state[group["params"][0]]  # one state for all, kept with the first so that it is cast on loading
        state.setdefault("func_evals", 0)
        state.setdefault("n_iter", 0)
        first = self._loss(closure)
        loss, grad, evaluations = float(first), self._gradient(), 1
        state["func_evals"] += 1
        if grad.abs().max() <= small:
            return first
        for i in range(group["max_iter"]):
            state["n_iter"] += 1
            d = _direction(state, grad, group["history_size"])
            state["prev_flat_grad"], state["prev_loss"] = grad.clone(), loss
            t = min(1.0, 1 / float(grad.abs().sum())) * lr if state["n_iter"] == 1 else lr
            state["d"], state["t"] = d, t
            slope = float(grad.dot(d))
            if slope > -change:
                break
            last, spent = i == group["max_iter"] - 1, 0
            if group["line_search_fn"]:
                start = [param.clone() for param in group["params"]]
                at = functools.partial(self._at, closure, start, d)
                (t, loss, grad, _), spent = strong_wolfe(at, Point(0.0, loss, grad, slope), t, d, tolerance=change,
                                                         limit=group["max_eval"] - evaluations)
                self._move(d, t)
            else:
                self._move(d, t)
                if not last:  # the last point is evaluated by the next call
                    loss, grad, spent = float(self._loss(closure)), self._gradient(), 1
            state["t"] = t
            evaluations += spent
            state["func_evals"] += spent
            if (last or evaluations >= group["max_eval"] or grad.abs().max() <= small
                    or (d * t).abs().max() <= change or abs(loss - state["prev_loss"]) < change):
                break
        return first

    def _gradient(self) -> Tensor:
        """The gradients of all parameters in one vector."""
        return minitorch.cat([
            param.new_zeros(param.numel()) if param.grad is None else param.grad.reshape(-1)
            for param in self.param_groups[0]["params"]
        ])

    def _move(self, d: Tensor, t: float) -> None:
        """Go t along d."""
        params = self.param_groups[0]["params"]
        for param, part in zip(params, d.split([param.numel() for param in params]), strict=True):
            param.add_(part.view_as(param), alpha=t)

    def _at(self, closure: Callable[[], Any], start: list[Tensor], d: Tensor, t: float) -> Point:
        """The loss and its gradient at t along d; the parameters are brought back."""
        self._move(d, t)
        loss, grad = float(self._loss(closure)), self._gradient()
        for param, value in zip(self.param_groups[0]["params"], start, strict=True):
            param.copy_(value)
        return Point(t, loss, grad, float(grad.dot(d)))


def _direction(state: dict[str, Any], grad: Tensor, history_size: int) -> Tensor:
    """-H g by the two passes over the remembered changes, to which the last one is added."""
    if state["n_iter"] == 1:
        state.update(old_dirs=[], old_stps=[], ro=[], H_diag=1)
        return -grad
    changes, steps, rhos = state["old_dirs"], state["old_stps"], state["ro"]
    y, s = grad - state["prev_flat_grad"], state["d"] * state["t"]
    curvature = float(y.dot(s))
    if curvature > 1e-10:
        if len(changes) == history_size:
            for remembered in (changes, steps, rhos):
                del remembered[0]
        changes.append(y)
        steps.append(s)
        rhos.append(1 / curvature)
        state["H_diag"] = curvature / float(y.dot(y))
    factors = state["al"] = [0.0] * history_size
    q = -grad
    for i in reversed(range(len(changes))):
        factors[i] = float(steps[i].dot(q)) * float(rhos[i])
        q.add_(changes[i], alpha=-factors[i])
    r = q * float(state["H_diag"])
    for i in range(len(changes)):
        r.add_(steps[i], alpha=factors[i] - float(changes[i].dot(r)) * float(rhos[i]))
    return r


class Point(NamedTuple):
    """A place along the direction of a line search."""

    t: float
    loss: float
    grad: Tensor
    slope: float


def strong_wolfe(
    at: Callable[[float], Point],
    start: Point,
    t: float,
    d: Tensor,
    tolerance: float = 1e-9,
    limit: int = 25,
    decrease: float = 1e-4,
    curvature: float = 0.9,
) -> tuple[Point, int]:
    """A step where the loss has decreased enough and its slope is small: the strong Wolfe conditions.

    Returns:
        the point, and how many were evaluated.
    """

    def too_high(p: Point) -> bool:
        return p.loss > start.loss + decrease * p.t * start.slope

    def flat(p: Point) -> bool:
        return abs(p.slope) <= -curvature * start.slope

    # Go on, faster and faster, until what is wanted lies in between.
    before, now, evaluated, tries = start, at(t), 1, 0
    while tries < limit:
        if too_high(now) or (tries > 1 and now.loss >= before.loss):
            break
        if flat(now):
            return now, evaluated
        if now.slope >= 0:
            break
        t = _cubic_minimum(before, now, now.t + 0.01 * (now.t - before.t), now.t * 10)
        before, now = now, at(t)
        evaluated, tries = evaluated + 1, tries + 1
    if tries == limit:
        before = start
    low, high = (before, now) if before.loss <= now.loss else (now, before)

    # Narrow it down; low is the best so far.
    width, stuck = float(d.abs().max()), False
    while tries < limit and abs(high.t - low.t) * width >= tolerance:
        left, right = min(low.t, high.t), max(low.t, high.t)
        t = _cubic_minimum(low, high, left, right)
        margin = 0.1 * (right - left)
        if min(right - t, t - left) < margin:  # so close to an end that little is gained
            if stuck or t >= right or t <= left:
                t = right - margin if abs(t - right) < abs(t - left) else left + margin
                stuck = False
            else:
                stuck = True
        else:
            stuck = False
        now = at(t)
        evaluated, tries = evaluated + 1, tries + 1
        if too_high(now) or now.loss >= low.loss:
            low, high = (low, now) if low.loss <= now.loss else (now, low)
        elif flat(now):
            return now, evaluated
        else:
            low, high = now, low if now.slope * (high.t - low.t) >= 0 else high
    return low, evaluated


def _cubic_minimum(a: Point, b: Point, low: float, high: float) -> float:
    """Where the cubic with these values and slopes is least, within bounds; in their middle if nowhere."""
    a, b = (a, b) if a.t <= b.t else (b, a)
    if a.t == b.t:
        return (low + high) / 2
    d1 = a.slope + b.slope - 3 * (a.loss - b.loss) / (a.t - b.t)
    square = d1 * d1 - a.slope * b.slope
    if not square >= 0:
        return (low + high) / 2
    d2 = square**0.5
    below = b.slope - a.slope + 2 * d2
    if below == 0:
        return (low + high) / 2
    return min(max(b.t - (b.t - a.t) * ((b.slope + d2 - d1) / below), low), high)
