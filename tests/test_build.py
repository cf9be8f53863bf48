"""What setup.py promises: an engine for every source, OpenBLAS on board, a small package, an honest prober."""

import importlib
import importlib.machinery
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

import minitorch

PACKAGE = Path(minitorch.__file__).parent
REPOSITORY = Path(__file__).resolve().parents[1]


def run(code: str, **environment: str) -> str:
    """What a fresh Python prints, with nothing but this in its environment."""
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True,
                          check=True, timeout=60).stdout.strip()


@pytest.fixture(scope="module")
def compiler() -> ModuleType:
    """tools/compiler.py, which is not installed."""
    spec = importlib.util.spec_from_file_location("minitorch_tools_compiler", REPOSITORY / "tools" / "compiler.py")
    module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def prober(compiler: ModuleType, tmp_path: Path) -> object:
    """A prober of the machine's C compiler."""
    if not shutil.which("cc"):
        pytest.skip("needs a C compiler named cc")
    commands = SimpleNamespace(compiler_so=["cc", "-fPIC"], linker_so=["cc", "-shared"])
    return compiler.Prober(commands, str(tmp_path))


@pytest.mark.parametrize("name", sorted(path.stem for path in (PACKAGE / "_ext").glob("*.pyx")))
def test_every_source_is_built(name: str) -> None:
    module = importlib.import_module(f"minitorch._ext.{name}")
    assert module.__file__.endswith(tuple(importlib.machinery.EXTENSION_SUFFIXES))


def test_package_is_under_40_megabytes_and_typed() -> None:
    sources = {".pyx", ".pxd"}  # which are not installed
    files = (path for path in PACKAGE.rglob("*") if path.is_file() and "generated" not in path.parts)
    size = sum(path.stat().st_size for path in files if path.suffix not in sources)
    assert size < 40e6
    assert (PACKAGE / "py.typed").exists()


def test_openblas_opens_by_its_path_alone() -> None:
    library = next((PACKAGE / "_lib").glob("libscipy_openblas*"), None)
    if library is None:
        pytest.skip("built without OpenBLAS")
    assert any((PACKAGE / "_lib").glob("LICENSE*"))
    code = ("import ctypes; library = ctypes.CDLL({path!r}); config = library.scipy_openblas_get_config; "
            "config.restype = ctypes.c_char_p; print(config().decode())")
    assert "OpenBLAS" in run(code.format(path=str(library)))


def test_import_leaves_floating_point_alone() -> None:
    """Objects linked with -ffast-math make the whole process flush denormal numbers to zero."""
    assert run("import minitorch; print(5e-324 * 1.0, 1e-308 / 4 > 0)", PATH=os.environ["PATH"]) == "5e-324 True"


@pytest.mark.parametrize(("variables", "expected"), [
    ({}, (True, True, True, "")),
    ({"MT_NO_CLONES": "0", "MT_NO_BLAS": ""}, (True, True, True, "")),
    ({"MT_NO_CLONES": "1"}, (False, True, True, "")),
    ({"MT_NO_THREADS": "1"}, (True, False, True, "")),
    ({"MT_NO_BLAS": "1"}, (True, True, False, "")),
    ({"MT_SANITIZE": "address"}, (False, True, True, "address")),
])
def test_switches(compiler: ModuleType, monkeypatch: pytest.MonkeyPatch, variables: dict, expected: tuple) -> None:
    for name in ("MT_NO_CLONES", "MT_NO_THREADS", "MT_NO_BLAS", "MT_SANITIZE"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert compiler.Switches.from_environment() == compiler.Switches(*expected)


def test_prober_takes_what_works(compiler: ModuleType, prober: object) -> None:
    assert prober.works(compiler.LOOP.format(attribute="", pragma=""))
    assert prober.works(compiler.EXPECT)
    assert prober.accepts(compiler.EXPECT, "-O3")


@pytest.mark.parametrize("source", [
    "int probe(int n) { return 284; }",  # wrong answer
    "int probe(int n) { return *(volatile int *)0; }",  # crashes
    "int elsewhere(int); int probe(int n) { return elsewhere(n); }",  # does not load
    '__attribute__((target_clones("arch=no-such-processor","default"))) int probe(int n) { return 285; }',
    "__attribute__((no_such_attribute)) int probe(int n) { return 285; }",  # only a warning
])
def test_prober_refuses_what_does_not_work(prober: object, source: str) -> None:
    assert not prober.works(source)


def test_prober_refuses_an_unknown_flag(compiler: ModuleType, prober: object) -> None:
    assert not prober.accepts(compiler.EXPECT, "-fno-such-flag")


def test_config_header_compiles_whatever_the_compiler_has(compiler: ModuleType, prober: object) -> None:
    source = """
    MT_CLONES static int squares(int n) {{
        int total = 0;
        MT_IVDEP
        for (int i = 0; i < n; i++) total += MT_LIKELY(i >= 0) ? i * i : 0;
        return MT_UNLIKELY(n < 0) ? 0 : total;
    }}
    int probe(int n) {{ return squares(n) + ({condition} ? 0 : 1); }}
    """
    bare = compiler.Features("cc", [], [], clones="", ivdep="", expect=False, threads=False)
    header = compiler.config_header(bare, blas="", blas_file="")
    condition = "!MT_HAVE_CLONES && !MT_HAVE_THREADS && !MT_HAVE_BLAS && !MT_SANITIZED && sizeof MT_BLAS_FILE == 1"
    assert prober.works(header + source.format(condition=condition))

    rich = compiler.Features("cc", [], [], clones="", ivdep=compiler.IVDEP[0], expect=True, threads=True)
    header = compiler.config_header(rich, blas='Open"BLAS', blas_file="libx.so")
    assert prober.works(header + source.format(condition="MT_HAVE_BLAS && MT_HAVE_THREADS && sizeof MT_BUILD_INFO > 9"))


def test_probes_are_remembered(compiler: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    commands = SimpleNamespace(compiler_type="unix", compiler_so=["cc", "-fPIC"], linker_so=["cc", "-shared"])
    switches = compiler.Switches(clones=False, threads=False, blas=False, sanitize="")
    first = compiler.features(commands, switches, tmp_path / "probe.json")
    assert not first.clones and not first.threads
    monkeypatch.setattr(compiler, "_probe", lambda *arguments: pytest.fail("probed again"))
    assert compiler.features(commands, switches, tmp_path / "probe.json") == first


def test_importing_minitorch_imports_no_package_that_may_wait() -> None:
    """Half of the time of an import was once theirs; each is there when it is asked for."""
    waiting = "nn optim func datasets distributions amp special signal utils.data html".split()
    loaded = run("import sys, numpy, pathlib; before = {*sys.modules}; import minitorch; "
                 "print(*{*sys.modules} - before)", PYTHONPATH=str(PACKAGE.parent)).split()
    assert "minitorch.autograd" in loaded
    assert not {f"minitorch.{name}" for name in waiting}.union(waiting).intersection(loaded)


@pytest.mark.parametrize("name", sorted({*minitorch._PACKAGES, *minitorch._HOMES}))
def test_what_waits_is_there(name: str) -> None:
    assert name in dir(minitorch)
    same = f"minitorch.{name} is minitorch.{name}"
    assert run(f"import minitorch; print({same})", PYTHONPATH=str(PACKAGE.parent)) == "True"
