"""In-place changes: right gradients where they can be had, and an error that names the culprit where they cannot."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import array, check_gradient, mt, refuses, tensor

X = np.array([[0.5, 1.5, 2.5], [0.7, 1.1, 3.0]])


def leaf(values, dtype=None):
    return mt.tensor(values, dtype=dtype or mt.float64).requires_grad_(True)


def changed(f):
    """A function that copies its input through an operation and then changes it in place by `f`."""

    def run(x, *others):
        y = x * 1
        f(y, *others)
        return y

    return run


IN_PLACE = {
    "add_": lambda y: y.add_(2),
    "add_ itself": lambda y: y.add_(y),
    "mul_": lambda y: y.mul_(3),
    "div_": lambda y: y.div_(2),
    "pow_": lambda y: y.pow_(3),
    "exp_": lambda y: y.exp_(),
    "sqrt_": lambda y: y.sqrt_(),
    "tanh_": lambda y: y.tanh_(),
    "sigmoid_": lambda y: y.sigmoid_(),
    "relu_": lambda y: y.relu_(),
    "log_": lambda y: y.log_(),
    "neg_": lambda y: y.neg_(),
    "zero_": lambda y: y.zero_(),
    "fill_": lambda y: y.fill_(2.0),
    "clamp_": lambda y: y.clamp_(0.6, 2.0),
    "sin_": lambda y: y.sin_(),
    "[0] =": lambda y: y.__setitem__(0, 5.0),
    "[:, ::2] =": lambda y: y.__setitem__((slice(None), slice(None, None, 2)), 0.0),
    "+=": lambda y: y.__iadd__(1),
    "addcmul_": lambda y: y.addcmul_(y * 2, y * 3),
    "masked_fill_": lambda y: y.masked_fill_(tensor(X > 1), 0.5),
    "view add_": lambda y: y[0].add_(y[1]),
    "view mul_": lambda y: y[:, 1:].mul_(3),
    "view exp_": lambda y: y.t()[1].exp_(),
    "view of view": lambda y: y.view(-1)[1:5].view(2, 2)[0].mul_(7),
    "copy_ view": lambda y: y[0].copy_(y[1] * 2),
    "diagonal": lambda y: y.diagonal().mul_(2),
    "unsqueeze": lambda y: y.unsqueeze(0).mul_(2),
    "two views": lambda y: (y[0].mul_(2), y[1].mul_(3), y[:, 0].add_(y[:, 1])),
}


@pytest.mark.parametrize("name", IN_PLACE)
def test_gradients(name: str) -> None:
    check_gradient(changed(IN_PLACE[name]), X, step=1e-4)
    check_gradient(lambda x: changed(IN_PLACE[name])(x) ** 2 + x, X, step=1e-4)


OVERWRITES = {  # what their own derivative needs
    "mul_ itself": lambda y: y.mul_(y),
    "sub_": lambda y: y.sub_(y * y),
    "chain": lambda y: y.mul_(2).exp_().add_(1).log_(),
    "lerp_": lambda y: y.lerp_(y * y, 0.3),
    "row itself": lambda y: y[0].mul_(y[0]),
    "view square": lambda y: y[:, 1:].square_(),
    "sin_ after": lambda y: (y.sin(), y.sin_()),
}


@pytest.mark.parametrize("name", OVERWRITES)
def test_right_gradients_or_none(name: str) -> None:
    """An operand that is overwritten is either remembered or missed aloud."""
    try:
        check_gradient(changed(OVERWRITES[name]), X, step=1e-4)
    except RuntimeError as error:
        assert "modified by an inplace operation" in str(error)


@pytest.mark.parametrize(
    "f",
    [
        lambda y, z: y.add_(z),
        lambda y, z: y.mul_(z),
        lambda y, z: y.copy_(z),
        lambda y, z: y[1].copy_(z[0]),
        lambda y, z: y[0].mul_(z[1]),
        lambda y, z: y.__setitem__((slice(None), 1), z[:, 0] * 2),
        lambda y, z: y.sub_(z[0]),
        lambda y, z: y[:, :2].div_(z[:, 1:]),
    ],
    ids=["add_", "mul_", "copy_", "copy_ row", "mul_ row", "column =", "broadcast", "div_ part"],
)
def test_gradients_of_both(f) -> None:
    check_gradient(changed(f), X, X * 0.7 + 0.4)


def test_a_view_taken_before_sees_the_change() -> None:
    """And its gradient goes through it."""

    def f(x):
        y = x * 1
        view = y[0]
        y.mul_(x)
        return view * 3

    check_gradient(f, X)

    def g(x):
        y = x * 1
        a, b = y[0], y.view(-1)[2:5]
        a.mul_(2)
        return b * x[0, :3] + y.sum()

    check_gradient(g, X)


def test_into_a_tensor_that_needs_none() -> None:
    """A buffer filled row by row is the way to the gradients of the rows."""

    def f(x):
        out = mt.zeros(3, 3, dtype=mt.float64)
        out[0] = x[0] * 2
        out[1] = x[1] * x[0]
        out[2, 1:].add_(x[0, 1:])
        assert out.requires_grad
        return out

    check_gradient(f, X)


def test_leaves_are_protected() -> None:
    x = leaf([1.0, 2.0])
    for f in (
        lambda: x.add_(1),
        lambda: x.mul_(x),
        lambda: x.zero_(),
        lambda: x[0].fill_(1),
        lambda: x.__setitem__(0, 3.0),
        lambda: x.view(2).exp_(),
        lambda: x.copy_(mt.zeros(2)),
    ):
        with refuses(RuntimeError, "leaf"):
            f()
    assert x.tolist() == [1, 2]
    with mt.no_grad():
        x.add_(1)
        x[0] = 5
    assert x.tolist() == [5, 3] and x.is_leaf and x.requires_grad
    x.detach().zero_()
    assert x.tolist() == [0, 0]


SAVES = {  # operations that keep what is then changed
    "mul": (lambda x: x * x, "mul"),
    "exp": (lambda x: x.exp(), "exp"),
    "matmul": (lambda x: x @ x.t(), "mm"),
    "tanh": (lambda x: x.tanh(), "tanh"),
    "log": (lambda x: x.log(), "log"),
    "pow": (lambda x: x**3, "pow"),
    "sin": (lambda x: x.sin(), "sin"),
    "log_softmax": (lambda x: mt.log_softmax(x, 1), "softmax"),
    "sqrt": (lambda x: x.sqrt(), "sqrt"),
    "sigmoid": (lambda x: x.sigmoid(), "sigmoid"),
    "softmax": (lambda x: mt.softmax(x, 1), "softmax"),
}


@pytest.mark.parametrize("name", ["exp", "tanh", "sqrt", "sigmoid", "softmax", "log_softmax"])
def test_a_changed_result_is_noticed(name: str) -> None:
    """Operations whose derivative reads their own result."""
    f, word = SAVES[name]
    x = leaf(X)
    y = f(x)
    y.add_(1)
    with refuses(RuntimeError, "modified by an inplace operation", word, "2, 3"):
        y.sum().backward()
    assert x.grad is None


@pytest.mark.parametrize("name", ["mul", "matmul", "log", "pow", "sin"])
def test_a_changed_operand_is_noticed(name: str) -> None:
    """Operations whose derivative reads their operand, changed directly, through a view, or as the base of one."""
    f, _ = SAVES[name]
    for change in (
        lambda h: h.add_(1),
        lambda h: h[0].zero_(),
        lambda h: h.t().mul_(2),
        lambda h: h.detach().add_(1),
        lambda h: h.__setitem__((0, 0), 1.0),
    ):
        x = leaf(X)
        h = x * 2
        y = f(h)
        change(h)
        with refuses(RuntimeError, "modified by an inplace operation", "2, 3"):
            y.sum().backward()
        assert x.grad is None


def test_the_error_names_operation_and_shape() -> None:
    x = leaf(X)
    y = x.exp()
    z = y * 2
    y.zero_()
    with pytest.raises(RuntimeError) as caught:
        z.sum().backward()
    message = str(caught.value)
    assert "2, 3" in message and "version" in message and "exp" in message.lower()


def test_changes_that_do_not_matter() -> None:
    """Operations that save nothing of it do not mind."""
    x = leaf(X)
    for f in (lambda h: h + 1, lambda h: h.sum(0), lambda h: h * 2, lambda h: h.t(), lambda h: -h):
        h = x * 1
        y = f(h)
        h.fill_(7)
        x.grad = None
        y.sum().backward() if y is not h else None
        assert x.grad is not None


def test_a_parameter_updated_between_forward_and_backward() -> None:
    w, x = leaf(X), tensor(X)
    loss = (w * w * x).sum()
    with mt.no_grad():
        w -= 0.1
    with refuses(RuntimeError, "modified by an inplace operation"):
        loss.backward()


def test_versions() -> None:
    x = tensor(X)
    v = x._version
    y = x[0]
    x.add_(1)
    assert x._version == v + 1 and y._version == x._version
    y.mul_(2)
    assert x._version == v + 2
    x * 2
    x.clone().add_(1)
    assert x._version == v + 2


def test_activation_in_place_keeps_its_gradient() -> None:
    """relu_ overwrites its input with its result, whose sign is all that its derivative needs."""
    x = leaf([-1.0, 2.0])
    h = x * 3
    y = mt.relu_(h)
    assert y is h and h.tolist() == [0, 6]
    y.sum().backward()
    assert x.grad.tolist() == [0, 3]


def test_out_is_refused_when_recording() -> None:
    x, out = leaf([1.0, 2.0]), mt.zeros(2, dtype=mt.float64)
    with refuses(RuntimeError, "out"):
        mt.exp(x, out=out)
    with mt.no_grad():
        mt.exp(x, out=out)
    np.testing.assert_allclose(array(out), np.exp([1, 2]))


def test_in_place_of_an_expanded_gradient() -> None:
    """x.grad is memory of its own even when the gradient was an expanded number."""
    x = leaf(X)
    x.sum().backward()
    x.grad[0, 0] = 5
    assert x.grad.tolist() == [[5, 1, 1], [1, 1, 1]]
    x.grad.zero_()
    x.sum().backward()
    assert x.grad.tolist() == [[1] * 3] * 2


def test_in_place_with_a_wider_operand() -> None:
    """The gradient to an operand that was broadcast, converted, or changed after."""
    x, y = leaf([[1.0, 2.0]], mt.float32), leaf(2.0, mt.float64)
    h = x * 1
    h.mul_(y)
    h.sum().backward()
    assert (
        x.grad.tolist() == [[2, 2]] and y.grad.item() == 3 and x.grad.dtype == mt.float32 and y.grad.dtype == mt.float64
    )
    with refuses(RuntimeError, "shape"):
        (leaf([1.0, 2.0]) * 1).add_(leaf([[1.0, 2.0], [3.0, 4.0]]))
