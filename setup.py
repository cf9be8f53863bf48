"""Build minitorch: ``pip install .``, or ``python setup.py build_ext --inplace`` while working on the engine.

Environment variables: ``MT_NO_CLONES=1`` one instruction set only, ``MT_NO_THREADS=1`` no thread pool, ``MT_NO_BLAS=1``
without OpenBLAS, ``MT_SANITIZE=address,undefined`` for finding memory errors, ``MT_BUILD_JOBS=n`` compilers at once.
"""

from __future__ import annotations

import importlib
import os
import re
import sys
import tempfile
import types
from pathlib import Path

import Cython
import numpy
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))  # an isolated build does not have the project's folder on its path

from tools import compiler, openblas  # noqa: E402

ENGINE = Path("minitorch/_ext")
GENERATED = ENGINE / "generated"
INCLUDE = [ENGINE / "include", GENERATED]
DIRECTIVES = {
    "language_level": 3,
    "boundscheck": True,  # of lists and tuples: the kernels use pointers; modules of the hot path turn it off
    "wraparound": False,
    "cdivision": True,
    "initializedcheck": False,
    "binding": True,
    "embedsignature": False,
    "autotestdict": False,
    "auto_pickle": False,
    "c_api_binop_methods": True,
}
# Modules that have no loops worth unrolling: a fifth smaller and sooner compiled.
WITHOUT_KERNELS = set(
    "arithmetic build dispatch dtype engine extrema fourier function lapack moments rules shaping storage tape tensor "
    "threads views".split()
)


def write_if_changed(path: Path, text: str) -> bool:
    """Write a file, unless it already holds this text: what depends on it is rebuilt by its time."""
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return True


def generate_sources(keep: set[str]) -> None:
    """Write the kernels' sources from the table of operations into ``GENERATED``, and remove those it no longer has.

    ``minitorch/ops/generate.py`` is imported under another package's name, with only its own folder behind it, so that
    its relative imports work and minitorch, which is yet to be built, is not imported.
    """
    ops = ROOT / "minitorch" / "ops"
    if not (ops / "generate.py").exists():
        return
    package = types.ModuleType("_minitorch_ops")
    package.__path__ = [str(ops)]
    sys.modules[package.__name__] = package
    with tempfile.TemporaryDirectory() as directory:
        importlib.import_module(f"{package.__name__}.generate").generate(Path(directory))
        written = {path.name: path.read_text(encoding="utf-8") for path in Path(directory).iterdir()}
    for name, text in written.items():
        write_if_changed(GENERATED / name, text)
    for old in GENERATED.iterdir():
        if old.name not in written.keys() | keep:
            old.unlink()


def headers_of(source: Path, seen: frozenset[Path] = frozenset()) -> frozenset[Path]:
    """The project's own headers that a C file includes, and those they include."""
    for name in re.findall(r'^\s*#\s*include\s+"([^"]+)"', source.read_text(encoding="utf-8"), re.MULTILINE):
        for header in (directory / name for directory in INCLUDE):
            if header.exists() and header not in seen:
                seen = headers_of(header, seen | {header})
    return seen


class BuildEngine(build_ext):
    """Probe the compiler, generate and translate the sources, then compile what changed, several files at once."""

    def finalize_options(self) -> None:
        super().finalize_options()
        cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        self.parallel = self.parallel or int(os.environ.get("MT_BUILD_JOBS") or cores or 1)

    def build_extensions(self) -> None:
        switches = compiler.Switches.from_environment()
        found = compiler.features(self.compiler, switches, Path("build/probe.json"))
        blas, blas_files = openblas.find() if switches.blas else ("", [])
        if switches.blas and not blas_files:
            print("minitorch: scipy-openblas32 is not installed, building without it: matrix products will be slower")
        config = GENERATED / "mt_config.h"
        write_if_changed(config, compiler.config_header(found, blas, blas_files[0].name if blas_files else ""))
        # Files do not tell Cython that it was upgraded or is called otherwise.
        stamp = GENERATED / "cython.stamp"
        retranslate = write_if_changed(stamp, f"{Cython.__version__} {DIRECTIVES}\n")
        generate_sources(keep={config.name, stamp.name})
        print("minitorch:", compiler.build_info(found, blas))

        translated = cythonize(
            self.extensions,
            build_dir="build/cython",
            include_path=[str(GENERATED)],
            compiler_directives=DIRECTIVES,
            force=bool(self.force or retranslate),
            nthreads=self.parallel if self.parallel > 1 else 0,
        )
        sources = {extension.name: extension.sources for extension in translated}
        for extension in self.extensions:
            # NAME_loops.c, generated, belongs to the module NAME
            loops = GENERATED / f"{extension.name.rpartition('.')[2]}_loops.c"
            extension.sources = sources[extension.name] + ([loops.as_posix()] if loops.exists() else [])
            kernels = extension.name.rpartition(".")[2] not in WITHOUT_KERNELS
            extension.extra_compile_args = [
                "-O2" if flag == "-O3" and not kernels else flag for flag in found.compile_flags
            ]
            extension.extra_link_args = found.link_flags
            # mt_config.h holds the flags, so that changing those rebuilds everything.
            headers = {header for source in extension.sources for header in headers_of(Path(source))}
            extension.depends = sorted(str(header) for header in headers | {config})
        super().build_extensions()
        openblas.install(blas_files, Path(self.build_lib, "minitorch", "_lib"))
        if switches.sanitize:
            print("minitorch: sanitized build, run it with", compiler.run_sanitized(found))

    def copy_extensions_to_source(self) -> None:
        super().copy_extensions_to_source()
        built = Path(self.build_lib, "minitorch", "_lib")
        openblas.install(sorted(built.iterdir()), Path("minitorch", "_lib"))


def extensions() -> list[Extension]:
    """One extension module for each Cython file of the engine."""
    return [
        Extension(
            f"minitorch._ext.{path.stem}",
            [path.as_posix()],
            include_dirs=[*map(str, INCLUDE), numpy.get_include()],
            define_macros=[("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION")],
        )
        for path in sorted(ENGINE.glob("*.pyx"))
    ]


if __name__ == "__main__":
    os.chdir(ROOT)
    setup(ext_modules=extensions(), cmdclass={"build_ext": BuildEngine})
