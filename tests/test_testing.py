"""`minitorch.testing.assert_close`: what passes, what does not, and what it says."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import mt, refuses

assert_close = mt.testing.assert_close
NAN = float("nan")

CLOSE = [
    (mt.tensor([1.0, 2.0]), mt.tensor([1.0, 2.0 + 1e-6])), (1, 1), (1.0, 1.00000001),
    ([mt.tensor([1.0])], [mt.ones(1)]),
    ({"a": mt.ones(2)}, {"a": mt.ones(2)}), (None, None), (np.ones(3), np.ones(3)), (mt.zeros(0, 2), mt.zeros(0, 2)),
    (mt.tensor([float("inf")]), mt.tensor([float("inf")])), (mt.tensor([1j]), mt.tensor([1j + 1e-7])),
    (mt.ones(2, 3).mT, mt.ones(3, 2)), (mt.ones(2, requires_grad=True), mt.ones(2)),
]
APART = [
    (mt.tensor([1.0]), mt.tensor([1.1])), (mt.tensor([1]), mt.tensor([2])), (mt.tensor([NAN]), mt.tensor([NAN])),
    (mt.ones(1), mt.ones(1, dtype=mt.float64)), (mt.ones(1), mt.ones(1, 1)), ([1, 2], [1]), ({"a": 1}, {"b": 1}),
    (mt.tensor([200], dtype=mt.uint8), mt.tensor([100], dtype=mt.uint8)), (1, 1.0), (None, 1),
    (mt.tensor([2**60 + 1]), mt.tensor([2**60])), (mt.tensor([float("inf")]), mt.tensor([-float("inf")])),
]


@pytest.mark.parametrize("pair", CLOSE, ids=str)
def test_close(pair) -> None:
    assert_close(*pair)


@pytest.mark.parametrize("pair", APART, ids=str)
def test_apart(pair) -> None:
    with pytest.raises(AssertionError):
        assert_close(*pair)


def test_options() -> None:
    assert_close(mt.tensor([NAN]), mt.tensor([NAN]), equal_nan=True)
    assert_close(mt.ones(1), mt.ones(1, dtype=mt.float64), check_dtype=False)
    assert_close(mt.tensor([1.0]), mt.tensor([1.5]), rtol=0.5, atol=0)
    mt.testing.assert_allclose(mt.tensor([1.0, NAN]), [1.0, NAN])
    with refuses(ValueError, "rtol"):
        assert_close(1, 1, rtol=0.1)
    with refuses(TypeError, "numbers with numbers"):
        assert_close(mt.ones(1), 1.0)
    with refuses(AssertionError, "stride"):
        assert_close(mt.ones(2, 3).mT, mt.ones(3, 2), check_stride=True)
    with refuses(AssertionError, "mine: Tensor"):
        assert_close(mt.zeros(1), mt.ones(1), msg=lambda text: "mine: " + text)


def test_the_message_says_where() -> None:
    with pytest.raises(AssertionError, match=r"1 / 4 \(25.0%\) at \['w'\]\[0\](.|\n)*0.5 at index \(1, 0\)"):
        assert_close({"w": [mt.tensor([[1.0, 2.0], [3.5, 4.0]])]}, {"w": [mt.tensor([[1.0, 2.0], [3.0, 4.0]])]})
