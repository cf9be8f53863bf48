"""Reading CUDA C: the kernels of a source, their parameters' names, and which file and line a text line stands for."""

from __future__ import annotations

import functools
import re
from typing import NamedTuple

_BOUNDS = r"(?:__launch_bounds__\s*\((?:[^()]|\([^()]*\))*\)\s*)?"
_KERNEL = re.compile(
    r"(?P<template>template\s*<[^{;]*?>\s*)?(?P<c>extern\s+\"C\"\s+)?(?:static\s+)?"
    rf"__global__\s+(?:static\s+|inline\s+)*{_BOUNDS}void\s+{_BOUNDS}(?P<name>\w+)\s*\("
)
_EXTERN_BLOCK = re.compile(r"extern\s+\"C\"\s*\{")
_DYNAMIC = re.compile(
    r"\bextern\s+(?:__align__\s*\(\s*\d+\s*\)\s*|alignas\s*\(\s*\w+\s*\)\s*|volatile\s+)*__shared__\s+"
    r"(?:__align__\s*\(\s*\d+\s*\)\s*|alignas\s*\(\s*\w+\s*\)\s*|volatile\s+)*"
    r"(?P<type>[\w:<>,\s]+?)\s*\b(?P<name>\w+)\s*\[\s*\]\s*;"
)
_HEADER = re.compile(r"^[ \t]*#[ \t]*include[ \t]*<(cuda_fp16\.h|cuda_bf16\.h|cuda_runtime\.h)>.*$", re.MULTILINE)
_LINE = re.compile(r"^\s*#\s*(?:line\s+)?(\d+)(?:\s+\"([^\"]*)\")?")


class Parameter(NamedTuple):
    """A kernel's parameter as it is written."""

    name: str
    type: str
    """``"const float *"``, ``"T"`` and so on."""

    @property
    def is_pointer(self) -> bool:
        """Whether it takes an address."""
        return "*" in self.type


class Kernel(NamedTuple):
    """A ``__global__`` function of a source."""

    name: str
    is_template: bool
    is_c: bool
    """Declared ``extern "C"``, so that it can be had by its name."""
    parameters: tuple[Parameter, ...]


def without_comments(source: str) -> str:
    """The source with comments blanked, its line breaks and length kept.

    >>> without_comments("a /* b */ c // d")
    'a           c     '
    """
    pattern = re.compile(r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)

    def blank(match: re.Match[str]) -> str:
        text = match.group()
        return re.sub(r"[^\n]", " ", text) if text.startswith("/") else text

    return pattern.sub(blank, source)


def _closing(text: str, start: int, pair: str) -> int:
    """Where the bracket that opened before `start` closes."""
    depth = 1
    for i in range(start, len(text)):
        depth += (text[i] == pair[0]) - (text[i] == pair[1])
        if not depth:
            return i
    return len(text)


def _parameters(text: str) -> tuple[Parameter, ...]:
    parts, depth, part = [], 0, ""
    for char in text:
        depth += (char in "(<[{") - (char in ")>]}")
        if char == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += char
    parts.append(part)
    found = []
    for part in parts:
        declared = " ".join(part.split("=")[0].split())
        match = re.search(r"(\w+)\s*((?:\[[^\]]*\])*)$", declared)
        if not match or declared == "void":
            continue
        type_ = declared[: match.start()].strip() + (" *" if match.group(2) else "")
        type_ = re.sub(r"\s*\b(__restrict__|__restrict|__grid_constant__)\b\s*", "", type_)
        found.append(Parameter(match.group(1), type_))
    return tuple(found)


@functools.lru_cache(maxsize=256)
def kernels(source: str) -> dict[str, Kernel]:
    """The kernels of a source by name.

    >>> kernels('template <int N> __global__ void __launch_bounds__(N) k(const float *__restrict__ x, int n) {}')["k"]
    Kernel(name='k', is_template=True, is_c=False, parameters=(Parameter(name='x', type='const float *'), \
Parameter(name='n', type='int')))
    """
    text = without_comments(source)
    blocks = [(m.end(), _closing(text, m.end(), "{}")) for m in _EXTERN_BLOCK.finditer(text)]
    found = {}
    for match in _KERNEL.finditer(text):
        inside = any(low <= match.start() < high for low, high in blocks)
        end = _closing(text, match.end(), "()")
        found[match["name"]] = Kernel(
            match["name"], bool(match["template"]), bool(match["c"]) or inside, _parameters(text[match.end() : end])
        )
    return found


def base_name(expression: str) -> str:
    """The kernel of a name expression.

    >>> base_name("blas::matmul<float, 16>")
    'matmul'
    """
    return expression.split("<")[0].split("::")[-1].strip()


def parameters_of(source: str, expression: str) -> tuple[Parameter, ...]:
    """Names and types of a kernel's parameters, as they are written; none if the kernel is not found."""
    kernel = kernels(source).get(base_name(expression))
    return kernel.parameters if kernel else ()


def default_file(source: str) -> str:
    """What a source without ``#line`` is called in messages: its first kernel's name."""
    return next(iter(kernels(source)), "kernel") + ".cu"


@functools.lru_cache(maxsize=64)
def lines(source: str) -> dict[tuple[str, int], str]:
    """The text of each line, by file and number as ``#line`` directives give them."""
    file, number, found = default_file(source), 1, {}
    for text in source.split("\n"):
        directive = _LINE.match(text)
        if directive:
            number, file = int(directive.group(1)), directive.group(2) or file
        else:
            found[file, number] = text.strip()
            number += 1
    return found


def for_host(source: str) -> tuple[str, str]:
    """What goes before the source's own namespace, and the source as a C++ compiler takes it after that."""

    def dynamic(match: re.Match[str]) -> str:
        return f"SIM_DYNAMIC({match['type']}, {match['name']});" + "\n" * match.group().count("\n")

    headers = "".join(f"#include <{name}>\n" for name in _HEADER.findall(source))
    return headers, _DYNAMIC.sub(dynamic, _HEADER.sub("", source))
