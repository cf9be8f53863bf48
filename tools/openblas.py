"""Take OpenBLAS out of the ``scipy-openblas32`` wheel, so that the installed package carries it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path


def find() -> tuple[str, list[Path]]:
    """Its name and version; its files: library, those it needs, licence. ``("", [])`` if the wheel is not there.

    The library is opened at run time by its path and never linked; it finds the others beside it through its
    ``$ORIGIN`` (``@loader_path`` on macOS) run path.
    """
    try:
        import scipy_openblas32
        distribution = metadata.distribution("scipy-openblas32")
    except ImportError:
        return "", []
    shared = [
        path for path in sorted(Path(scipy_openblas32.get_lib_dir()).iterdir())
        if path.suffix in (".so", ".dylib") or ".so." in path.name
    ]
    library = [path for path in shared if path.name.startswith("libscipy_openblas")]
    if not library:
        return "", []
    licences = [Path(file.locate()) for file in distribution.files or () if file.name.startswith("LICENSE")]
    others = [path for path in shared if path != library[0]]
    return f"OpenBLAS {distribution.version}", [library[0], *others, *licences]


def install(files: list[Path], directory: Path) -> None:
    """Make ``directory`` hold these files and nothing else; a file that is there already is not copied again."""
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.iterdir():
        if old.name not in {file.name for file in files}:
            old.unlink()
    for file in files:
        target = directory / file.name
        if not target.exists() or target.stat().st_mtime != file.stat().st_mtime:
            target.unlink(missing_ok=True)  # never write into a library that a process has mapped
            shutil.copy2(file, target)
            if target.name.startswith("libscipy_openblas"):
                strip(target)


def strip(library: Path) -> None:
    """Drop the names that only a debugger asks for, a megabyte, if there is a ``strip`` and the result still loads."""
    small = library.with_name(library.name + ".small")
    command = ["strip", "--strip-unneeded", "--preserve-dates", "-o", str(small), str(library)]
    if sys.platform != "linux" or shutil.which("strip") is None:
        return
    if subprocess.run(command, capture_output=True).returncode == 0:
        opens = [sys.executable, "-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1])", str(small.resolve())]
        if subprocess.run(opens, capture_output=True).returncode == 0:
            small.replace(library)
    small.unlink(missing_ok=True)
