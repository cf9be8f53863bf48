"""Break the kernels, one place at a time, and see whether the layers of checks notice.

``python -m tools.mutate_kernels`` deletes each barrier, makes each atomic operation a plain one, moves each comparison
by one and halves each warp mask of ``minitorch/cuda/kernels``, and runs what the kernels are for on each of these
mutants:

* ``check``: in the checking simulator: does it report something, or is a result wrong?
* ``orders``: in the fast simulator, with threads in three orders: is a result wrong?
* ``ptx``: in the PTX interpreter, where NVRTC is installed.

A mutant that no layer notices survives.  Those that compute the same as the original are listed in `EQUIVALENT`, with
the reason.  Every run is a process of its own, with a limit on its time: mutants may run for ever.
"""

from __future__ import annotations

import argparse
import io
import os
import re
import signal
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

LAYERS = ("check", "orders", "ptx")
KINDS = ("barrier", "atomic", "guard", "mask")
SURVIVED, REPORTED, WRONG, FAILED, HUNG = "-", "report", "wrong", "fails", "hangs"
_CODES = {0: SURVIVED, 3: REPORTED, 4: WRONG, 5: FAILED}

_ASKED_AGAIN = "what it lets through is asked for again before anything is stored"
_ONE = "differs for one number in 2^32 only"
EQUIVALENT: dict[tuple[str, str, str, int], str] = {
    ("matmul.cu", "for (int k0 = 0; k0 < p.k; k0 += DEPTH) {", "for (int k0 = 0; k0 <= p.k; k0 += DEPTH) {", 0):
        "one more round, of products with zeros",
    ("softmax.cu", "__syncthreads();", ";", 1): "the last thing that a block does with this memory, as it is used now",
    ("softmax.cu", "template <typename T> __device__ inline T larger(T a, T b) { return a > b || a != a ? a : b; }"
     "     // NaN is largest", "template <typename T> __device__ inline T larger(T a, T b) { return a >= b || a != a ? "
     "a : b; }     // NaN is largest", 0): "of two equal numbers, either is the larger",
    ("random.cu", "while (i < walk.numel) {", "while (i <= walk.numel) {", 0): _ASKED_AGAIN,
    ("random.cu", "while (i < walk.numel) {", "while (i <= walk.numel) {", 1): _ASKED_AGAIN,
    ("random.cu", "for (int k = 0; k < 4; k++)", "for (int k = 0; k <= 4; k++)", 0): _ASKED_AGAIN,
    ("random.cu", "for (int k = 0; k < 4; k++)", "for (int k = 0; k <= 4; k++)", 1): _ASKED_AGAIN,
    ("random.cu", "if (kind == BERNOULLI) y[k] = y[k] <= a;", "if (kind == BERNOULLI) y[k] = y[k] < a;", 0): _ONE,
    ("random.cu", "if (kind == BERNOULLI) y[k] = y[k] <= a;", "if (kind == BERNOULLI) y[k] = y[k] < a;", 1): _ONE,
}  # fmt: skip
"""Mutants that need not be noticed, by file, original line, mutated line, and which of those alike: why."""


@dataclass(frozen=True)
class Mutant:
    """A kernel file with one change."""

    file: str
    kind: str
    line: int
    before: str
    after: str
    text: str = field(repr=False)
    nth: int = 0
    """Of the mutants of this file whose lines read the same."""

    @property
    def excuse(self) -> str | None:
        """Why it need not be noticed."""
        return EQUIVALENT.get((self.file, self.before, self.after, self.nth))


_BARRIER = re.compile(r"__sync(?:threads|warp)\([^;]*?\);")
_ATOMIC = re.compile(r"atomicAdd\((?P<address>(?:[^,()]|\([^()]*\)|\[[^\]]*\])+), (?P<value>[^;]*)\);")
_COMPARISON = re.compile(r"(?<=[\w\])]) (?P<sign><=|>=|<|>) (?=[\w(-])(?!0 \?)")
"""Not that of a number with zero to choose its sign."""
_MASK = re.compile(r"(?<=_sync\()0xffffffffu?\b")
_MOVED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}


def _changes(code: str) -> Iterator[tuple[str, int, int, str]]:
    """Kind, place and replacement of each change to a file, comments blanked."""
    for match in _BARRIER.finditer(code):
        yield "barrier", *match.span(), ";"
    for match in _ATOMIC.finditer(code):
        yield "atomic", *match.span(), f"*({match['address']}) += {match['value']};"
    for match in _COMPARISON.finditer(code):
        head = code[: match.start()].rsplit("\n", 1)[-1]
        if not re.search(r"\btemplate\s*$|\btypename\b[^(]*$", head):
            yield "guard", *match.span("sign"), _MOVED[match["sign"]]
    for match in _MASK.finditer(code):
        yield "mask", *match.span(), "0x0000ffff"


def mutants(file: str, text: str) -> list[Mutant]:
    """All mutants of a kernel file, in the order of their lines.

    >>> [(m.kind, m.after) for m in mutants("k.cu", "if (i < n) x[i] = 0; // i < n")]
    [('guard', 'if (i <= n) x[i] = 0; // i < n')]
    """
    from minitorch.cuda.simulator.source import without_comments

    found = []
    for kind, start, end, new in _changes(without_comments(text)):
        changed = text[:start] + new + text[end:]
        line = text.count("\n", 0, start)
        found.append(Mutant(file, kind, line + 1, text.split("\n")[line].strip(), changed.split("\n")[line].strip(),
                            changed))  # fmt: skip
    found.sort(key=lambda m: m.line)
    seen: Counter[tuple[str, str]] = Counter()
    numbered = []
    for mutant in found:
        numbered.append(replace(mutant, nth=seen[mutant.before, mutant.after]))
        seen[mutant.before, mutant.after] += 1
    return numbered


# ---- what the kernels of a family are for; whole numbers, so that an order of additions does not matter


def _whole(*shape: int, dtype: Any = None, seed: int = 0) -> Any:
    import minitorch

    values = np.random.default_rng(seed).integers(-4, 5, shape).astype(np.float32)
    tensor = minitorch.from_numpy(values).cuda()
    return tensor if dtype is None else tensor.to(dtype)


def _copies() -> Iterator[Any]:
    import minitorch as mt

    x = _whole(5, 7, 3)
    yield x.permute(2, 0, 1).contiguous()
    yield x[1:4, ::2].contiguous()
    for dtype in (mt.bool, mt.uint8, mt.int16, mt.int64, mt.float16, mt.bfloat16, mt.float64):
        y = x.abs().to(dtype)
        yield y
        yield y.permute(1, 2, 0).to(mt.float32)
        yield y.expand(2, 5, 7, 3).contiguous()
    yield mt.full((3, 300), 2.5, device="cuda")
    z = mt.zeros(4, 9, device="cuda")
    z[:, 2:5] = 7
    yield z


def _products() -> Iterator[Any]:
    import minitorch as mt

    for m, n, k in ((5, 3, 4), (65, 66, 17), (64, 64, 16), (1, 70, 33)):
        a, b = _whole(m, k, seed=1), _whole(k, n, seed=2)
        yield a @ b
        yield _whole(k, m, seed=3).mT @ _whole(n, k, seed=4).mT
        yield mt.addmm(_whole(n, seed=5), a, b, alpha=2)
    yield _whole(2, 3, 5, 6) @ _whole(3, 6, 4)
    yield _whole(7, 9, dtype=mt.float64) @ _whole(9, 8, dtype=mt.float64)
    yield _whole(7, 9, dtype=mt.float16) @ _whole(9, 8, dtype=mt.float16)


def _random() -> Iterator[Any]:
    import minitorch as mt

    mt.manual_seed(3)
    for n in (1, 255, 1025):
        yield mt.rand(n, device="cuda")
        yield mt.randn(n, device="cuda")
        yield mt.randn(n, device="cuda", dtype=mt.float64)
        yield mt.randint(-5, 9, (n,), device="cuda")
    for n in (77, 600_001):  # more than two for each thread of the largest grid
        yield mt.randint(0, 1 << 40, (n,), device="cuda")
        yield mt.rand(n, device="cuda", dtype=mt.float64)
    yield mt.empty(3, 33, device="cuda").bernoulli_(0.4)


def _reductions() -> Iterator[Any]:
    import minitorch as mt

    for shape in ((5, 7, 3), (3, 700), (1, 9000)):
        x = _whole(*shape)
        for dim in (0, -1, None):
            yield x.sum(dim)
            yield x.amax(dim) if dim is not None else x.max()
            yield x.var(dim, correction=0)
        yield x.argmin(-1)
        yield x.to(mt.int64).sum(0)
        yield x.logsumexp(0)
    yield (_whole(4, 33) > 3).any(1)
    yield _whole(4, 33, dtype=mt.float64).prod(1)


def _softmax() -> Iterator[Any]:
    for shape in ((3, 5), (2, 700), (4, 33, 2)):
        x = _whole(*shape).requires_grad_(True)
        y = x.softmax(1)
        yield y
        yield x.log_softmax(1)
        y.backward(_whole(*shape, seed=1))
        yield x.grad


def _pointwise() -> Iterator[Any]:
    import minitorch as mt

    x, y = _whole(5, 1, 13), _whole(7, 13, seed=1)
    yield x + y
    yield (x * 2).relu()
    yield x.to(mt.int64) * 3 - 1
    yield mt.where(x > 0, x, 0.5)
    z = _whole(131).requires_grad_(True)
    (z * z).backward(mt.ones_like(z))
    yield z.grad


WORK: dict[str, Callable[[], Iterator[Any]]] = {
    "common.cuh": lambda: (yield from (*_copies(), *_pointwise(), *_products())),
    "copy.cu": _copies,
    "matmul.cu": _products,
    "random.cu": _random,
    "reduce.cu": _reductions,
    "softmax.cu": _softmax,
}
"""By kernel file: tensors that its kernels make."""


def _results(file: str) -> list[np.ndarray]:
    import minitorch as mt

    values = []
    for tensor in WORK[file]():
        tensor = tensor.detach().cpu()
        values.append((tensor.float() if tensor.dtype in (mt.bfloat16, mt.float16) else tensor).numpy())
    return values


# ---- running a mutant


def _start(layer: str, mutant: Mutant | None) -> None:
    """In a fresh process: choose the run time, and put the mutant in the place of its file."""
    from minitorch.cuda import kernels

    os.environ["MINITORCH_CUDA"] = {"check": "sim-check", "orders": "sim", "ptx": "ptx"}[layer]
    if mutant is None:
        return
    original = kernels._text
    changed = f'#line 1 "{mutant.file}"\n{mutant.text}'
    kernels._text = lambda name: changed if name == mutant.file else original(name)


def _orders(layer: str) -> Sequence[str]:
    return ("forward", "reverse", "random") if layer == "orders" else ("",)


def _run(file: str, layer: str, mutant: Mutant | None, expected: list[np.ndarray] | None) -> tuple[int, bytes]:
    """A process's exit code and what it has to tell."""
    from minitorch.cuda.runtime import CompileError, KernelError, active

    _start(layer, mutant)
    for order in _orders(layer):
        try:
            if order:
                active().set_schedule(order)  # type: ignore[attr-defined]
            results = _results(file)
        except (CompileError, KernelError) as error:
            return 3, str(error).encode()
        if expected is None:
            buffer = io.BytesIO()
            np.savez(buffer, *results)
            return 0, buffer.getvalue()
        for got, want in zip(results, expected, strict=True):
            if not np.array_equal(got, want, equal_nan=got.dtype.kind == "f"):
                return 4, b""
    return 0, b""


def _in_process(limit: int, work: Callable[[], tuple[int, bytes]]) -> tuple[str, bytes]:
    """Do something in a child, which ends after `limit` seconds; the verdict and what it told."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(limit)
        code, told = 5, b""
        try:
            code, told = work()
        except Exception as error:  # whatever a mutant does, it is noticed
            told = repr(error).encode()
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(told)
        os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    status = os.waitpid(child, 0)[1]
    if os.WIFSIGNALED(status):
        return (HUNG if os.WTERMSIG(status) == signal.SIGALRM else FAILED), told
    return _CODES.get(os.WEXITSTATUS(status), FAILED), told


def expected_results(file: str, layer: str = "orders") -> list[np.ndarray]:
    """What the unchanged kernels give.

    Raises:
        RuntimeError: if they fail.
    """
    verdict, told = _in_process(600, lambda: _run(file, layer, None, None))
    if verdict != SURVIVED:
        raise RuntimeError(f"{file}: the unchanged kernels fail in {layer}: {told.decode(errors='replace')[:2000]}")
    stored = np.load(io.BytesIO(told))
    return [stored[name] for name in stored.files]


def judge(mutant: Mutant, layers: Sequence[str], expected: dict[str, list[np.ndarray]], limit: int) -> dict[str, str]:
    """What each layer says of a mutant; the rest is not asked once one has noticed it."""
    verdicts = {}
    for layer in layers:
        verdict, _ = _in_process(limit, lambda layer=layer: _run(mutant.file, layer, mutant, expected[layer]))
        verdicts[layer] = verdict
        if verdict != SURVIVED:
            break
    return verdicts


def has_ptx() -> bool:
    """Whether NVRTC is there, which makes PTX."""
    import importlib.util

    return importlib.util.find_spec("minitorch.cuda.simulator.ptx_runtime") is not None and (
        _in_process(60, lambda: _run("copy.cu", "ptx", None, None))[0] == SURVIVED
    )


def selection(files: Sequence[str], kinds: Sequence[str], every: int) -> list[Mutant]:
    """Every so many-th mutant of these files and kinds."""
    from minitorch.cuda import kernels

    found: list[Mutant] = []
    for file in files:
        found += [m for m in mutants(file, (kernels.HERE / file).read_text()) if m.kind in kinds]
    return found[::every]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print a line a mutant and a summary; 1 if a mutant survives that has no excuse."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("files", nargs="*", default=list(WORK), help=f"of {', '.join(WORK)}")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--layers", default="")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th mutant")
    parser.add_argument("--limit", type=int, default=120, help="seconds a mutant may take")
    options = parser.parse_args(arguments)
    layers = options.layers.split(",") if options.layers else [*LAYERS[:2], *(["ptx"] if has_ptx() else [])]
    counts: dict[str, list[int]] = {}
    survivors = []
    for file in options.files:
        expected = {layer: expected_results(file, layer) for layer in layers}
        for mutant in selection([file], options.kinds.split(","), options.every):
            verdicts = judge(mutant, layers, expected, options.limit)
            caught = any(verdict != SURVIVED for verdict in verdicts.values())
            excused = not caught and mutant.excuse is not None
            count = counts.setdefault(mutant.kind, [0, 0, 0])
            count[0] += caught
            count[1] += excused
            count[2] += 1
            if not caught and not excused:
                survivors.append(mutant)
            words = " ".join(f"{layer}={verdict}" for layer, verdict in verdicts.items())
            print(f"{file}:{mutant.line:<4d} {mutant.kind:8s} {words:32s} {mutant.after}", flush=True)
    for kind, (caught, excused, total) in counts.items():
        print(f"{kind}: {caught} of {total - excused} noticed" + (f", {excused} equivalent" if excused else ""))
    for mutant in survivors:
        print(f"SURVIVED {mutant.file}:{mutant.line} {mutant.kind}: {mutant.before}  ->  {mutant.after}")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())
