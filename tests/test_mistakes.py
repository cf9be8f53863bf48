"""docs/mistakes.md says what minitorch says, and the classes of its exceptions are PyTorch's."""

from __future__ import annotations

import pytest
from helpers import only_here

mistakes = pytest.importorskip("tools.mistakes")
pytestmark = only_here
SAME = {"_LinAlgError": "LinAlgError"}  # names of PyTorch's by those here


@pytest.mark.parametrize("title", mistakes.codes())
def test_the_class_is_pytorchs(title: str) -> None:
    ours = mistakes.answer("minitorch", mistakes.codes()[title]).partition(":")[0]
    theirs = mistakes.pytorch()[title].partition(":")[0]
    assert ours == SAME.get(theirs, theirs)


def test_the_page_is_up_to_date() -> None:
    assert mistakes.PAGE.read_text(encoding="utf-8") == mistakes.page(), "run python -m tools.mistakes"
