"""Tensors as Python objects: attributes, weak references, subclasses, and who owns what when they are dropped."""
import copy
import gc
import pickle
import sys
import weakref

import pytest

import minitorch


class Sub(minitorch.Tensor):
    pass


class Slotted(minitorch.Tensor):
    __slots__ = ("note",)


KINDS = [
    lambda: minitorch.ones(2),
    lambda: minitorch.ones(2).as_subclass(Sub),
    lambda: minitorch.ones(2).as_subclass(Slotted),
    lambda: minitorch.nn.Parameter(minitorch.ones(2)),
]


def test_attributes():
    x = minitorch.ones(2)
    assert x.__dict__ == vars(x) == {}
    x.note = 3
    assert (x.note, x.__dict__) == (3, {"note": 3}) and "note" in dir(x)
    x.__dict__ = {"other": 4}
    assert x.other == 4 and not hasattr(x, "note")
    with pytest.raises(TypeError):
        x.__dict__ = 5
    attributes = x.__dict__
    del x
    assert attributes == {"other": 4}                       # not emptied with the tensor


def test_attributes_are_copied():
    x = minitorch.ones(2)
    x.note = [1]
    assert copy.copy(x).note is x.note
    for y in (copy.deepcopy(x), pickle.loads(pickle.dumps(x))):
        assert y.note == [1] and y.note is not x.note


@pytest.mark.parametrize("make", KINDS)
def test_cycles_through_attributes_are_collected(make):
    x = make()
    x.me = x
    ghost = weakref.ref(x)
    del x
    gc.collect()
    assert ghost() is None


@pytest.mark.parametrize("make", KINDS)
def test_a_new_instance_knows_nothing_of_a_dropped_one(make):
    for _ in range(3):
        x = make()
        x.note = 1
        ghost = weakref.ref(x)
        del x
        assert ghost() is None
        y = make()
        assert not hasattr(y, "note") and y.grad is None and not weakref.getweakrefcount(y)


@pytest.mark.parametrize("make", KINDS)
def test_instances_own_their_class_once(make):
    cls = type(make())
    before = sys.getrefcount(cls)
    many = [make() for _ in range(1000)]
    held = sys.getrefcount(cls) - before
    del many
    assert held >= 1000 and abs(sys.getrefcount(cls) - before) < 10


def test_the_class_can_be_changed():
    x = minitorch.ones(2)
    x.note = 1
    x.__class__ = Sub
    assert type(x) is Sub and type(x + 1) is Sub and x.note == 1
    x.__class__ = minitorch.Tensor
    assert type(x) is minitorch.Tensor and x.note == 1
    with pytest.raises(TypeError, match="layout differs"):
        x.__class__ = Slotted
