"""Take OpenBLAS out of the ``scipy-openblas32`` wheel, so that the installed package carries it."""

from __future__ import annotations

import shutil
from pathlib import Path


def find() -> tuple[str, list[Path]]:
    """A name with the version and the files (the library first, then those it needs), or ``("", [])`` without the wheel.

    The library is opened at run time by its path and never linked; it finds the others beside it through its
    ``$ORIGIN`` (``@loader_path`` on macOS) run path.
    """
    try:
        import scipy_openblas32
    except ImportError:
        return "", []
    directory = Path(scipy_openblas32.get_lib_dir())
    shared = [path for path in sorted(directory.iterdir()) if path.suffix in (".so", ".dylib") or ".so." in path.name]
    library = [path for path in shared if path.name.startswith("libscipy_openblas")]
    if not library:
        return "", []
    return f"OpenBLAS {scipy_openblas32.__version__}", library[:1] + [path for path in shared if path != library[0]]


def install(files: list[Path], directory: Path) -> None:
    """Make ``directory`` hold these files and nothing else; a file that is there already is not copied again."""
    directory.mkdir(parents=True, exist_ok=True)
    for old in directory.iterdir():
        if old.name not in {file.name for file in files}:
            old.unlink()
    for file in files:
        target = directory / file.name
        if not target.exists() or target.stat().st_size != file.stat().st_size:
            target.unlink(missing_ok=True)  # never write into a library that a process has mapped
            shutil.copy2(file, target)
