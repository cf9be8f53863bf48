"""Sequential, ModuleList, ModuleDict, ParameterList, ParameterDict."""

from collections import OrderedDict

import pytest

import minitorch
from minitorch import nn


def kinds(modules):
    return [type(module).__name__ for module in modules]


def test_sequential():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Tanh())
    assert kinds(model) == ["Linear", "ReLU", "Tanh"] and len(model) == 3
    assert type(model[-1]) is nn.Tanh and kinds(model[1:]) == ["ReLU", "Tanh"]
    assert list(model[1:]._modules) == ["1", "2"]
    assert model(minitorch.ones(4, 2)).shape == (4, 3)
    model[1] = nn.Sigmoid()
    del model[0]
    assert list(model._modules) == ["0", "1"] and kinds(model) == ["Sigmoid", "Tanh"]
    model.append(nn.ReLU()).insert(0, nn.GELU()).extend([nn.SiLU()])
    assert kinds(model) == ["GELU", "Sigmoid", "Tanh", "ReLU", "SiLU"]
    assert type(model.pop(1)) is nn.Sigmoid and len(model) == 4
    assert kinds(model + nn.Sequential(nn.Tanh())) == ["GELU", "Tanh", "ReLU", "SiLU", "Tanh"]
    assert len(model * 2) == 8 == len(2 * model)
    model += nn.Sequential(nn.Tanh())
    model *= 2
    assert len(model) == 10
    del model[2:]
    assert kinds(model) == ["GELU", "Tanh"]


def test_sequential_of_names():
    model = nn.Sequential(OrderedDict(a=nn.Linear(1, 2), b=nn.ReLU()))
    assert model.a is model[0] and list(model.state_dict()) == ["a.weight", "a.bias"]
    assert list(model[:1]._modules) == ["a"]


def test_sequential_refuses():
    model = nn.Sequential(nn.ReLU())
    for call, error in [
        (lambda: model[3], IndexError), (lambda: model["a"], TypeError), (lambda: nn.Sequential(3), TypeError),
        (lambda: model + 3, ValueError), (lambda: model * 0, ValueError), (lambda: model * "a", TypeError),
        (lambda: model.insert(9, nn.ReLU()), IndexError), (lambda: model.insert(0, 3), TypeError),
    ]:
        with pytest.raises(error):
            call()


def test_empty_sequential_is_the_identity():
    x = minitorch.ones(2)
    assert nn.Sequential()(x) is x


def test_module_list():
    layers = nn.ModuleList(nn.Linear(2, 2) for _ in range(3))
    assert len(list(layers.parameters())) == 6 and layers[-1] is layers[2]
    layers.insert(1, nn.ReLU())
    layers += [nn.Tanh()]
    assert kinds(layers) == ["Linear", "ReLU", "Linear", "Linear", "Tanh"]
    assert kinds(layers[1:3]) == ["ReLU", "Linear"] and list(layers[1:3]._modules) == ["0", "1"]
    assert kinds(layers + [nn.GELU()])[-1] == "GELU"
    del layers[1:3]
    assert kinds(layers) == ["Linear", "Linear", "Tanh"]
    assert repr(layers) == ("ModuleList(\n  (0-1): 2 x Linear(in_features=2, out_features=2, bias=True)\n"
                            "  (2): Tanh()\n)")
    assert repr(nn.ModuleList()) == "ModuleList()"
    with pytest.raises(NotImplementedError):
        layers(1)
    for bad in (3, [3]):
        with pytest.raises(TypeError):
            nn.ModuleList(bad)
    with pytest.raises(IndexError):
        layers[3]


def test_module_dict():
    modules = nn.ModuleDict({"a": nn.Linear(1, 1), "b": nn.ReLU()})
    modules["c"] = nn.Tanh()
    modules.update([("b", nn.GELU())])
    assert list(modules) == list(modules.keys()) == ["a", "b", "c"]
    assert kinds(modules.values()) == ["Linear", "GELU", "Tanh"] and "a" in modules and len(modules) == 3
    assert type(modules.pop("b")) is nn.GELU and [name for name, _ in modules.items()] == ["a", "c"]
    del modules["c"]
    assert list(modules.state_dict()) == ["a.weight", "a.bias"]
    modules.clear()
    assert len(modules) == 0
    with pytest.raises(TypeError):
        nn.ModuleDict(3)
    with pytest.raises(ValueError, match="length 3"):
        nn.ModuleDict([("a", nn.ReLU(), 1)])
    with pytest.raises(KeyError):
        nn.ModuleDict({"pop": nn.ReLU()})


def test_parameter_list():
    values = nn.ParameterList([minitorch.ones(2), nn.Parameter(minitorch.ones(3, 4))])
    values.append(3).extend([minitorch.zeros(1)])
    assert len(values) == 4 and [name for name, _ in values.named_parameters()] == ["0", "1", "3"]
    assert values[2] == 3 and isinstance(values[-1], nn.Parameter)
    values[0] = minitorch.zeros(5)
    assert isinstance(values[0], nn.Parameter) and len(values[1:3]) == 2
    assert repr(values) == (
        f"ParameterList(\n    (0): Parameter containing: [{minitorch.float32} of size 5]\n"
        f"    (1): Parameter containing: [{minitorch.float32} of size 3x4]\n    (2): Object of type: int\n"
        f"    (3): Parameter containing: [{minitorch.float32} of size 1]\n)"
    )
    with pytest.raises(RuntimeError):
        values(1)
    with pytest.raises(TypeError):
        nn.ParameterList(3)
    with pytest.raises(IndexError):
        values[4]


def test_parameter_dict():
    values = nn.ParameterDict({"a": minitorch.ones(2)})
    values["b"] = nn.Parameter(minitorch.ones(1))
    values.update({"c": 3})
    assert list(values) == ["a", "b", "c"] and dict(values.items())["c"] == 3
    assert [name for name, _ in values.named_parameters()] == ["a", "b"]
    assert values.get("z", 7) == 7 and values.setdefault("c", 9) == 3 and values.setdefault("d", 9) == 9
    assert values.popitem() == ("d", 9) and values.pop("c") == 3 and len(values) == 2
    joined = values | nn.ParameterDict({"e": minitorch.ones(1)})
    assert list(joined) == ["a", "b", "e"] and joined["a"] is values["a"]
    del values["a"]
    assert "a" not in values and not hasattr(values, "a")
    with pytest.raises(KeyError):
        values["a"]
    with pytest.raises(RuntimeError):
        values()
