"""The gradient checker itself: it must find planted mistakes, however small the part that is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import check_gradient, mt

X = np.array([[0.7, -1.3, 0.4], [2.1, 0.9, -0.6]])


def planted(value, slope):
    """A function with the values of `value` and whatever derivative `slope` claims."""

    def f(x):
        return value(x.detach()) + (x - x.detach()) * slope(x)

    return f


def test_right_gradients_pass() -> None:
    check_gradient(lambda x: x * x * x, X)
    check_gradient(lambda x, y: x * y + y, X, X[:1] + 1)
    check_gradient(planted(lambda x: x * x, lambda x: 2 * x.detach()), X, order=1)


@pytest.mark.parametrize(
    "slope",
    [
        lambda x: x.detach(),
        lambda x: -2 * x.detach(),
        lambda x: 2 * x.detach() * (1 + 1e-6),
        lambda x: 2 * x.detach() + 1e-6,
        lambda x: 0 * x.detach(),
    ],
    ids=["half", "sign", "relative", "offset", "none"],
)
def test_wrong_gradients_fail(slope) -> None:
    with pytest.raises(AssertionError, match="first order"):
        check_gradient(planted(lambda x: x * x, slope), X, order=1)


def test_one_wrong_element_fails() -> None:
    wrong = np.ones_like(X)
    wrong[1, 2] = 1.001
    with pytest.raises(AssertionError, match="first order"):
        check_gradient(planted(lambda x: x * x, lambda x: 2 * x.detach() * mt.tensor(wrong)), X, order=1)


def test_swapped_elements_fail() -> None:
    """As when a reduced dimension is broadcast back along the wrong axis of a square matrix."""
    square = X[:, :2]

    def f(x):
        right = x.detach().sum(1)
        return right + ((x - x.detach()) * (2 * x.detach()).t()).sum(1)

    with pytest.raises(AssertionError, match="first order"):
        check_gradient(lambda x: f(x) + (x.detach() ** 2).sum(1) - x.detach().sum(1), square, order=1)


def test_wrong_second_derivatives_fail() -> None:
    cube = planted(lambda x: x**3, lambda x: 3 * x.detach() ** 2)  # the slope is right, but is a constant to autograd
    check_gradient(cube, X, order=1)
    with pytest.raises(AssertionError, match="second order"):
        check_gradient(cube, X, order=2)


def test_a_missing_operand_fails() -> None:
    with pytest.raises(AssertionError, match="first order"):
        check_gradient(lambda x, y: x * y.detach(), X, X + 3, order=1)


def test_gradients_that_are_not_finite_fail() -> None:
    with pytest.raises(AssertionError, match="not finite"):
        check_gradient(lambda x: x.abs().sqrt(), np.zeros(2), order=1)
