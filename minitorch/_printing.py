"""The text of a tensor: aligned columns, as many digits as its numbers need, and only the corners of large ones."""

from __future__ import annotations

import math

from ._ext import dtype as _dtype

DEFAULTS = {"precision": 4, "threshold": 1000, "edgeitems": 3, "linewidth": 80, "sci_mode": None}
options = dict(DEFAULTS)


def set_printoptions(
    precision: int | None = None,
    threshold: int | None = None,
    edgeitems: int | None = None,
    linewidth: int | None = None,
    profile: str | None = None,
    sci_mode: bool | None = None,
) -> None:
    """How tensors are printed from now on.

    Args:
        precision: digits behind the point, 4 to begin with.
        threshold: more elements than these (1000) are summarised.
        edgeitems: elements shown at each end of a summarised dimension (3).
        linewidth: characters to a line (80).
        profile: ``"default"``, ``"short"`` (2 digits and edges of 2) or ``"full"`` (never summarised).
        sci_mode: always (True) or never (False) use powers of ten; None decides by the values.

    >>> import minitorch
    >>> minitorch.set_printoptions(precision=2)
    >>> minitorch.tensor([1 / 3])
    tensor([0.33])
    >>> minitorch.set_printoptions(profile="default")
    """
    if profile is not None:
        if profile not in ("default", "short", "full"):
            raise ValueError(f"profile must be 'default', 'short' or 'full', not {profile!r}")
        options.update(DEFAULTS)
        if profile == "short":
            options.update(precision=2, edgeitems=2)
        if profile == "full":
            options.update(threshold=math.inf)
    given = {"precision": precision, "threshold": threshold, "edgeitems": edgeitems, "linewidth": linewidth}
    options.update({name: value for name, value in given.items() if value is not None})
    options["sci_mode"] = sci_mode


class Formatter:
    """How the numbers of one tensor are written: all of the same width."""

    def __init__(self, values: list, is_float: bool) -> None:
        self.is_float = is_float
        self.integral = self.scientific = False
        if not is_float:
            self.width = max((len(str(v)) for v in values), default=1)
            return
        # what is 0 or not finite decides nothing
        finite = [v for v in values if math.isfinite(v) and v != 0]
        sizes = [abs(v) for v in finite]
        self.integral = all(v == math.ceil(v) for v in finite)
        if finite:
            largest, smallest = max(sizes), min(sizes)
            tiny = not self.integral and smallest < 1.0e-4
            self.scientific = largest / smallest > 1000.0 or largest > 1.0e8 or tiny
            if options["sci_mode"] is not None:
                self.scientific = options["sci_mode"]
        self.width = max((len(self.write(v)) for v in finite), default=1)

    def write(self, value) -> str:
        if not self.is_float:
            return str(value)
        if self.scientific:
            return f"{value:.{options['precision']}e}"
        if self.integral:
            text = f"{value:.0f}"
            return text if not math.isfinite(value) else text + "."
        return f"{value:.{options['precision']}f}"

    def __call__(self, value) -> str:
        return self.write(value).rjust(self.width)


class ComplexFormatter:
    """Complex numbers: their real and their imaginary parts each written alike."""

    def __init__(self, values: list) -> None:
        self.real = Formatter([v.real for v in values], True)
        self.imag = Formatter([v.imag for v in values], True)
        self.width = self.real.width + self.imag.width + 1

    def __call__(self, value: complex) -> str:
        imag = self.imag(value.imag).lstrip() + "j"
        return self.real(value.real) + ("" if imag[0] in "+-" else "+") + imag


def _vector(values: list, indent: int, formatter: Formatter | ComplexFormatter, size: int) -> str:
    """One row, broken into lines."""
    per_line = max(1, (options["linewidth"] - indent) // (formatter.width + 2))
    texts = [" ..." if v is Ellipsis else formatter(v) for v in values]
    lines = [texts[i : i + per_line] for i in range(0, len(texts), per_line)]
    return "[" + (",\n" + " " * (indent + 1)).join(", ".join(line) for line in lines) + "]"


def _edges(tensor, summarise: bool) -> list:
    """The rows (or values) of a tensor to show, with an Ellipsis in the place of those left out."""
    edge = options["edgeitems"]
    n = len(tensor)
    if not summarise or n <= 2 * edge:
        return list(tensor) if tensor.ndim > 1 else tensor.tolist()
    first, last = tensor[:edge], tensor[n - edge :]
    if tensor.ndim > 1:
        return [*first, Ellipsis, *last]
    return [*first.tolist(), Ellipsis, *last.tolist()]


def _body(tensor, indent: int, summarise: bool, formatter: Formatter | ComplexFormatter) -> str:
    if tensor.ndim == 0:
        return formatter(tensor.item())
    rows = _edges(tensor, summarise)
    if tensor.ndim == 1:
        return _vector(rows, indent, formatter, len(tensor))
    texts = ["..." if row is Ellipsis else _body(row, indent + 1, summarise, formatter) for row in rows]
    return "[" + ("," + "\n" * (tensor.ndim - 1) + " " * (indent + 1)).join(texts) + "]"


def _shown(tensor, summarise: bool) -> list:
    """The values that will be shown, flat."""
    if tensor.ndim == 0:
        return [tensor.item()]
    rows = [row for row in _edges(tensor, summarise) if row is not Ellipsis]
    return rows if tensor.ndim == 1 else [value for row in rows for value in _shown(row, summarise)]


def tensor_text(tensor) -> str:
    """What ``repr`` gives."""
    from ._tensor import stands_in

    prefix = f"{type(tensor).__name__}(" if stands_in(type(tensor)) else "tensor("
    data = tensor.detach().cpu()
    kind, default = tensor.dtype, _dtype.get_default_dtype()
    suffixes = [f"device='{tensor.device}'"] if tensor.is_cuda else []
    if tensor.numel() == 0:
        if tensor.ndim != 1:
            suffixes.append(f"size={tuple(tensor.shape)}")
        if kind is not default:
            suffixes.append(f"dtype={kind}")
        body = "[]"
    else:
        if not (kind in (default, default.to_complex()) or kind.name in ("int64", "bool")):
            suffixes.append(f"dtype={kind}")
        summarise = tensor.numel() > options["threshold"]
        shown = _shown(data, summarise)
        formatter = ComplexFormatter(shown) if kind.is_complex else Formatter(shown, kind.is_floating_point)
        body = _body(data, len(prefix), summarise, formatter)
    node = tensor.grad_fn
    if node is not None:
        suffixes.append(f"grad_fn=<{node.name()}>")
    elif tensor.requires_grad:
        suffixes.append("requires_grad=True")
    text = prefix + body
    line = len(text) - text.rfind("\n") + 1
    for suffix in suffixes:
        if line + len(suffix) + 2 > options["linewidth"]:
            text += ",\n" + " " * len(prefix) + suffix
            line = len(prefix) + len(suffix)
        else:
            text += ", " + suffix
            line += len(suffix) + 2
    return text + ")"


def tensor_html(tensor) -> str:
    """What notebooks show: the text, and the shape and type below it."""
    shape = " × ".join(map(str, tensor.shape)) or "no dimensions"
    from html import escape  # only notebooks ask

    return f"<pre>{escape(repr(tensor))}</pre><small>{shape}, {str(tensor.dtype).rpartition('.')[2]}</small>"


def get_printoptions() -> dict:
    """What `set_printoptions` set."""
    return dict(options)
