"""Finding where a NaN or an error of the backward comes from: the line of the forward that made the node."""

from __future__ import annotations

import contextlib
import sys
import traceback
import warnings
from collections.abc import Iterator
from types import FrameType
from typing import Any, ClassVar

from .._ext import dispatch
from .._ext.tape import _watch_derivatives
from .._ext.tensor import _storage_id, _watch_nodes
from .._tensor import Tensor
from ..utils._pytree import tree_leaves

__all__ = ["detect_anomaly", "is_anomaly_check_nan_enabled", "is_anomaly_enabled", "set_detect_anomaly"]

DEPTH = 12  # frames to remember of each node


class _State:
    """Whether the mode is on, and what it remembers."""

    enabled = False
    check_nan = True
    evaluating: ClassVar[list[Any]] = []  # nodes whose derivative is being computed
    changes: ClassVar[dict[int, tuple[str, str]]] = {}  # storage -> which operation changed it last, and where


def is_anomaly_enabled() -> bool:
    """Whether anomaly mode is on."""
    return _State.enabled


def is_anomaly_check_nan_enabled() -> bool:
    """Whether anomaly mode looks for NaN."""
    return _State.check_nan


def _place(frame: FrameType | None, depth: int = DEPTH) -> traceback.StackSummary:
    """The lines that led to a frame, without those of the library itself above it."""
    while frame is not None and frame.f_globals.get("__name__", "").startswith("minitorch."):
        frame = frame.f_back
    found = traceback.StackSummary.extract(traceback.walk_stack(frame), limit=depth, lookup_lines=False)
    found.reverse()
    return found


def _note(node: Any) -> None:
    """Remember where a node was made."""
    node.metadata["traceback_"] = _place(sys._getframe(1))
    if _State.evaluating:
        node.metadata["parent_"] = _State.evaluating[-1]


def _told(node: Any) -> str:
    """Where a node was made, and in the backward of which other, in words."""
    place = node.metadata.get("traceback_")
    if place is None:
        return (f"No forward pass information available for {node.name()}. Enable detect anomaly during forward pass "
                "for more information.")  # fmt: skip
    text = (
        f"Error detected in {node.name()}. Traceback of forward call that caused the error:\n{''.join(place.format())}"
    )
    parent = node.metadata.get("parent_")
    if parent is not None and parent.metadata.get("traceback_") is not None:
        text += (f"Previous calculation was induced by {parent.name()}. Traceback of forward call that induced the "
                 f"previous calculation:\n{''.join(parent.metadata['traceback_'].format())}")  # fmt: skip
    return text


@contextlib.contextmanager
def _watch(node: Any) -> Iterator[Any]:
    """Around the derivative of a node."""

    def check(grads: list[Tensor | None]) -> None:
        if _State.check_nan:
            for k, g in enumerate(grads):
                if g is not None and g.dtype.is_floating_point and bool(g.detach().isnan().any()):
                    raise RuntimeError(f"Function '{node.name()}' returned nan values in its {k}th output.")

    _State.evaluating.append(node)
    try:
        yield check
    except Exception:
        warnings.warn(_told(node), stacklevel=3)
        raise
    finally:
        _State.evaluating.pop()


def _changed(storage: int) -> str:
    """For the error about a saved value that was changed: by what, and where."""
    if storage not in _State.changes:
        return ""
    name, place = _State.changes[storage]
    return f". It was changed by {name}, called here:\n{place}"


def _hear(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Each operation of the forward: note what it changes in place, and look for new NaN."""
    name = getattr(function, "__name__", str(function))
    if name in ("apply_function", "tensor_backward", "backward", "grad"):  # what they call is looked at itself
        dispatch.push(_hear, True)
        try:
            return dispatch.unheard(function, args, kwargs)
        finally:
            dispatch.remove(_hear, True)
    result = function(*args, **kwargs)
    in_place = (name.endswith("_") and not name.startswith("_")) or name in IN_PLACE
    if in_place and args and isinstance(args[0], Tensor):
        place = "".join(_place(sys._getframe(1), 3).format())
        _State.changes[_storage_id(args[0])] = (name, place)
    if _State.check_nan and name not in UNCHECKED:
        outputs = [t for t in tree_leaves(result) if isinstance(t, Tensor) and t.dtype.is_floating_point]
        if any(bool(t.detach().isnan().any()) for t in outputs):
            inputs = [t for t in tree_leaves((args, kwargs)) if isinstance(t, Tensor) and t.dtype.is_floating_point]
            if not any(bool(t.detach().isnan().any()) for t in inputs):
                place = "".join(_place(sys._getframe(1), 3).format())
                warnings.warn(f"{name}() returned nan values from inputs that have none, in the forward pass:\n{place}",
                              stacklevel=3)  # fmt: skip
    return result


IN_PLACE = {"iadd", "isub", "imul", "itruediv", "ifloordiv", "imod", "ipow", "setitem"}
UNCHECKED = {"empty", "empty_like", "new_empty", "resize_", "set_"}  # whatever the memory held


class set_detect_anomaly:
    """Turn anomaly mode on or off, from now on or inside a ``with``; see `detect_anomaly`."""

    def __init__(self, mode: bool, check_nan: bool = True) -> None:
        self.before = (_State.enabled, _State.check_nan)
        _switch(mode, check_nan)

    def __enter__(self) -> None:
        pass

    def __exit__(self, *exception: object) -> None:
        _switch(*self.before)


def _switch(mode: bool, check_nan: bool) -> None:
    if mode and not _State.enabled:
        _watch_nodes(_note, _changed)
        _watch_derivatives(_watch, True)
        dispatch.push(_hear, True)
    elif not mode and _State.enabled:
        dispatch.remove(_hear, True)
        _watch_derivatives(_watch, False)
        _watch_nodes(None, None)
        _State.changes.clear()
    _State.enabled, _State.check_nan = mode, check_nan


class detect_anomaly(set_detect_anomaly):
    """Inside, an error or NaN of the backward is reported with the line of the forward that it belongs to.

    A NaN that an operation of the forward makes of inputs without any is warned about with its line, and the error
    about a saved value that was changed in place names the operation that changed it.  It costs much time: use it
    to find a mistake, not to train.

    Args:
        check_nan: look for NaN; otherwise only errors are reported.

    >>> import minitorch, warnings
    >>> x = minitorch.tensor(0., requires_grad=True)
    >>> with warnings.catch_warnings(), minitorch.autograd.detect_anomaly():
    ...     warnings.simplefilter("ignore")
    ...     (x.sqrt() * 0).backward()
    Traceback (most recent call last):
        ...
    RuntimeError: Function 'SqrtBackward0' returned nan values in its 0th output.
    """

    def __init__(self, check_nan: bool = True) -> None:
        self.check_nan = check_nan
        warnings.warn("Anomaly Detection has been enabled. This mode will increase the runtime and should only be "
                      "enabled for debugging.", stacklevel=2)  # fmt: skip

    def __enter__(self) -> None:
        super().__init__(True, self.check_nan)
