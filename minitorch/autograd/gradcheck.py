"""Checking derivatives against differences, and saying what is probably wrong where they disagree."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

import minitorch

from .._ext.tape import grad
from .._tensor import Tensor
from .grad_mode import enable_grad, no_grad

__all__ = ["GradcheckError", "gradcheck", "gradgradcheck"]


class GradcheckError(RuntimeError):
    """A derivative that differences do not confirm."""


def gradcheck(
    func: Callable[..., Any],
    inputs: Any,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_batched_forward_grad: bool = False,
    check_forward_ad: bool = False,
    check_backward_ad: bool = True,
    fast_mode: bool = False,
    masked: bool | None = None,
) -> bool:
    r"""Compare the gradients of a function with central differences.

    .. math:: \frac{\partial f}{\partial x_i} \approx \frac{f(x + \epsilon e_i) - f(x - \epsilon e_i)}{2\epsilon}

    An error says which output, input and element it is about, both values, and, where their relation suggests one, a
    probable cause: a missing factor, a sum that was forgotten, a transposed gradient, a kink of the function.

    Args:
        inputs: the arguments; those tensors that require grad are checked, and should be of float64 or complex128.
            A complex element counts as two real ones.
        eps: the step of the differences.
        atol, rtol: how far the two may be apart: ``atol + rtol * |numeric|``.
        raise_exception: raise, rather than return False.
        nondet_tol: how far two runs of the same backward may differ.
        check_undefined_grad: check each of several outputs also while the others have no gradient (it is how the
            Jacobian of each is found; False finds them together).
        check_grad_dtypes: a gradient must have the type of its input.
        check_batched_grad: check ``grad(..., is_grads_batched=True)`` too.
        check_forward_ad: check tangents (`forward_ad`) too; with ``check_batched_forward_grad`` those under `vmap`.
        check_backward_ad: check gradients.
        fast_mode: compare along random directions first, and element by element only if that fails.

    Raises:
        GradcheckError: if they disagree.
        ValueError: if no input requires grad.

    >>> import minitorch
    >>> x = minitorch.tensor([0.5, 1.5], dtype=minitorch.float64, requires_grad=True)
    >>> minitorch.autograd.gradcheck(minitorch.sin, (x,))
    True
    """
    if masked:
        raise NotImplementedError("gradcheck: masked is for sparse tensors, which are not supported")
    if not (check_backward_ad or check_forward_ad):
        raise AssertionError("Expected at least one of check_forward_ad or check_backward_ad to be True")
    check = Check(func, as_tuple(inputs), eps, atol, rtol)
    with check.verdict(raise_exception):
        check.prepare()
        if check_backward_ad:
            check.backward(nondet_tol, fast_mode, check_grad_dtypes, together=not check_undefined_grad)
            if check_batched_grad:
                check.batched()
        if check_forward_ad:
            check.forward(check_batched_forward_grad)
    return check.passed


def gradgradcheck(
    func: Callable[..., Any],
    inputs: Any,
    grad_outputs: Any = None,
    *,
    eps: float = 1e-6,
    atol: float = 1e-5,
    rtol: float = 1e-3,
    gen_non_contig_grad_outputs: bool = False,
    raise_exception: bool = True,
    nondet_tol: float = 0.0,
    check_undefined_grad: bool = True,
    check_grad_dtypes: bool = False,
    check_batched_grad: bool = False,
    check_fwd_over_rev: bool = False,
    check_rev_over_rev: bool = True,
    fast_mode: bool = False,
    masked: bool = False,
) -> bool:
    """`gradcheck` of the gradient itself, as a function of the inputs and of the outputs' gradients.

    Args:
        grad_outputs: the gradients to start from; random ones unless given.
        gen_non_contig_grad_outputs: make those strided in memory.
        check_fwd_over_rev: forward mode through the gradient, against differences.
        check_rev_over_rev: the gradient's own gradient, against differences.

    >>> import minitorch
    >>> x = minitorch.tensor([0.5, 1.5], dtype=minitorch.float64, requires_grad=True)
    >>> minitorch.autograd.gradgradcheck(minitorch.sin, (x,))
    True
    """
    if not (check_rev_over_rev or check_fwd_over_rev):
        raise AssertionError("Expected at least one of check_rev_over_rev or check_fwd_over_rev to be True")
    arguments = as_tuple(inputs)
    if grad_outputs is None:
        generator = np.random.default_rng(0)
        started = []
        for y in differentiable(func(*arguments)):
            shape = real_shape(y)
            if gen_non_contig_grad_outputs:  # every second place of a last dimension that is cut off again
                shape = (*y.shape, 2, *shape[y.ndim :])
            v = tensor_like(generator.uniform(-1, 1, shape), y)
            started.append((v[..., 0] if gen_non_contig_grad_outputs else v).requires_grad_())
    else:
        started = [v.detach().requires_grad_() for v in as_tuple(grad_outputs)]
    both = (*arguments, *started)

    def gradient(*both: Any) -> tuple[Tensor, ...]:
        xs, vs = both[: len(arguments)], both[len(arguments) :]
        # an input may be passed through unchanged: that is no derivative of the gradient
        sources = [x for x in xs if isinstance(x, Tensor) and x.requires_grad]
        with enable_grad():
            outputs = differentiable(func(*xs))
            found = grad(outputs, sources, vs, create_graph=True, allow_unused=True)
        return tuple(g for g in found if g is not None and g.requires_grad)

    fine = not check_rev_over_rev or gradcheck(
        gradient,
        both,
        eps=eps,
        atol=atol,
        rtol=rtol,
        raise_exception=raise_exception,
        nondet_tol=nondet_tol,
        check_undefined_grad=check_undefined_grad,
        check_grad_dtypes=check_grad_dtypes,
        check_batched_grad=check_batched_grad,
        fast_mode=fast_mode,
    )
    if not (fine and check_fwd_over_rev):
        return fine
    check = Check(transposed(func, arguments), both, eps, atol, rtol)
    with check.verdict(raise_exception):
        check.prepare()
        check.forward(batched=False, nested=True)
    return check.passed


def transposed(func: Callable[..., Any], arguments: tuple[Any, ...]) -> Callable[..., tuple[Tensor, ...]]:
    """What maps arguments and the outputs' gradients to the inputs', by `func.vjp`: tangents go through that."""
    from ..func import vjp

    moving = places_of(arguments)
    kept = places_of(as_tuple(func(*arguments)))

    def gradients(*both: Any) -> tuple[Tensor, ...]:
        xs, vs = both[: len(arguments)], both[len(arguments) :]

        def outputs_of(*values: Tensor) -> tuple[Tensor, ...]:
            placed = dict(zip(moving, values))
            outputs = as_tuple(func(*(placed.get(i, x) for i, x in enumerate(xs))))
            return tuple(outputs[j] for j in kept)

        return vjp(outputs_of, *(xs[i] for i in moving))[1](vs)

    return gradients


def as_tuple(x: Any) -> tuple[Any, ...]:
    """One value, or several, as a tuple."""
    return tuple(x) if isinstance(x, (tuple, list)) else (x,)


def differentiable(outputs: Any) -> list[Tensor]:
    """Those of the outputs that can be differentiated."""
    outputs = as_tuple(outputs)
    return [outputs[j] for j in places_of(outputs)]


def places_of(values: tuple[Any, ...]) -> list[int]:
    """Where tensors stand that can be differentiated, or by which."""
    return [k for k, x in enumerate(values) if isinstance(x, Tensor) and x.requires_grad]


def values_of(t: Tensor) -> np.ndarray:
    """A copy of the values in double precision; the real and imaginary parts of complex ones in a last dimension."""
    with no_grad():
        if t.is_complex():
            return np.array(minitorch.view_as_real(t.detach().to(minitorch.complex128).resolve_conj()).numpy())
        return np.array(t.detach().cpu().double().numpy())


def tensor_like(values: np.ndarray, t: Tensor) -> Tensor:
    """The tensor of the type of ``t``, and beside it, that `values_of` shows in this way."""
    found = minitorch.tensor(values, device=t.device)
    return (minitorch.view_as_complex(found) if t.is_complex() else found).to(t.dtype)


def real_shape(t: Tensor) -> tuple[int, ...]:
    """The shape of `values_of`."""
    return (*t.shape, 2) if t.is_complex() else tuple(t.shape)


def reals(t: Tensor) -> int:
    """How many real numbers a tensor holds."""
    return 2 * t.numel() if t.is_complex() else t.numel()


def units(t: Tensor) -> Iterator[tuple[int, np.ndarray]]:
    """Each real number of a tensor, and the direction in which it alone moves."""
    for e in range(reals(t)):
        direction = np.zeros(real_shape(t))
        direction.reshape(-1)[e] = 1
        yield e, direction


def place(e: int, t: Tensor) -> str:
    """Where a real number stands in a tensor, for messages."""
    index = [int(i) for i in np.unravel_index(int(e), real_shape(t))]
    if not t.is_complex():
        return str(index)
    return f"{index[:-1]}.{('real', 'imag')[index[-1]]}"


class Check:
    """One check of a function at a point."""

    def __init__(self, func: Callable[..., Any], inputs: tuple[Any, ...], eps: float, atol: float, rtol: float) -> None:
        self.func, self.inputs, self.eps, self.atol, self.rtol = func, inputs, eps, atol, rtol
        self.positions = places_of(inputs)
        self.sources = [inputs[k] for k in self.positions]
        self.passed = True

    @contextlib.contextmanager
    def verdict(self, raise_exception: bool) -> Iterator[None]:
        """Around the checks: unless errors are wanted, a failed one shows in `passed` alone."""
        try:
            yield
        except GradcheckError:
            self.passed = False
            if raise_exception:
                raise

    def prepare(self) -> None:
        """Refuse what cannot be checked."""
        if not self.sources:
            raise ValueError("gradcheck expects at least one input tensor to require gradient, but none of the them "
                             "have requires_grad=True.")  # fmt: skip
        for k, x in zip(self.positions, self.sources):
            if x.dtype not in (minitorch.float64, minitorch.complex128):
                warnings.warn(f"Input #{k} requires gradient and is not a double precision floating point: differences "
                              "of it are not precise enough for the default tolerances. Use "
                              ".double()", stacklevel=4)  # fmt: skip
            if x.numel() > 1 and any(stride == 0 and size > 1 for stride, size in zip(x.stride(), x.shape)):
                raise RuntimeError(f"The {k}th input has a dimension with stride 0: an element of its memory stands "
                                   "for "
                                   "several. gradcheck changes one at a time; call contiguous() on it "
                                   "first")  # fmt: skip
            x.retain_grad()

    def call(self) -> list[Tensor]:
        """The differentiable outputs."""
        with enable_grad():
            outputs = as_tuple(self.func(*self.inputs))
        return differentiable(outputs)

    # --- reverse mode

    def backward(self, nondet_tol: float, fast: bool, dtypes: bool, together: bool) -> None:
        """Gradients against differences."""
        outputs = self.call()
        if not outputs:
            for k in range(len(self.sources)):
                if np.abs(np.concatenate([*self.numeric(k, all_outputs=True), np.zeros((1, 1))], axis=None)).max():
                    raise GradcheckError("gradcheck expects all tensor outputs to require grad: the function changes "
                                         f"with input {self.positions[k]}, but its result is outside the graph. Is "
                                         "there a detach(), a .data, or a no_grad() on the way?")  # fmt: skip
            return
        if fast:
            if self.agrees_along_random_directions(outputs):
                return
            outputs = self.call()  # the inputs that it saved were changed meanwhile
        analytic = [self.analytic(y, outputs, together) for y in outputs]
        again = [self.analytic(y, outputs, together) for y in outputs]
        for j in range(len(outputs)):
            for k in range(len(self.sources)):
                apart = np.abs(analytic[j][k] - again[j][k]).max(initial=0)
                if apart > nondet_tol:
                    raise GradcheckError("Backward is not reentrant, i.e., running backward with same input and "
                                         "grad_output multiple times gives different values, although analytical "
                                         f"gradient matches numerical gradient. They differ by {apart:.3g}: random "
                                         "numbers in the backward, or a saved value that it overwrites?")  # fmt: skip
        for k, x in enumerate(self.sources):
            numeric = self.numeric(k)
            for j, y in enumerate(outputs):
                if dtypes and self.grad_dtype(y, x) not in (None, x.dtype):
                    raise GradcheckError(f"the gradient of input {self.positions[k]} is of type "
                                         f"{self.grad_dtype(y, x)}, the input of {x.dtype}")  # fmt: skip
                self.compare(numeric[j], analytic[j][k], j, k, y, "analytical")

    def analytic(self, y: Tensor, outputs: list[Tensor], together: bool) -> list[np.ndarray]:
        """The Jacobian of an output by each input, (input elements, output elements), by replaying."""
        result = [np.zeros((reals(x), reals(y))) for x in self.sources]
        others = [o for o in outputs if o is not y] if together else []
        for e, direction in units(y):
            grads = grad(
                [y, *others],
                self.sources,
                [tensor_like(direction, y), *map(minitorch.zeros_like, others)],
                retain_graph=True,
                allow_unused=True,
            )
            for k, (g, x) in enumerate(zip(grads, self.sources)):
                if g is None:
                    continue
                if g.shape != x.shape:
                    raise GradcheckError(f"Analytical gradient has incorrect size: that of input {self.positions[k]} "
                                         "is "
                                         f"{tuple(g.shape)}, the input {tuple(x.shape)}")  # fmt: skip
                result[k][:, e] = values_of(g).reshape(-1)
        return result

    def grad_dtype(self, y: Tensor, x: Tensor) -> Any:
        (g,) = grad([y], [x], [minitorch.ones_like(y)], retain_graph=True, allow_unused=True)
        return None if g is None else g.dtype

    def batched(self) -> None:
        """Many gradients at once against one after the other."""
        outputs = self.call()
        for y in outputs:
            rows = tensor_like(np.eye(reals(y)).reshape(reals(y), *real_shape(y)), y)
            found = grad([y], self.sources, [rows], retain_graph=True, allow_unused=True, is_grads_batched=True)
            for k, (g, expected) in enumerate(zip(found, self.analytic(y, outputs, False))):
                if g is not None and not np.allclose(values_of(g).reshape(reals(y), -1).T, expected):
                    raise GradcheckError(f"gradients of input {self.positions[k]} computed in a batch differ from "
                                         "those "
                                         "computed one by one")  # fmt: skip

    def agrees_along_random_directions(self, outputs: list[Tensor]) -> bool:
        """uᵀ J v for random u and v, both ways."""
        rng = np.random.default_rng(0)
        weights = [tensor_like(rng.uniform(0.5, 1.5, real_shape(y)), y) for y in outputs]
        grads = grad(outputs, self.sources, weights, retain_graph=True, allow_unused=True)
        for k, x in enumerate(self.sources):
            direction = rng.uniform(0.5, 1.5, real_shape(x))
            direction /= max(np.linalg.norm(direction), 1e-30)
            plus, minus = self.moved(x, direction, self.eps), self.moved(x, direction, -self.eps)
            numeric = sum(
                float(((a - b) * values_of(u)).sum()) / (2 * self.eps) for a, b, u in zip(plus, minus, weights)
            )
            analytic = 0.0 if grads[k] is None else float((values_of(grads[k]) * direction).sum())
            if not abs(numeric - analytic) <= self.atol + self.rtol * abs(numeric):
                return False
        return True

    # --- differences

    def moved(self, x: Tensor, direction: np.ndarray, step: float, all_outputs: bool = False) -> list[np.ndarray]:
        """The outputs with an input moved."""
        before = values_of(x)
        try:
            with no_grad():
                x.copy_(tensor_like(before + step * direction, x))
            outputs = as_tuple(self.func(*self.inputs))
            kept = [y for y in outputs if isinstance(y, Tensor) and (y.requires_grad or all_outputs)]
            return [values_of(y) for y in kept if y.dtype.is_floating_point or y.is_complex()]
        finally:
            with no_grad():
                x.copy_(tensor_like(before, x))

    def numeric(self, k: int, all_outputs: bool = False) -> list[np.ndarray]:
        """The Jacobian of each output by an input, by differences."""
        x, columns = self.sources[k], []
        for _, direction in units(x):
            plus = self.moved(x, direction, self.eps, all_outputs)
            minus = self.moved(x, direction, -self.eps, all_outputs)
            columns.append([(a - b).reshape(-1) / (2 * self.eps) for a, b in zip(plus, minus)])
        if not columns:
            return [np.zeros((0, y.size)) for y in self.moved(x, np.zeros(real_shape(x)), 0.0, all_outputs)]
        return [np.stack(column) for column in zip(*columns)]

    def one_sided(self, k: int, e: int, j: int, o: int) -> tuple[float, float]:
        """The slopes of one element of an output to the left and to the right of an element of an input."""
        x = self.sources[k]
        direction = np.zeros(real_shape(x))
        direction.reshape(-1)[e] = 1
        here = self.moved(x, direction, 0.0)[j].reshape(-1)[o]
        left = self.moved(x, direction, -self.eps)[j].reshape(-1)[o]
        right = self.moved(x, direction, self.eps)[j].reshape(-1)[o]
        return float((here - left) / self.eps), float((right - here) / self.eps)

    # --- forward mode

    def forward(self, batched: bool, nested: bool = False) -> None:
        """Tangents against differences; `nested`: by `func.jvp`, which goes through transforms within the function."""
        from ..func import vmap

        outputs = as_tuple(self.func(*self.inputs))
        kept = places_of(outputs)
        still = [minitorch.zeros_like(outputs[j]) for j in kept]
        for k, x in enumerate(self.sources):
            numeric = self.numeric(k)
            rows = [tensor_like(direction, x) for _, direction in units(x)]
            single = [self.pushed(k, kept, row) if nested else self.dual(k, kept, still, row) for row in rows]
            for e, moves in enumerate(single):
                for j, t in enumerate(moves):
                    found = values_of(t).reshape(-1)
                    if not np.allclose(found, numeric[j][e], self.rtol, self.atol):
                        raise GradcheckError(
                            f"Jacobian computed with forward mode mismatch for output {j} with respect to input "
                            f"{self.positions[k]}, element {place(e, x)}: numerical {numeric[j][e]}, by tangents "
                            f"{found}")  # fmt: skip
            if not batched or not rows:
                continue
            together = vmap(lambda row, k=k: self.pushed(k, kept, row))(minitorch.stack(rows))
            for j, found in enumerate(together):
                if not np.allclose(values_of(found), np.stack([values_of(moves[j]) for moves in single])):
                    raise GradcheckError(
                        f"tangents of output {j} with respect to input {self.positions[k]} computed in a batch differ "
                        "from those computed one by one")  # fmt: skip

    def with_input(self, k: int, value: Tensor) -> list[Any]:
        """The arguments with another value for one that is checked."""
        arguments = list(self.inputs)
        arguments[self.positions[k]] = value
        return arguments

    def dual(self, k: int, kept: list[int], still: list[Tensor], tangent: Tensor) -> list[Tensor]:
        """How the kept outputs move with an input, by `forward_ad`; those without a tangent stand `still`."""
        from . import forward_ad

        with forward_ad.dual_level():
            outputs = as_tuple(self.func(*self.with_input(k, forward_ad.make_dual(self.sources[k], tangent))))
            moves = [forward_ad.unpack_dual(outputs[j]).tangent for j in kept]
        return [zero if t is None else t for t, zero in zip(moves, still)]

    def pushed(self, k: int, kept: list[int], tangent: Tensor) -> tuple[Tensor, ...]:
        """The same by `func.jvp`."""
        from ..func import jvp

        def moving(value: Tensor) -> tuple[Tensor, ...]:
            outputs = as_tuple(self.func(*self.with_input(k, value)))
            return tuple(outputs[j] for j in kept)

        return jvp(moving, (self.sources[k].detach(),), (tangent,))[1]

    # --- the verdict

    def compare(self, numeric: np.ndarray, analytic: np.ndarray, j: int, k: int, y: Tensor, what: str) -> None:
        """Nothing, or an error that says where they disagree and what that looks like."""
        with np.errstate(all="ignore"):
            wrong = ~(np.abs(analytic - numeric) <= self.atol + self.rtol * np.abs(numeric))
        wrong &= ~((analytic == numeric) | (np.isnan(analytic) & np.isnan(numeric)))
        if not wrong.any():
            return
        x = self.sources[k]
        with np.errstate(all="ignore"):
            e, o = np.unravel_index(np.argmax(np.where(wrong, np.abs(analytic - numeric), -1)), wrong.shape)
        causes = list(self.causes(numeric, analytic, wrong, j, k, int(e), int(o), y))
        raise GradcheckError(
            f"Jacobian mismatch for output {j} with respect to input {self.positions[k]},\n"
            f"{int(wrong.sum())} of {wrong.size} elements are wrong, the worst d output{place(o, y)} / d "
            f"input{place(e, x)}:\n  numerical:  {numeric[e, o]:.10g}\n  {what}: {analytic[e, o]:.10g}\n"
            f"numerical:\n{minitorch.tensor(numeric)}\n{what}:\n{minitorch.tensor(analytic)}"
            + "".join(f"\nprobably: {cause}" for cause in causes)
        )

    def causes(
        self, numeric: np.ndarray, analytic: np.ndarray, wrong: np.ndarray, j: int, k: int, e: int, o: int, y: Tensor
    ) -> Iterator[str]:
        """What the pattern of the errors suggests."""
        x = self.sources[k]
        if not np.isfinite(numeric).all():
            yield "the function is not finite near this point: choose another"
            return
        if not np.isfinite(analytic).all():
            yield "the derivative divides by zero or overflows where the function does not (0 / 0 in its formula?)"
            return
        if not analytic.any():
            yield "no gradient arrives: a detach(), .data or no_grad() on the way, or a backward that returns None"
            return
        left, right = self.one_sided(k, e, j, o)
        if abs(left - right) > 100 * (self.atol + self.rtol * max(abs(left), abs(right))):
            yield (f"the function has a kink there, its slopes are {left:.6g} to the left and {right:.6g} to the "
                   "right: "
                   "differences say nothing about the derivative; choose another point")  # fmt: skip
        factor = common_factor(numeric, analytic)
        if factor is not None:
            yield from factor_causes(factor, x, y)
            return
        shape = real_shape(x)
        signs = np.tile([1, -1], x.numel())[:, None] if x.is_complex() else np.ones((1, 1))
        if y.is_complex():
            signs = signs * np.tile([1, -1], y.numel())
        if x.is_complex() and np.allclose(numeric * signs, analytic, self.rtol, self.atol):
            yield "the gradient is conjugated: for y = f(x) it is g * conj(f'(x)), not g * f'(x)"
            return
        if x.ndim >= 2 and shape[x.ndim - 1] == shape[x.ndim - 2]:
            turned = np.swapaxes(numeric.reshape(*shape, -1), x.ndim - 2, x.ndim - 1).reshape(numeric.shape)
            if np.allclose(turned, analytic, self.rtol, self.atol):
                yield "the gradient is transposed: that of the element in row i and column j stands in row j, column i"
                return
        if np.allclose(np.sort(numeric, 0), np.sort(analytic, 0), self.rtol, self.atol):
            yield "the right values in other places: indices, or the order of dimensions, are mixed up"
        elif wrong.sum() < wrong.size // 2:
            rows = np.unique(np.nonzero(wrong)[0])
            if len(rows) < wrong.shape[0]:
                places = [tuple(int(i) for i in np.unravel_index(r, shape)) for r in rows[:5]]
                yield f"only some elements of the input are wrong, {places}: an edge case of indexing or of the domain?"
        for d, size in enumerate(shape):
            if size > 1:
                spread = numeric.reshape(*shape, -1).sum(d, keepdims=True)
                if np.allclose(np.broadcast_to(spread, (*shape, numeric.shape[1])).reshape(numeric.shape), analytic,
                               self.rtol, self.atol):  # fmt: skip
                    yield f"a sum over dimension {d} too many: every element of it got the gradient of all"


def common_factor(numeric: np.ndarray, analytic: np.ndarray) -> float | None:
    """The one number that the analytic derivative is off by, if there is one."""
    used = np.abs(numeric) > 1e-6 * np.abs(numeric).max(initial=0)
    if not used.any() or np.abs(analytic[~used]).max(initial=0) > 1e-3 * np.abs(analytic).max():
        return None
    ratios = analytic[used] / numeric[used]
    middle = float(np.median(ratios))
    return middle if middle != 0 and np.allclose(ratios, middle, 1e-3) else None


def factor_causes(factor: float, x: Tensor, y: Tensor) -> Iterator[str]:
    """What a common factor may come from."""
    if abs(factor + 1) < 1e-3:
        yield "the sign is wrong"
        return
    yield f"the gradient is {factor:.6g} times what it should be: a missing factor of {1 / factor:.6g}"
    for name, t in (("input", x), ("output", y)):
        for d, size in enumerate(t.shape):
            if size > 1 and abs(factor * size - 1) < 1e-3:
                yield f"{size} is the size of dimension {d} of the {name}: a mean in place of a sum over it?"
            elif size > 1 and abs(factor / size - 1) < 1e-3:
                yield f"{size} is the size of dimension {d} of the {name}: a sum in place of a mean over it?"


def get_numerical_jacobian(
    fn: Callable[..., Any], inputs: Any, target: Any = None, eps: float = 1e-3
) -> Sequence[Tensor]:
    """The Jacobian of the first output of a function by each input, by central differences."""
    check = Check(fn, as_tuple(inputs), eps, 0.0, 0.0)
    return [minitorch.tensor(check.numeric(k)[0]) for k in range(len(check.sources))]
