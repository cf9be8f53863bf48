"""What each CUDA kernel needs on each architecture, as NVRTC says without a GPU: a table that is kept and compared.

    python -m tools.kernel_table               compile what has changed, and write the table
    python -m tools.kernel_table --written     the same, but only what is written by hand
    python -m tools.kernel_table --check 100   compare, compiling again for 100 seconds what is there

The table, ``tests/cuda/kernel_table.tsv``, has a line for each module with the digest of what was compiled, and
under it a line for each kernel: bytes of shared memory, of stack and of spills, and registers on each architecture. A
module whose digest is the text's is not compiled again. The modules of a pointwise operation, which are printed, one
for each type that it computes in, have one line together, of the most that any of their kernels needs: they are
hundreds of modules and thousands of kernels, and compiling all takes half an hour.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import sys
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from minitorch.cuda import kernels, nvrtc

TABLE = Path(__file__).parents[1] / "tests" / "cuda" / "kernel_table.tsv"


@dataclass(frozen=True)
class Row:
    """A kernel: of stack and spills the most that any architecture needs, and the registers on each."""

    kernel: str
    shared: int
    stack: int
    spills: int
    registers: tuple[int, ...]

    def __str__(self) -> str:
        return "\t".join(map(str, ("", self.kernel, self.shared, self.stack, self.spills, *self.registers)))


@dataclass(frozen=True)
class Module:
    """A module of the library, as `kernels.instances` gives it."""

    name: str
    source: str
    names: tuple[str, ...]

    @property
    def printed(self) -> bool:
        """Whether it is of the pointwise operations, whose kernels are printed."""
        return self.name.startswith("pointwise ")

    @property
    def digest(self) -> str:
        """Of all that the compiler's answer depends on."""
        folders = [Path(option[2:]) for option in kernels.OPTIONS if self.printed]  # the others include nothing
        headers = [path.read_text() for folder in folders for path in sorted(folder.glob("*fun*.h"))]
        parts = [self.source, *self.names, *map(str, nvrtc.ARCHITECTURES), *nvrtc.options(0), VERSION, *headers]
        return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]

    def compile(self, architecture: int) -> dict[str, nvrtc.Usage]:
        """Each kernel's needs, by its name in the source."""
        compiled = nvrtc.compile(self.source, self.names, architecture, kernels.OPTIONS)
        expressions = {lowered: name for name, lowered in compiled.names.items()}
        return {expressions.get(name, name): usage for name, usage in sorted(compiled.usage.items())}

    def rows(self) -> list[Row]:
        """Its lines of the table."""
        usages = [self.compile(architecture) for architecture in nvrtc.ARCHITECTURES]
        return [
            Row(name, *(max(getattr(usage[name], what) for usage in usages) for what in ("shared", "stack", "spills")),
                tuple(usage[name].registers for usage in usages))
            for name in usages[0]
        ]  # fmt: skip


VERSION = "12.9"  # the NVRTC that the table is of; another one may use other registers
WORST = "*"  # the kernel of a line that is for all kernels of an entry


@dataclass(frozen=True)
class Entry:
    """What has a digest in the table: a module, or those of a pointwise operation."""

    name: str
    modules: tuple[Module, ...]

    @property
    def printed(self) -> bool:
        """Whether it is of a pointwise operation."""
        return self.modules[0].printed

    @property
    def digest(self) -> str:
        """Of all of its modules."""
        digests = [module.digest for module in self.modules]
        return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()[:16]

    def rows(self) -> list[Row]:
        """Its lines of the table."""
        rows = [row for module in self.modules for row in module.rows()]
        if not self.printed:
            return rows
        most = [max(row.shared for row in rows), max(row.stack for row in rows), max(row.spills for row in rows)]
        return [Row(WORST, *most, tuple(max(each) for each in zip(*(row.registers for row in rows))))]


def entries() -> list[Entry]:
    """All of the library."""
    found: dict[str, list[Module]] = {}
    for instance in kernels.instances():
        module = Module(*instance)
        found.setdefault(module.name.rpartition(" ")[0] if module.printed else module.name, []).append(module)
    return [Entry(name, tuple(modules)) for name, modules in found.items()]


def read(path: Path = TABLE) -> dict[str, tuple[str, list[Row]]]:
    """The table: digest and rows by entry."""
    found: dict[str, tuple[str, list[Row]]] = {}
    rows: list[Row] = []
    for line in path.read_text(encoding="utf-8").splitlines()[1:] if path.exists() else ():
        cells = line.split("\t")
        if cells[0]:
            rows = []
            found[cells[0]] = cells[1], rows
        else:
            shared, stack, spills, *registers = map(int, cells[2:])
            rows.append(Row(cells[1], shared, stack, spills, tuple(registers)))
    return found


def write(table: dict[str, tuple[str, list[Row]]], path: Path = TABLE) -> None:
    """The table, in the order of names."""
    lines = ["\t".join(["module", "kernel", "shared", "stack", "spills", *(f"sm_{a}" for a in nvrtc.ARCHITECTURES)])]
    for name, (digest, rows) in sorted(table.items()):
        lines += [f"{name}\t{digest}", *map(str, rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


def stale(table: dict[str, tuple[str, list[Row]]], all_entries: Iterable[Entry]) -> list[Entry]:
    """The entries whose lines are missing or of another text."""
    return [entry for entry in all_entries if table.get(entry.name, ("", []))[0] != entry.digest]


def excesses(module: Module, rows: Sequence[Row], index: int, usages: dict[str, nvrtc.Usage]) -> Iterator[str]:
    """How a module exceeds its lines of the table on an architecture."""
    known = {row.kernel: row for row in rows}
    for name, usage in usages.items():
        where = f"{module.name}: {name} on sm_{nvrtc.ARCHITECTURES[index]}"
        row = known.get(name) or known.get(WORST)
        if row is None:
            yield f"{where} is not in the table"
            continue
        for what, most in (("registers", row.registers[index]), ("stack", row.stack), ("spills", row.spills),
                           ("shared", row.shared)):
            if getattr(usage, what) > most:
                yield f"{where}: {what} {getattr(usage, what)}, may be {most}"


def check(seconds: float, seed: int | None = None) -> tuple[list[str], str]:
    """What is wrong (entries that the table lacks; kernels that exceed it, of those that there was time to compile,
    changed ones first), and what was looked at."""
    table, all_entries = read(), entries()
    names = {entry.name for entry in all_entries}
    problems = [f"{name} is not in the table" for name in sorted(names - set(table))]
    problems += [f"{name} is in the table and no module any more" for name in table if name not in names]
    changed = {entry.name for entry in stale(table, all_entries)}
    end, done = time.monotonic() + seconds, 0
    order = [(entry, module, k) for entry in all_entries if entry.name in table for module in entry.modules
             for k in range(len(nvrtc.ARCHITECTURES))]  # fmt: skip
    random.Random(seed).shuffle(order)
    for entry, module, k in sorted(order, key=lambda each: each[0].name not in changed or each[0].printed):
        if time.monotonic() > end:
            break
        problems += excesses(module, table[entry.name][1], k, module.compile(nvrtc.ARCHITECTURES[k]))
        done += 1
    return problems, (f"{len(all_entries)} entries, {len(changed)} changed since the table was made; "
                      f"{done} compilations compared with it")


def update(jobs: int, written: bool) -> None:
    """Compile what is out of date, writing the table from time to time."""
    table, all_entries = read(), entries()
    names = {entry.name for entry in all_entries}
    table = {name: lines for name, lines in table.items() if name in names}
    todo = [entry for entry in stale(table, all_entries) if not (written and entry.printed)]
    with ThreadPoolExecutor(jobs) as pool:
        for done, (entry, rows) in enumerate(zip(todo, pool.map(Entry.rows, todo)), 1):
            table[entry.name] = entry.digest, rows
            heavy = [row.kernel for row in rows if row.spills or row.stack or max(row.registers) > 128]
            print(f"{done}/{len(todo)} {entry.name}" + (f": look at {', '.join(heavy)}" if heavy else ""), flush=True)
            if done % 10 == 0:
                write(table)
    write(table)


def main(arguments: list[str] | None = None) -> int:
    """Do what the command line says; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.kernel_table", description=__doc__.partition("\n")[0])
    parser.add_argument("--check", type=float, metavar="SECONDS", help="compare instead of writing")
    parser.add_argument("--written", action="store_true", help="leave out the printed modules")
    parser.add_argument("--jobs", type=int, default=2, help="compilations at a time (%(default)s)")
    options = parser.parse_args(arguments)
    problem = nvrtc.problem()
    if problem is None and nvrtc.version() != VERSION:
        problem = f"the table is of NVRTC {VERSION}, and this is {nvrtc.version()}: {nvrtc.INSTALL}"
    if problem is not None:
        print(problem)
        return 1
    if options.check is None:
        update(options.jobs, options.written)
        return 0
    problems, looked_at = check(options.check)
    print(looked_at)
    print("\n".join(problems) or "all well")
    if problems:
        print("run python -m tools.kernel_table and look at what changes")
    return bool(problems)


if __name__ == "__main__":
    sys.exit(main())
