"""``python -m minitorch`` and its doctor, and the progress bar."""

import io
import os
import re
import subprocess
import sys

import pytest

import minitorch
from minitorch import __main__ as program
from minitorch import doctor
from minitorch.utils.progress import Progress


def run(*arguments, **environment):
    """Run ``python -m minitorch`` without a terminal."""
    return subprocess.run(
        [sys.executable, "-m", "minitorch", *arguments],
        capture_output=True, text=True, timeout=120, env={**os.environ, **environment},
    )  # fmt: skip


def test_main_job():
    done = run()
    assert done.returncode == 0, done.stderr
    assert done.stderr == "" and "\r" not in done.stdout and "\x1b" not in done.stdout
    share, seconds = re.search(r"([\d.]+)% of the held-out digits .* ([\d.]+) s in all", done.stdout).groups()
    assert float(share) >= 97 and float(seconds) < 10
    assert "450 held out" in done.stdout and "What to try next" in done.stdout
    assert re.search(r"read \d, is \d", done.stdout), "a mistake is shown too"


def test_options(capsys):
    assert program.main(["--epochs", "2", "--seed", "3"]) == 0
    first = capsys.readouterr().out
    assert "training: 2 of 2" in first
    assert program.main(["--epochs", "2", "--seed", "3"]) == 0
    assert re.sub(r"[\d.]+ s", "", capsys.readouterr().out) == re.sub(r"[\d.]+ s", "", first)
    for arguments, status in [(["--help"], 0), (["--version"], 0), (["--epochs", "0"], 2), (["dance"], 2)]:
        with pytest.raises(SystemExit) as stopped:
            program.main(arguments)
        assert stopped.value.code == status


def test_drawing():
    images = minitorch.zeros(2, 8, 8)
    images[0, 0, 0] = images[1, 7, 7] = 1
    lines = program.draw(images, ["a", "b"]).split("\n")
    assert len(lines) == 9 and lines[0].startswith("@@ ") and lines[7].endswith(" @@")
    assert lines[8].split() == ["a", "b"] and {len(line) for line in lines} == {35}


def test_doctor():
    done = run("doctor", OPENBLAS_CORETYPE="Haswell", OMP_NUM_THREADS="2")
    assert done.returncode == 0, done.stderr
    for word in ("minitorch", "NumPy", "Cython", "instructions", "BLAS", "threads", "allocator", "CuPy", "GPU"):
        assert word in done.stdout
    assert "OPENBLAS_CORETYPE=Haswell" in done.stdout and "unset OPENBLAS_CORETYPE" in done.stdout


def test_doctor_on_builds_and_settings(monkeypatch):
    info = {"threads": False, "clones": False, "blas": False, "sanitized": True, "cython": "3.1.0", "compiled": "cc",
            "instruction_set": "none"}
    monkeypatch.setattr(doctor.build, "build_info", lambda: info)
    monkeypatch.setattr(doctor.platform, "machine", lambda: "x86_64")
    text = "\n".join(doctor.problems({}))
    for switch in ("MT_NO_THREADS", "MT_NO_CLONES", "MT_NO_BLAS", "MT_SANITIZE"):
        assert switch in text
    assert doctor.settings({"OMP_NUM_THREADS": "1", "HOME": "/", "MINITORCH_CACHE_LIMIT": "0"}) == {
        "MINITORCH_CACHE_LIMIT": "0", "OMP_NUM_THREADS": "1"}


def test_doctor_on_threads(monkeypatch):
    monkeypatch.setattr(doctor.threads, "pool_info", lambda: {"threads": 9, "cpus": 3})
    assert any("set_num_threads(3)" in line for line in doctor.problems({}))
    monkeypatch.setattr(doctor.threads, "pool_info", lambda: {"threads": 1, "cpus": 3})
    if doctor.build.build_info()["threads"]:
        assert any("OMP_NUM_THREADS=1" in line for line in doctor.problems({"OMP_NUM_THREADS": "1"}))


class Terminal(io.StringIO):
    def isatty(self):
        return True


def test_progress(monkeypatch):
    plain, terminal = io.StringIO(), Terminal()
    now = iter(range(100))
    monkeypatch.setattr("time.perf_counter", lambda: next(now))
    for file in (plain, terminal):
        progress = Progress(range(3), "work", file=file)
        for i in progress:
            progress.note = f"at {i}"
    assert plain.getvalue() == "work: 3 of 3 in 4.0 s, at 2\n"
    drawn = terminal.getvalue()
    assert drawn.startswith("\rwork [========") and drawn.endswith("3 of 3 in 4.0 s, at 2\n") and drawn.count("\n") == 1


def test_progress_without_a_length_and_with_an_early_end():
    file = io.StringIO()
    for _ in Progress(iter("abc"), "letters", file=file):
        break
    assert re.fullmatch(r"letters: 0 in [\d.]+ s\n", file.getvalue())
    assert list(Progress([], "none", file=file)) == []
