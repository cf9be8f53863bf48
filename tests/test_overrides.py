"""`__torch_function__` of subclasses, and modes that hear every call."""
import copy
import gc
import operator
import threading
import weakref
from typing import ClassVar

import pytest
from helpers import mt

from minitorch import nn
from minitorch.overrides import (
    BaseTorchFunctionMode,
    DisableTorchFunctionSubclass,
    TorchFunctionMode,
    handle_torch_function,
    has_torch_function,
    is_tensor_like,
)


class Plain(mt.Tensor):
    """Only keeps its class."""


class Logged(mt.Tensor):
    log: ClassVar[list] = []

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        cls.log.append((func, types))
        return super().__torch_function__(func, types, args, kwargs)


class Answering(mt.Tensor):
    """Answers some functions itself."""

    answers: ClassVar[dict] = {}

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        if func in cls.answers:
            return cls.answers[func](*args, **(kwargs or {}))
        return super().__torch_function__(func, types, args, kwargs)


def of(cls, *shape, dtype=None):
    return mt.rand(*shape, dtype=dtype).as_subclass(cls)


RESULTS = {
    "operator": lambda x: x + 1, "reflected": lambda x: 1 - x, "plain on the left": lambda x: mt.ones(3) - x,
    "parameter on the left": lambda x: nn.Parameter(mt.ones(3)) * x, "comparison": lambda x: x > 0,
    "unary": lambda x: -x, "function": lambda x: mt.exp(x), "method": lambda x: x.exp(), "index": lambda x: x[0],
    "view": lambda x: x.view(3, 1), "T": lambda x: x[None].T, "data": lambda x: x.data, "detach": lambda x: x.detach(),
    "in a list": lambda x: mt.cat([mt.ones(2), x]), "pieces": lambda x: x.split(1)[2], "named": lambda x: x.max(0)[0],
    "nn.functional": lambda x: nn.functional.gelu(x), "python": lambda x: nn.functional.mse_loss(x, x + 1),
    "module": lambda x: nn.Linear(3, 2)(x), "to": lambda x: x.to(mt.float64), "double": lambda x: x.double(),
    "clone": lambda x: x.clone(), "copy": copy.copy, "deepcopy": copy.deepcopy,
    "einsum": lambda x: mt.einsum("i,i", x, x), "plain in place": lambda x: mt.ones(3).add_(x),
    "keyword": lambda x: mt.add(mt.ones(3), other=x), "where": lambda x: mt.where(mt.ones(3) > 0, x, 2.0),
    "alike": lambda x: mt.zeros_like(x), "new": lambda x: x.new_ones(2),
}  # fmt: skip


@pytest.mark.parametrize("name", RESULTS)
def test_results_keep_the_class(name):
    x = mt.rand(3)
    mt.manual_seed(0)                                        # for the module's weights
    expected = RESULTS[name](x)
    mt.manual_seed(0)
    result = RESULTS[name](x.as_subclass(Plain))
    assert type(result) is Plain and mt.equal(result, expected)


def test_pieces_keep_their_kind():
    values, indices = of(Plain, 3).max(0)
    assert type(values) is type(indices) is Plain
    assert type(of(Plain, 3).max(0)).__name__ == "max" and type(of(Plain, 3).unbind()) is tuple


def test_plain_tensors_stay_plain():
    of(Plain, 3)
    assert type(mt.ones(2) + 1) is mt.Tensor and type(nn.Parameter(mt.ones(2)) * 2) is mt.Tensor


def test_in_place_operators_change_the_tensor():
    x = of(Plain, 3)
    before, y = x.clone(), x
    y += 1
    assert y is x and mt.equal(x, before + 1)


@pytest.mark.parametrize("cls", [mt.Tensor, Plain])
def test_data_is_set_in_place(cls):
    x = of(cls, 3)
    y = x
    y.data = mt.zeros(2, 2)
    assert type(x) is cls and mt.equal(x, mt.zeros(2, 2))


def test_setting_data_is_heard():
    class Hearing(mt.overrides.TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            heard.append((func, len(args)))
            return func(*args, **(kwargs or {}))

    heard, x = [], of(Plain, 3)
    with Hearing():
        x.data = mt.ones(1)
    assert heard[-1] == (mt.Tensor.data.__set__, 2) and x.shape == (1,)


def test_gradients():
    x = of(Plain, 3).requires_grad_()
    y = (x * x).sum()
    assert type(y) is Plain and y.grad_fn.name() == "SumBackward0"
    y.backward()
    assert type(x.grad) is mt.Tensor and mt.equal(x.grad, 2 * x.detach().as_subclass(mt.Tensor))


def test_as_subclass_stays_in_the_graph():
    x = mt.rand(3, requires_grad=True)
    (x * 2).as_subclass(Plain).sum().backward()
    assert mt.equal(x.grad, mt.full((3,), 2.0))
    with pytest.raises(TypeError, match="as_subclass"):
        x.as_subclass(int)


def test_what_the_class_is_told():
    x = of(Logged, 2, 2)
    for call, expected in (
        (lambda: x + 1, mt.Tensor.add),
        (lambda: 1 - x, mt.Tensor.__rsub__),
        (lambda: mt.ones(2, 2) - x, mt.Tensor.sub),
        (lambda: x @ x, mt.Tensor.matmul),
        (lambda: mt.exp(x), mt.exp),
        (lambda: x.exp(), mt.Tensor.exp),
        (lambda: x[0], mt.Tensor.__getitem__),
        (lambda: repr(x), mt.Tensor.__repr__),
        (lambda: x.to(mt.int32), mt.Tensor.to),
        (lambda: x.long(), mt.Tensor.long),
        (lambda: mt.stack([x]), mt.stack),
        (lambda: len(x), mt.Tensor.__len__),
    ):
        Logged.log.clear()
        call()
        assert [func for func, _ in Logged.log] == [expected] and Logged.log[0][1] == (Logged,)


def test_answers():
    x = of(Answering, 3)
    Answering.answers = {mt.mean: lambda input: "the mean", mt.Tensor.add: lambda a, b: ("sum", b)}
    assert mt.mean(x) == x.mean() == "the mean" and x + 3 == ("sum", 3)
    assert type(mt.exp(x)) is Answering


def test_two_classes():
    class Later(Plain):
        pass

    assert type(of(Plain, 3) + of(Later, 3)) is Later
    with pytest.raises(TypeError, match=r"no implementation found for 'add'.*Plain"):
        of(Plain, 3) + of(Logged, 3)


def test_operators_that_a_class_defines():
    class Own(mt.Tensor):
        def __add__(self, other):
            return "own"

    assert of(Own, 3) + 1 == "own" and type(of(Own, 3) - 1) is Own


def test_a_class_that_never_stands_in():
    class Never(mt.Tensor):
        __torch_function__ = mt._C._disabled_torch_function_impl

    x = of(Never, 3)
    assert type(x + 1) is mt.Tensor and not has_torch_function((x,)) and has_torch_function((1, of(Plain, 1)))


@pytest.mark.cpu_only("the text names no device")
def test_text_names_the_class():
    x = mt.arange(6.0).view(2, 3).as_subclass(Plain)
    assert repr(x) == "Plain([[0., 1., 2.],\n       [3., 4., 5.]])" and repr(Plain(0)) == "Plain([])"


def test_plain_only_in_this_thread():
    x, found = of(Plain, 3), []
    with DisableTorchFunctionSubclass():
        thread = threading.Thread(target=lambda: found.append(type(x + 1)))
        thread.start()
        thread.join()
        assert type(x + 1) is mt.Tensor
    assert found == [Plain] and type(x + 1) is Plain


def test_functions_of_ones_own():
    def area(a, b):
        if has_torch_function((a, b)):
            return handle_torch_function(area, (a, b), a, b)
        return a * b

    x = of(Logged, 2)
    Logged.log.clear()
    assert type(area(x, x)) is Logged and Logged.log == [(area, (Logged,))]
    assert is_tensor_like(x) and not is_tensor_like(3)


def test_errors_and_lifetime():
    x = of(Plain, 3)
    with pytest.raises(RuntimeError, match="size"):
        x + mt.ones(2)
    assert type(x + 1) is Plain                              # the class is asked again after an error
    ghost = weakref.ref(x)
    del x
    gc.collect()
    assert ghost() is None


class Heard(TorchFunctionMode):
    def __init__(self):
        self.names = []

    def __torch_function__(self, func, types, args=(), kwargs=None):
        self.names.append(func.__name__)
        return func(*args, **(kwargs or {}))


def test_a_mode_hears_all():
    with Heard() as mode:
        x = mt.ones(2)
        (x + 1).exp()
        x.sum()
    heard = list(mode.names)
    x + 1
    assert heard == ["ones", "add", "exp", "sum"] == mode.names


def test_modes_are_nested():
    with Heard() as outer, Heard() as inner, BaseTorchFunctionMode():
        mt.ones(2) * 2
    assert outer.names == inner.names == ["ones", "mul"]
    with pytest.raises(ValueError, match="inside"), Heard():
        raise ValueError("inside")
    assert operator.add(mt.ones(1), 1).item() == 2


def test_a_mode_changes_results():
    class Doubled(TorchFunctionMode):
        def __torch_function__(self, func, types, args=(), kwargs=None):
            result = func(*args, **(kwargs or {}))
            return result * 2 if func is mt.exp else result

    with Doubled():
        assert mt.exp(mt.zeros(1)).item() == 2
    with pytest.raises(NotImplementedError), TorchFunctionMode():
        mt.ones(1)


def test_other_listeners_hear_subclasses():
    x = of(Plain, 3, 2)
    assert mt.func.vmap(lambda row: row.sum() + 1)(x).shape == (3,)
    with mt.autograd.profiler.profile() as profile:
        x + 1
    assert any(event.key.endswith("add") for event in profile.key_averages())
