"""Anomaly mode: the line of the forward, NaN there and in the backward, and who changed a saved value."""

from __future__ import annotations

import warnings

import pytest
from helpers import mt, only_here, refuses


@pytest.fixture(autouse=True)
def quiet():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def test_the_line_of_the_forward() -> None:
    with mt.autograd.detect_anomaly():
        x = mt.zeros(1, requires_grad=True)
        y = x.sqrt()  # the culprit
        with pytest.warns(UserWarning, match="y = x.sqrt") as caught, refuses(RuntimeError, "SqrtBackward0", "nan"):
            (y * 0).backward()
        assert "test_anomaly.py" in str([w.message for w in caught])
    (x.sqrt() * 0).backward()
    assert not mt.is_anomaly_enabled()


def test_an_error_in_a_function() -> None:
    class Fails(mt.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, g):
            raise ValueError("inside")

    with mt.autograd.set_detect_anomaly(True):
        y = Fails.apply(mt.ones(1, requires_grad=True))
        with pytest.warns(UserWarning, match="FailsBackward"), pytest.raises(ValueError, match="inside"):
            y.backward()


def test_switches() -> None:
    mt.autograd.set_detect_anomaly(True, check_nan=False)
    assert mt.is_anomaly_enabled() and not mt.is_anomaly_check_nan_enabled()
    (mt.zeros(1, requires_grad=True).sqrt() * 0).backward()
    mt.autograd.set_detect_anomaly(False)
    assert not mt.is_anomaly_enabled()
    x = mt.ones(2) + 1
    assert x.tolist() == [2, 2]


@only_here
def test_the_forward_and_changes_in_place() -> None:
    with mt.autograd.detect_anomaly():
        with pytest.warns(UserWarning, match="log"):
            mt.log(-mt.ones(1))  # here
        x = mt.ones(2, requires_grad=True)
        y = x * 1
        z = y.exp() * y
        y.add_(1)  # the change
        with refuses(RuntimeError, "changed by add_", "y.add_(1)  # the change"):
            z.sum().backward()


@only_here
def test_the_second_order() -> None:
    with mt.autograd.detect_anomaly():
        x = mt.zeros(1, requires_grad=True)
        (g,) = mt.autograd.grad((x**1.5).sum(), x, create_graph=True)
        with pytest.warns(UserWarning, match="Previous calculation was induced by"), pytest.raises(RuntimeError):
            mt.autograd.grad(g * g, x)


@only_here
def test_refused_changes_say_where_the_tensor_was_made() -> None:
    with mt.autograd.detect_anomaly():
        x = mt.ones(2, 2, requires_grad=True)
        row = x[0]  # the row that is refused
        wide = (x * 1).expand(3, 2, 2)  # the expanded one
        piece = (x * 1).unbind()[1]  # one of several
        for t, line in ((row, "the row that"), (wide, "the expanded"), (piece, "one of several")):
            with refuses(RuntimeError, "add_", "made here", line):
                t.add_(1)
