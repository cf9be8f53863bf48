"""The page of supported names is what the code says today, and what it says is true."""

from __future__ import annotations

import re
from functools import reduce

import pytest
from helpers import mt, only_here

supported = pytest.importorskip("tools.supported")
pytestmark = only_here


def rows() -> list[tuple[str, str, str]]:
    return re.findall(r"^\| `([^`]+)` \| (yes|no) \| (.*) \|$", supported.PAGE.read_text(encoding="utf-8"), re.M)


def test_the_page_is_up_to_date() -> None:
    assert supported.PAGE.read_text(encoding="utf-8") == supported.page(), "write it anew: python -m tools.supported"


def test_names_that_are_there_can_be_reached() -> None:
    """By attributes and imports alone."""
    for name, there, _ in rows():
        if there == "no":
            continue
        head, _, last = name.rpartition(".")
        for owner in (head or "torch").split("/"):
            parts = (["optim", owner] if owner == "Optimizer" else owner.split("."))
            parts = parts[1:] if parts[0] == "torch" else parts
            for k in range(1, len(parts) + 1):
                try:
                    __import__(f"minitorch.{'.'.join(parts[:k])}")
                except ImportError:
                    break
            holder = reduce(getattr, parts, mt)
            try:
                getattr(holder, last)
            except AttributeError:
                __import__(f"minitorch.{'.'.join([*parts, last])}")


def test_most_of_what_is_used_most_is_there() -> None:
    first = [there for name, there, why in rows()[:400] if why not in supported.OUTSIDE]
    assert first.count("yes") >= 0.98 * len(first)


def test_stubs_are_found_out() -> None:
    assert supported.is_stub(mt.Tensor.chalf)
    assert not supported.is_stub(mt.Tensor.cfloat)
    assert supported.lacking(mt.special.bessel_j0, ["input", "out", "more"]) == ["more"]
