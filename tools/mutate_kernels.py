"""Break the kernels, one place at a time, and see whether the layers of checks notice.

``python -m tools.mutate_kernels`` deletes each barrier, makes each atomic operation a plain one, moves each comparison
by one, turns each equality round and halves each warp mask of ``minitorch/cuda/kernels``, and runs what the kernels are
for (`tools.kernel_work`) on each of these mutants:

* ``check``: in the checking simulator: does it report something, or is a result not the CPU's?
* ``orders``: in the fast simulator, with threads in three orders: is a result wrong?
* ``ptx``: in the PTX interpreter, where NVRTC is installed.

A mutant that no layer notices survives.  Those of which that is known are listed with the reason, most often that they
compute the same, in ``survivors.tsv``; any other is an error.  Every run is a process of its own, with a limit on its
time: mutants may run for ever.
"""

from __future__ import annotations

import argparse
import functools
import io
import os
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from tools.kernel_work import WORK, differs, launched, results

LAYERS = ("check", "orders", "ptx")
KINDS = ("barrier", "atomic", "guard", "equality", "mask")
SURVIVED, REPORTED, WRONG, FAILED, HUNG = "-", "report", "wrong", "fails", "hangs"
_CODES = {0: SURVIVED, 3: REPORTED, 4: WRONG, 5: FAILED}
SURVIVORS = Path(__file__).with_name("survivors.tsv")


@functools.cache
def survivors() -> dict[tuple[str, str, str, int], str]:
    """Mutants that need not be noticed, by file, original line, mutated line, and which of those alike: why."""
    lines = SURVIVORS.read_text(encoding="utf-8").splitlines()[1:]
    cells = [line.split("\t") for line in lines]
    return {(file, before, after, int(nth)): why for file, nth, before, after, why in cells}


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
        return survivors().get((self.file, self.before, self.after, self.nth))


_BARRIER = re.compile(r"__sync(?:threads|warp)\([^;]*?\);")
_ARGUMENT = r"(?:[^,()]|\([^()]*\)|\[[^\]]*\])+"
_ATOMIC = re.compile(rf"atomic(?P<what>Add|Min|Max)\((?P<address>{_ARGUMENT}), (?P<value>[^;]*)\);")
_EXCHANGE = re.compile(rf"atomicCAS\((?P<address>{_ARGUMENT}), (?P<old>{_ARGUMENT}), (?P<new>[^;]*)\)(?=[,;])")
_COMPARISON = re.compile(r"(?<=[\w\])]) (?P<sign><=|>=|<|>) (?=[\w(-])(?!0 \?)")
"""Not that of a number with zero to choose its sign."""
_EQUALITY = re.compile(r"(?<=[\w\])]) (?P<sign>==|!=) (?=[\w(*~-])")
_MASK = re.compile(r"(?<=_sync\()0xffffffffu?\b")
_MOVED = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": "!=", "!=": "=="}
_PLAIN = {"Add": "*({0}) += {1};", "Min": "if (*({0}) > {1}) *({0}) = {1};", "Max": "if (*({0}) < {1}) *({0}) = {1};"}


def _changes(code: str) -> Iterator[tuple[str, int, int, str]]:
    """Kind, place and replacement of each change to a file, comments blanked."""
    for match in _BARRIER.finditer(code):
        yield "barrier", *match.span(), ";"
    for match in _ATOMIC.finditer(code):
        yield "atomic", *match.span(), _PLAIN[match["what"]].format(match["address"], match["value"])
    for match in _EXCHANGE.finditer(code):
        at, old, new = match["address"], match["old"], match["new"]
        yield "atomic", *match.span(), f"(*{at} == {old} ? (*{at} = {new}, {old}) : *{at})"
    for match in _COMPARISON.finditer(code):
        head = code[: match.start()].rsplit("\n", 1)[-1]
        if not re.search(r"\btemplate\s*$|\btypename\b[^(]*$", head):
            yield "guard", *match.span("sign"), _MOVED[match["sign"]]
    for match in _EQUALITY.finditer(code):
        yield "equality", *match.span("sign"), _MOVED[match["sign"]]
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
    kernels.source.cache_clear()
    kernels.pointwise_source.cache_clear()


def _orders(layer: str) -> Sequence[str]:
    return ("forward", "reverse", "random") if layer == "orders" else ("",)


def _packed(found: Iterator[tuple[str, np.ndarray]]) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **dict(found))
    return buffer.getvalue()


def _run(file: str, layer: str, mutant: Mutant | None, expected: dict[str, np.ndarray]) -> tuple[int, bytes]:
    """A process's exit code and what it has to tell."""
    from minitorch.cuda.runtime import CompileError, KernelError, active

    _start(layer, mutant)
    for order in _orders(layer):
        try:
            if order:
                active().set_schedule(order)  # type: ignore[attr-defined]
            wrong = differs(file, expected)
        except (CompileError, KernelError) as error:
            return 3, str(error).encode()
        if wrong is not None:
            return 4, f"result {wrong} is wrong {order}".encode()
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


def expected_results(file: str) -> dict[str, np.ndarray]:
    """What the CPU makes; of random numbers, what the unchanged kernels make.

    Raises:
        RuntimeError: if they fail.
    """
    if file != "random.cu":
        return dict(results(file, "cpu"))

    def unchanged() -> tuple[int, bytes]:
        _start("orders", None)
        return 0, _packed(results(file, "cuda"))

    verdict, told = _in_process(600, unchanged)
    if verdict != SURVIVED:
        raise RuntimeError(f"{file}: the unchanged kernels fail: {told.decode(errors='replace')[:2000]}")
    return dict(np.load(io.BytesIO(told)))


def examine(file: str, layer: str, mutant: Mutant | None, expected: dict[str, np.ndarray],
            limit: int = 300) -> tuple[str, str]:  # fmt: skip
    """What a layer says of a mutant, or of the unchanged kernels, and in what words."""
    verdict, told = _in_process(limit, lambda: _run(file, layer, mutant, expected))
    return verdict, told.decode(errors="replace")


def launches(file: str) -> set[str]:
    """The kernels that a file's work launches, without the arguments of templates."""

    def run() -> tuple[int, bytes]:
        _start("orders", None)
        return 0, " ".join(launched(file)).encode()

    return set(_in_process(300, run)[1].decode().split())


def judge(mutant: Mutant, layers: Sequence[str], expected: dict[str, np.ndarray], limit: int) -> dict[str, str]:
    """What each layer says of a mutant; the rest is not asked once one has noticed it."""
    verdicts = {}
    for layer in layers:
        verdicts[layer], _ = examine(mutant.file, layer, mutant, expected, limit)
        if verdicts[layer] != SURVIVED:
            break
    return verdicts


def has_ptx() -> bool:
    """Whether NVRTC is there, which makes PTX."""
    from minitorch.cuda import nvrtc

    return nvrtc.problem() is None


def selection(files: Sequence[str], kinds: Sequence[str], every: int) -> list[Mutant]:
    """Every so many-th mutant of these files and kinds."""
    from minitorch.cuda import kernels

    found: list[Mutant] = []
    for file in files:
        found += [m for m in mutants(file, (kernels.HERE / file).read_text()) if m.kind in kinds]
    return found[::every]


def _survey(files: Sequence[str], kinds: Sequence[str], layers: Sequence[str], every: int) -> list[Mutant]:
    """Judge mutants, print a line for each and a summary; those that survive without a known reason."""
    counts: dict[str, Counter[str]] = {}
    unknown = []
    for file in files:
        expected, start = expected_results(file), time.monotonic()
        for layer in layers:
            verdict, told = examine(file, layer, None, expected)
            if verdict != SURVIVED:
                raise RuntimeError(f"{file}: the unchanged kernels fail in {layer}: {told[:2000]}")
        limit = 20 + 2 * int(time.monotonic() - start)
        for mutant in selection([file], kinds, every):
            verdicts = judge(mutant, layers, expected, limit)
            layer, verdict = list(verdicts.items())[-1]
            count = counts.setdefault(mutant.kind, Counter())
            count[layer if verdict != SURVIVED else "known" if mutant.excuse else "unknown"] += 1
            if verdict == SURVIVED and not mutant.excuse:
                unknown.append(mutant)
            words = " ".join(f"{layer}={verdict}" for layer, verdict in verdicts.items())
            print(f"{file}:{mutant.line:<4d} {mutant.kind:8s} {words:32s} {mutant.after}", flush=True)
    columns = (*layers, "known", "unknown")
    print("\t".join(["kind", "mutants", *columns]))
    for kind, count in counts.items():
        print("\t".join([kind, str(count.total()), *(str(count[column]) for column in columns)]))
    return unknown


def main(arguments: Sequence[str] | None = None) -> int:
    """Run, print a line a mutant and a summary; 1 if a mutant survives for no known reason."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("files", nargs="*", default=list(WORK), help=f"of {', '.join(WORK)}")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--layers", default="")
    parser.add_argument("--every", type=int, default=1, help="only each so many-th mutant")
    options = parser.parse_args(arguments)
    layers = options.layers.split(",") if options.layers else LAYERS if has_ptx() else LAYERS[:2]
    with tempfile.TemporaryDirectory() as directory:
        os.environ["MINITORCH_CACHE_DIR"] = directory  # nobody needs the compiled mutants again
        unknown = _survey(options.files, options.kinds.split(","), layers, options.every)
    for mutant in unknown:
        print("\t".join(["SURVIVED", mutant.file, str(mutant.nth), mutant.before, mutant.after]))
    return 1 if unknown else 0


if __name__ == "__main__":
    sys.exit(main())
