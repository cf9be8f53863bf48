"""Find out by compiling what the C compiler can do, and write it to ``mt_config.h``."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

# Loops are compiled once for each of these and the loader picks; the second spelling is for compilers before GCC 12.
CLONES = ('"arch=x86-64-v4","arch=x86-64-v3","default"', '"avx512f","avx2","default"')
# Promises that the iterations of the next loop do not depend on each other.
IVDEP = ('_Pragma("GCC ivdep")', '_Pragma("clang loop vectorize(assume_safety)")')
# Nobody reads errno or floating-point traps; the AVX-512 clones gain a quarter from whole registers; a function that is
# not declared must not wait until loading to be missed.
FLAGS = ("-fno-math-errno", "-fno-trapping-math", "-mprefer-vector-width=512", "-Werror=implicit-function-declaration")

LOOP = """
{attribute} static int loop(int n) {{
    int total = 0, squares[64];
    {pragma}
    for (int i = 0; i < n; i++) squares[i] = i * i;
    for (int i = 0; i < n; i++) total += squares[i];
    return total;
}}
int probe(int n) {{ return loop(n); }}
"""
EXPECT = "int probe(int n) { return __builtin_expect(!!n, 1) ? 285 : 0; }"
THREAD = """
#include <pthread.h>
static void *work(void *argument) { *(int *)argument = 285; return 0; }
int probe(int n) {
    pthread_t thread;
    if (pthread_create(&thread, 0, work, &n)) return 0;
    pthread_join(thread, 0);
    return n;
}
"""


@dataclass(frozen=True)
class Switches:
    """What the builder asked for in the environment."""

    clones: bool
    threads: bool
    blas: bool
    sanitize: str

    @classmethod
    def from_environment(cls) -> Switches:
        """``MT_NO_CLONES``, ``MT_NO_THREADS`` and ``MT_NO_BLAS`` (1 or 0) and ``MT_SANITIZE`` (address,undefined)."""

        def wanted(name: str) -> bool:
            return os.environ.get(name, "0") in ("", "0")

        sanitize = os.environ.get("MT_SANITIZE", "")
        # The loader picks a clone before the sanitizers' run-time library is ready, which crashes.
        return cls(wanted("MT_NO_CLONES") and not sanitize, wanted("MT_NO_THREADS"), wanted("MT_NO_BLAS"), sanitize)


@dataclass(frozen=True)
class Features:
    """What the compiler can do, as it goes into the command line and into ``mt_config.h``."""

    compiler: str
    compile_flags: list[str]
    link_flags: list[str]
    clones: str
    ivdep: str
    expect: bool
    threads: bool


class Prober:
    """Compiles, links, loads and calls ``int probe(int)``, which should return 285 for 10."""

    def __init__(self, compiler: Any, directory: str) -> None:
        self.compile_command, self.link_command = compiler.compiler_so, compiler.linker_so
        self.directory = Path(directory)

    def accepts(self, source: str, *flags: str) -> bool:
        """Whether the compiler takes ``source`` without a warning."""
        (self.directory / "probe.c").write_text(source)
        return self._runs([*self.compile_command, *flags, "-Werror", "-c", "probe.c", "-o", "probe.o"])

    def links(self, source: str, *flags: str) -> bool:
        """Whether the compiled ``source`` also makes a shared library."""
        return self.accepts(source, *flags) and self._runs([*self.link_command, "probe.o", *flags, "-o", "probe.so"])

    def works(self, source: str, *flags: str) -> bool:
        """Whether that library also loads and gives the right answer, in a process of its own."""
        call = "import ctypes; raise SystemExit(ctypes.CDLL('./probe.so').probe(10) != 285)"
        return self.links(source, *flags) and self._runs([sys.executable, "-c", call])

    def _runs(self, command: list[str]) -> bool:
        return subprocess.run(command, cwd=self.directory, capture_output=True).returncode == 0


def _version(compiler: Any) -> str:
    """The first line of ``cc --version``."""
    command = [*compiler.compiler_so[:1], "--version"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()[0]
    except (OSError, subprocess.CalledProcessError, IndexError) as error:
        raise SystemExit(f"minitorch needs GCC or Clang: `{' '.join(command)}` failed: {error}") from None


def _probe(compiler: Any, switches: Switches, prober: Prober) -> Features:
    if not prober.works(LOOP.format(attribute="", pragma="")):
        raise SystemExit(f"minitorch needs a C compiler that works: `{' '.join(compiler.compiler_so)}` cannot "
                         "compile, link and load an empty function")
    if switches.sanitize:
        flags = ["-O1", "-g", "-fno-omit-frame-pointer"]
        link = [f"-fsanitize={switches.sanitize}"]
        if not prober.links(LOOP.format(attribute="", pragma=""), *link):
            raise SystemExit(f"MT_SANITIZE={switches.sanitize}: the compiler cannot make a library with {link[0]}")
        # A finding of the undefined-behaviour sanitizer ends the process, so that no test can pass over it.
        flags += [*link, "-fno-sanitize-recover=all"]
    else:
        # Symbols for a debugger only for who asks: they are most of the size.
        flags = ["-O3"]
        if "-g" not in os.environ.get("CFLAGS", "").split():
            flags += [flag for flag in ("-g0", "-fno-asynchronous-unwind-tables") if prober.accepts(EXPECT, flag)]
        link = []
    flags += [flag for flag in FLAGS if prober.accepts(LOOP.format(attribute="", pragma=""), flag)]
    threads = switches.threads and prober.works(THREAD, "-pthread")
    if threads:
        flags.append("-pthread")
        link.append("-pthread")
    link.append("-lm")
    if "-g0" in flags and prober.links(LOOP.format(attribute="", pragma=""), "-Wl,-s"):
        link.append("-Wl,-s")  # nor the names of functions that nobody can call: a tenth of the size
    if prober.links(LOOP.format(attribute="", pragma=""), "-Wl,-z,noseparate-code"):
        link.append("-Wl,-z,noseparate-code")  # code and constants share pages: 8 KiB a module, and fewer to map
    clones = (f"__attribute__((target_clones({names})))" for names in CLONES) if switches.clones else ()
    return Features(
        compiler=_version(compiler),
        compile_flags=flags,
        link_flags=link,
        clones=next((a for a in clones if prober.works(LOOP.format(attribute=a, pragma=""), "-O3")), ""),
        ivdep=next((p for p in IVDEP if prober.accepts(LOOP.format(attribute="", pragma=p), "-Wall", "-O3")), ""),
        expect=prober.accepts(EXPECT),
        threads=threads,
    )


def features(compiler: Any, switches: Switches, cache: Path) -> Features:
    """The compiler's features, read from ``cache`` if these probes were made before of this compiler and its flags."""
    if getattr(compiler, "compiler_type", "") != "unix":
        raise SystemExit("minitorch builds with GCC or Clang on Linux and macOS; on Windows use it inside WSL")
    probes = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    key = json.dumps([probes, _version(compiler), compiler.compiler_so, compiler.linker_so,
                      os.environ.get("CFLAGS", ""), asdict(switches)])
    known = json.loads(cache.read_text()) if cache.exists() else {}
    if key not in known:
        with tempfile.TemporaryDirectory() as directory:
            known[key] = asdict(_probe(compiler, switches, Prober(compiler, directory)))
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text(json.dumps(known, indent=1))
    return Features(**known[key])


def build_info(found: Features, blas: str) -> str:
    """One line for people, kept in the engine and shown by ``python -m minitorch doctor``."""
    clones = "clones " + " ".join(found.clones.split('"')[1::2]) if found.clones else "no clones"
    flags = " ".join(flag for flag in found.compile_flags if not flag.startswith("-W"))
    return "; ".join([found.compiler, flags, clones, "threads" if found.threads else "no threads", blas or "no BLAS"])


def config_header(found: Features, blas: str, blas_file: str) -> str:
    """The text of ``mt_config.h``."""
    expect = "__builtin_expect(!!(x), {})" if found.expect else "(x)"
    defines = {
        "MT_CLONES": found.clones,  # in front of a function: compile it for several instruction sets
        "MT_HAVE_CLONES": int(bool(found.clones)),
        "MT_IVDEP": found.ivdep,  # in front of a loop
        "MT_LIKELY(x)": expect.format(1),
        "MT_UNLIKELY(x)": expect.format(0),
        "MT_SANITIZED": int("sanitize" in " ".join(found.link_flags)),  # give memory back, so that it is watched
        "MT_HAVE_THREADS": int(found.threads),
        "MT_HAVE_BLAS": int(bool(blas_file)),
        "MT_BLAS_FILE": json.dumps(blas_file),  # the name of the library in minitorch/_lib
        "MT_BUILD_INFO": json.dumps(build_info(found, blas)),
    }
    lines = [f"#define {name} {value}".rstrip() for name, value in defines.items()]
    return "\n".join(["/* Written by setup.py from what the compiler was seen to accept. */", "#ifndef MT_CONFIG_H",
                      "#define MT_CONFIG_H", *lines, "#endif", ""])


def run_sanitized(found: Features) -> str:
    """How to run Python, which is not itself built for the sanitizers, with an engine that is."""
    if "clang" in found.compiler:
        library = "$(clang -print-file-name=libclang_rt.asan-$(uname -m).so)"
    else:
        library = "$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
    options = "detect_leaks=0:allocator_may_return_null=1"
    return f'LD_PRELOAD="{library}" ASAN_OPTIONS={options} PYTHONMALLOC=malloc python -m pytest --capture=sys'
