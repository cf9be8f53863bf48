"""Bad input: each gives a Python exception of PyTorch's class that says which operation and which shapes or dtypes."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import assert_same, mt, refuses, run_python, tensor

M23, M45, V3 = (lambda: mt.zeros(2, 3)), (lambda: mt.zeros(4, 5)), (lambda: mt.zeros(3))

SHAPES = {
    "add": lambda: M23() + M45(),
    "mul": lambda: M23() * M45(),
    "sub": lambda: mt.sub(M23(), M45()),
    "div": lambda: M23() / M45(),
    "pow": lambda: M23() ** M45(),
    "eq": lambda: M23() == M45(),
    "lt": lambda: M23() < M45(),
    "maximum": lambda: mt.maximum(M23(), M45()),
    "atan2": lambda: mt.atan2(M23(), M45()),
    "where": lambda: mt.where(M23() > 0, M45(), M45()),
    "addcmul": lambda: mt.addcmul(M23(), M45(), M45()),
    "lerp": lambda: mt.lerp(M23(), M45(), 0.5),
    "add_": lambda: M23().add_(M45()),
    "mul_": lambda: V3().mul_(M23()),
    "copy_": lambda: M23().copy_(M45()),
    "logical_and": lambda: mt.logical_and(M23(), M45()),
    "bitwise_and": lambda: M23().long() & M45().long(),
    "floor_divide": lambda: M23() // M45(),
    "remainder": lambda: M23() % M45(),
    "fmod": lambda: mt.fmod(M23(), M45()),
    "clamp": lambda: mt.clamp(M23(), M45(), M45()),
    "expand": lambda: M23().expand(4, 5),
    "masked_fill": lambda: M23().masked_fill(M45() > 0, 1.0),
}


@pytest.mark.parametrize("name", SHAPES)
def test_shapes_that_do_not_broadcast(name: str) -> None:
    """The message names the operation and both shapes."""
    shapes = ("2, 3",) if name in ("mul_",) else ("2, 3", "4, 5")
    with refuses(RuntimeError, name.rstrip("_"), *shapes):
        SHAPES[name]()


UNARY = [
    "exp",
    "log",
    "sin",
    "abs",
    "neg",
    "sqrt",
    "tanh",
    "sigmoid",
    "relu",
    "floor",
    "isnan",
    "logical_not",
    "sum",
    "mean",
    "max",
    "argmax",
    "cumsum",
    "softmax",
]
STRANGERS = [None, "a", b"a", [1.0], {}, object(), lambda: 0, np.zeros(2), 1j]


@pytest.mark.parametrize("name", UNARY)
def test_arguments_that_are_not_tensors(name: str) -> None:
    f = getattr(mt, name)
    extra = (0,) if name in ("cumsum", "softmax") else ()
    for bad in STRANGERS[:-2]:
        with refuses((TypeError, RuntimeError)):
            f(bad, *extra)
    with refuses(TypeError):
        f()
    with refuses(TypeError):
        f(tensor([1.0]), *extra, no_such_keyword=1)


@pytest.mark.parametrize("name", ["add", "mul", "pow", "maximum", "eq", "matmul", "atan2", "bitwise_and"])
def test_second_arguments_that_are_not_tensors(name: str) -> None:
    f, x = getattr(mt, name), tensor([1, 2])
    for bad in STRANGERS[:7]:
        with refuses((TypeError, RuntimeError)):
            f(x, bad)
    for count in (1, 4):
        with refuses(TypeError):
            f(*[x] * count)


METHODS = {
    "sum(dim)": lambda t: t.sum(None, None, None, None),
    "view()": lambda t: t.view(),
    "view(None)": lambda t: t.view(None),
    "view('a')": lambda t: t.view("a"),
    "reshape(1.5)": lambda t: t.reshape(1.5),
    "transpose(1)": lambda t: t.transpose(1),
    "transpose('a', 1)": lambda t: t.transpose("a", 1),
    "permute(None)": lambda t: t.permute(None),
    "expand('a')": lambda t: t.expand("a"),
    "unsqueeze()": lambda t: t.unsqueeze(),
    "unsqueeze(None)": lambda t: t.unsqueeze(None),
    "narrow(0)": lambda t: t.narrow(0),
    "select('a', 0)": lambda t: t.select("a", 0),
    "to('nowhere')": lambda t: t.to("nowhere"),
    "to(object)": lambda t: t.to(object()),
    "fill_(None)": lambda t: t.fill_(None),
    "copy_(None)": lambda t: t.copy_(None),
    "add_(None)": lambda t: t.add_(None),
    "requires_grad_('a')": lambda t: t.requires_grad_("a"),
    "size('a')": lambda t: t.size("a"),
    "type(3)": lambda t: t.type(3),
    "mean(dtype='float')": lambda t: t.mean(dtype="float"),
    "sum(dim='a')": lambda t: t.sum(dim="a"),
    "as_strided(None)": lambda t: t.as_strided(None, None),
    "clamp('a')": lambda t: t.clamp("a"),
    "pow()": lambda t: t.pow(),
    "matmul(1)": lambda t: t.matmul(1.0),
    "backward('a')": lambda t: t.sum().requires_grad_().backward("a"),
    "split('a')": lambda t: t.split("a"),
    "view(2.0, 3)": lambda t: t.view(2.0, 3),
    "unfold('a', 1, 1)": lambda t: t.unfold("a", 1, 1),
    "element_size(1)": lambda t: t.element_size(1),
}


@pytest.mark.parametrize("name", METHODS)
def test_methods_given_nonsense(name: str) -> None:
    t = mt.zeros(2, 3)
    with refuses((TypeError, RuntimeError)):
        METHODS[name](t)
    assert_same(t, np.zeros((2, 3), "f4"))


@pytest.mark.parametrize("name", ["expp", "requires_gard", "shpae", "backwards", "is_cuda_", "relu__"])
def test_attribute_typos(name: str) -> None:
    """Are AttributeErrors, never None."""
    with refuses(AttributeError, name):
        getattr(mt.zeros(2), name)
    with refuses(AttributeError, name):
        getattr(mt, name)


def test_hash_and_truth() -> None:
    a, b = mt.zeros(2), mt.zeros(2)
    assert hash(a) == hash(a) and len({a, b}) == 2 and {a: 1}[a] == 1
    with refuses(RuntimeError):
        if a == b:
            pass
    with refuses((RuntimeError, TypeError, ValueError)):
        int(a)
    with refuses((RuntimeError, TypeError, ValueError)):
        range(3)[mt.tensor(1.5)]


@pytest.mark.cpu_only("the text names no device")
def test_strings_of_tensors() -> None:
    """Print without fail, whatever the size, the dtype and the values."""
    for t in (
        mt.zeros(()),
        mt.zeros(0),
        mt.zeros(2, 0, 3),
        mt.zeros(3),
        mt.eye(3),
        mt.zeros(2, 2, 2),
        mt.zeros(100, 100),
        mt.zeros(5000),
        mt.ones(1, 1, 1, 1, 1),
        tensor([np.nan, np.inf, -np.inf, 1e-30, 1e30]),
        tensor([1, -2]),
        tensor([True]),
        mt.ones(2, dtype=mt.bfloat16),
        mt.ones(2, dtype=mt.float16),
        mt.zeros(1).expand(10**9),
    ):
        assert repr(t).startswith("tensor(") and len(repr(t)) < 20_000
    assert repr(tensor([1.0, 2.5], "float32")) == "tensor([1.0000, 2.5000])"
    assert repr(tensor([1.0, 2.0], "float32")) == "tensor([1., 2.])"
    assert repr(tensor([[1, 20], [3, 4]])) == "tensor([[ 1, 20],\n        [ 3,  4]])"
    assert repr(tensor([1.5], "float64")) == "tensor([1.5000], dtype=mt.float64)".replace(
        "mt", str(mt.float64).split(".")[0]
    )
    assert (
        repr(tensor([], "float32")) == "tensor([])"
        and repr(mt.zeros(2, 0)) == "tensor([], size=(2, 0))"
        and repr(tensor(True)) == "tensor(True)"
    )
    assert f"{tensor(2.5):.2f}" == "2.50"
    mt.set_printoptions(precision=2)
    try:
        assert repr(tensor([1.234], "float32")) == "tensor([1.23])"
    finally:
        mt.set_printoptions(profile="default")


def test_out_of_memory_leaves_no_trace() -> None:
    """A refused allocation deep inside an operation leaves operands, modes and the allocator as they were."""
    x = mt.ones(1, requires_grad=True)
    for _ in range(20):
        for f in (
            lambda: x.expand(2**44) * 2,
            lambda: (x.expand(2**44) * 2).sum().backward(),
            lambda: mt.zeros(2**44),
            lambda: mt.cat([x.expand(2**44)] * 2),
            lambda: x.expand(2**44).to(mt.float64),
            lambda: mt.ones(2**22, 1) @ mt.ones(1, 2**22),
            lambda: x.expand(2**44).cumsum(0),
        ):
            with refuses((RuntimeError, MemoryError)):
                f()
    assert x.grad is None and mt.is_grad_enabled() and (x * 2).item() == 2


@pytest.mark.parametrize("seed", range(4))
def test_fuzz(seed: int, tmp_path) -> None:
    """Thousands of calls with junk: only exceptions, never a crash, a hang or a SystemError (see fuzzer.py)."""
    record = tmp_path / "call"
    run = f"from engine import fuzzer; fuzzer.main(mt, seed={seed}, rounds=6000, record={str(record)!r})"
    done = run_python(run, timeout=100, prefix="ulimit -v 12000000;")
    call = record.read_text() if record.exists() else "its start"
    assert done.returncode == 0, f"exit status {done.returncode} in {call}\n{done.stderr[-3000:]}"


def test_borrowed_memory_must_fit_an_address_space():
    """What another library says of its memory is not to be trusted."""
    borrowed = mt._ext.engine.borrowed
    for shape, strides in (((3,), (2**62,)), ((2**40, 2**40), (0, 0)), ((2, 3), (2**62, 2**61))):
        with pytest.raises((ValueError, RuntimeError), match=r"memory|large|overflow"):
            borrowed(64, shape, strides, mt.float32, False, None)
    with pytest.raises(ValueError, match="negative"):
        borrowed(64, (3,), (-1,), mt.float32, False, None)
