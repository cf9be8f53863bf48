"""nn.Module: what it registers, walks, saves, loads, and refuses."""

import copy
import pickle
from collections import OrderedDict

import numpy as np
import pytest

import minitorch
from minitorch import nn


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Linear(3, 4)
        self.register_buffer("mean", minitorch.zeros(4))
        self.register_buffer("scratch", minitorch.zeros(1), persistent=False)
        self.scale = nn.Parameter(minitorch.ones(4))
        self.last = nn.Sequential(nn.ReLU(), nn.Linear(4, 2, bias=False))

    def forward(self, x, shift=0.0):
        return self.last(self.first(x) * self.scale) + shift


def same(a, b):
    return a.shape == b.shape and bool((a == b).all())


def test_registration_and_order():
    net = Net()
    assert [name for name, _ in net.named_parameters()] == ["scale", "first.weight", "first.bias", "last.1.weight"]
    assert [name for name, _ in net.named_buffers()] == ["mean", "scratch"]
    assert [name for name, _ in net.named_modules()] == ["", "first", "last", "last.0", "last.1"]
    assert [name for name, _ in net.named_children()] == ["first", "last"]
    assert list(net.state_dict()) == ["scale", "mean", "first.weight", "first.bias", "last.1.weight"]
    assert list(net.children()) == [net.first, net.last]
    assert len(list(net.parameters(recurse=False))) == 1
    assert next(net.named_parameters(prefix="net"))[0] == "net.scale"


def test_shared_modules_and_parameters_are_listed_once():
    layer = nn.Linear(2, 2)
    model = nn.Sequential(layer, nn.ReLU(), layer)
    assert len(list(model.parameters())) == 2
    assert len(list(model.named_parameters(remove_duplicate=False))) == 4
    assert [name for name, _ in model.named_modules()] == ["", "0", "1"]
    assert [name for name, _ in model.named_modules(remove_duplicate=False)] == ["", "0", "1", "2"]
    assert [name for name, _ in model.named_children()] == ["0", "1"]
    model[2] = nn.Linear(2, 2)
    model[2].weight = layer.weight
    assert len(list(model.parameters())) == 3


def test_typo_suggests_the_near_name():
    net = Net()
    for wrong, near in [("frist", "first"), ("scal", "scale"), ("meen", "mean"), ("paramters", "parameters")]:
        with pytest.raises(AttributeError, match=rf"'Net' object has no attribute '{wrong}' \(did you mean '{near}"):
            getattr(net, wrong)
    with pytest.raises(AttributeError, match=r"did you mean 'weight'\?"):
        net.first.wieght  # noqa: B018
    with pytest.raises(AttributeError, match=r"no attribute 'qqqqq'$"):
        net.qqqqq  # noqa: B018
    with pytest.raises(AttributeError):
        del net.qqqqq
    assert not hasattr(net, "frist")
    with pytest.raises(AttributeError) as error:
        net.scal  # noqa: B018
    assert str(pickle.loads(pickle.dumps(error.value))).endswith("'scale'?)")


def test_assignment_rules():
    net = Net()
    with pytest.raises(TypeError, match="as parameter 'scale'"):
        net.scale = minitorch.ones(4)
    with pytest.raises(TypeError, match="as child module 'first'"):
        net.first = 3
    with pytest.raises(TypeError, match="as buffer 'mean'"):
        net.mean = 3
    net.mean = minitorch.ones(4)
    assert net._buffers["mean"].sum() == 4
    net.scale = None
    assert net.scale is None and "scale" not in dict(net.named_parameters())
    net.scale = nn.Parameter(minitorch.zeros(4))
    net.first = None
    assert [name for name, _ in net.named_children()] == ["last"]
    net.mean = nn.Parameter(minitorch.ones(1))
    assert "mean" not in net._buffers and "mean" in net._parameters
    net.plain = 3
    net.plain = nn.Linear(1, 1)
    assert "plain" not in net.__dict__ and "plain" in net._modules
    net.statistic = nn.Buffer(minitorch.ones(1), persistent=False)
    assert "statistic" in net._buffers and "statistic" not in net.state_dict()
    del net.statistic, net.plain
    assert not hasattr(net, "statistic") and not hasattr(net, "plain")


def test_assignment_before_init():
    class Early(nn.Module):
        def __init__(self, value):
            self.value = value

    for value in (nn.Parameter(minitorch.ones(1)), nn.Linear(1, 1), nn.Buffer(minitorch.ones(1))):
        with pytest.raises(AttributeError, match=r"before Module.__init__"):
            Early(value)
    with pytest.raises(TypeError, match="takes 1 positional argument but 2"):
        nn.Module(3)
    with pytest.raises(TypeError, match="unexpected keyword argument 'x'"):
        nn.Module(x=3)


@pytest.mark.parametrize(
    ("name", "error"), [(3, TypeError), ("a.b", KeyError), ("", KeyError), ("forward", KeyError), ("plain", KeyError)]
)
def test_names_that_are_refused(name, error):
    module = nn.Module()
    module.plain = 1
    for register in (module.register_parameter, module.register_buffer, module.register_module):
        with pytest.raises(error):
            register(name, None)


def test_values_that_are_refused():
    module = nn.Module()
    with pytest.raises(TypeError):
        module.register_parameter("x", minitorch.ones(1))
    with pytest.raises(TypeError):
        module.register_buffer("x", 3)
    with pytest.raises(TypeError):
        module.add_module("x", 3)
    with pytest.raises(NotImplementedError, match='missing the required "forward"'):
        module(1)
    with pytest.raises(ValueError, match="boolean"):
        module.train(3)


def test_paths():
    net = Net()
    assert net.get_submodule("last.1") is net.last[1] and net.get_submodule("") is net
    assert net.get_parameter("first.weight") is net.first.weight
    assert net.get_buffer("mean") is net.mean
    for bad in ("nowhere", "last.7", "scale"):
        with pytest.raises(AttributeError):
            net.get_submodule(bad)
    with pytest.raises(AttributeError):
        net.get_parameter("mean")
    with pytest.raises(AttributeError):
        net.get_buffer("scale")
    net.set_submodule("last.0", nn.Tanh())
    assert isinstance(net.last[0], nn.Tanh)


def test_state_dict_round_trip():
    a, b = Net(), Net()
    assert str(b.load_state_dict(a.state_dict())) == "<All keys matched successfully>"
    assert all(same(x, y) for x, y in zip(a.state_dict().values(), b.state_dict().values(), strict=True))
    state = a.state_dict()
    assert not state["scale"].requires_grad and a.state_dict(keep_vars=True)["scale"] is a.scale
    assert state["scale"].data_ptr() == a.scale.data_ptr()
    assert b.scale.data_ptr() != a.scale.data_ptr()
    assert isinstance(state, OrderedDict)
    assert list(state._metadata) == ["", "first", "last", "last.0", "last.1"]
    assert state._metadata[""] == {"version": 1}


def test_loading_lists_everything_that_does_not_fit():
    net = Net()
    state = net.state_dict()
    state["extra"] = state.pop("scale")
    state["first.more"] = state["mean"]
    state["first.weight"] = minitorch.zeros(2, 2)
    state["first.bias"] = 3
    with pytest.raises(RuntimeError) as error:
        net.load_state_dict(state)
    text = str(error.value)
    assert text.startswith("Error(s) in loading state_dict for Net:\n\tMissing key(s)")
    for part in ('Missing key(s) in state_dict: "scale".', 'Unexpected key(s) in state_dict: "extra", "first.more".',
                 "size mismatch for first.weight", "[2, 2]", "[4, 3]", '"first.bias"'):
        assert part in text
    with pytest.raises(RuntimeError, match="size mismatch"):
        net.load_state_dict(state, strict=False)
    keys = Net().load_state_dict({"mean": minitorch.ones(4), "other": minitorch.ones(1)}, strict=False)
    assert keys.missing_keys == ["scale", "first.weight", "first.bias", "last.1.weight"]
    assert keys.unexpected_keys == ["other"]
    with pytest.raises(TypeError, match="dict-like"):
        net.load_state_dict([1])


def test_assign():
    net = nn.Linear(2, 2)
    state = {"weight": minitorch.ones(2, 2, dtype=minitorch.float64), "bias": nn.Parameter(minitorch.zeros(2))}
    net.bias.requires_grad_(False)
    net.load_state_dict(state, assign=True)
    assert net.weight.dtype == minitorch.float64 and isinstance(net.weight, nn.Parameter)
    assert net.weight.data_ptr() == state["weight"].data_ptr()
    assert net.bias is state["bias"] and not net.bias.requires_grad
    other = nn.Linear(2, 2)
    other.load_state_dict(state)
    assert other.weight.dtype == minitorch.float32 and other.weight[0, 0] == 1


def test_extra_state_and_hooks_of_state_dicts():
    class Counted(nn.Module):
        def __init__(self):
            super().__init__()
            self.count = 7

        def get_extra_state(self):
            return {"count": self.count}

        def set_extra_state(self, state):
            self.count = state["count"]

    a, b = nn.Sequential(Counted()), nn.Sequential(Counted())
    a[0].count = 9
    assert a.state_dict() == {"0._extra_state": {"count": 9}}
    b.load_state_dict(a.state_dict())
    assert b[0].count == 9
    with pytest.raises(RuntimeError, match="_extra_state"):
        b.load_state_dict({})

    seen = []
    layer = nn.Linear(1, 1)
    layer.register_state_dict_pre_hook(lambda module, prefix, keep: seen.append("pre"))
    layer.register_state_dict_post_hook(lambda module, state, prefix, local: state.update(note="here"))
    state = layer.state_dict()
    assert seen == ["pre"] and state["note"] == "here"
    layer.register_load_state_dict_pre_hook(lambda module, state, *rest: state.pop("note"))
    layer.register_load_state_dict_post_hook(lambda module, keys: keys.missing_keys.clear())
    layer.load_state_dict({"weight": minitorch.ones(1, 1), "note": 1})
    assert layer.weight.item() == 1


def test_modes_and_gradients():
    net = Net()
    assert net.eval() is net and not net.last[1].training
    net.train()
    assert net.last[1].training
    net.requires_grad_(False)
    assert not any(p.requires_grad for p in net.parameters())
    net.requires_grad_()
    net(minitorch.ones(2, 3)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad(set_to_none=False)
    assert all(float(p.grad.abs().sum()) == 0 for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_conversions():
    net = Net()
    net.register_buffer("count", minitorch.zeros(1, dtype=minitorch.int64))
    net(minitorch.ones(2, 3)).sum().backward()
    weight = net.first.weight
    assert net.double() is net and net.first.weight is weight
    assert weight.dtype == minitorch.float64 and weight.grad.dtype == minitorch.float64
    assert net.count.dtype == minitorch.int64 and net.mean.dtype == minitorch.float64
    assert net(minitorch.ones(2, 3, dtype=minitorch.float64)).dtype == minitorch.float64
    assert net.half().scale.dtype == minitorch.float16
    assert net.bfloat16().scale.dtype == minitorch.bfloat16
    assert net.to(minitorch.float32).scale.dtype == minitorch.float32
    assert net.to("cpu", minitorch.float64).scale.dtype == minitorch.float64
    assert net.to(minitorch.ones(1)).float().scale.dtype == minitorch.float32
    assert net.cpu().scale is net.scale
    assert net.type(minitorch.float64).count.dtype == minitorch.float64
    with pytest.raises(TypeError, match="floating point"):
        net.to(minitorch.int32)


def test_apply_goes_from_inside_out():
    order = []
    Net().apply(lambda module: order.append(type(module).__name__))
    assert order == ["Linear", "ReLU", "Linear", "Sequential", "Net"]


def test_repr():
    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(2, 3)
            self.b = nn.Sequential(nn.ReLU())

        def extra_repr(self):
            return "one\ntwo"

    assert repr(Outer()) == (
        "Outer(\n  one\n  two\n  (a): Linear(in_features=2, out_features=3, bias=True)\n"
        "  (b): Sequential(\n    (0): ReLU()\n  )\n)"
    )
    assert repr(nn.Module()) == "Module()"
    assert repr(nn.Dropout(0.1)) == "Dropout(p=0.1, inplace=False)"


def test_dir_lists_members():
    net = Net()
    assert {"first", "scale", "mean", "forward", "training"} <= set(dir(net))
    assert "0" not in dir(net.last)


def test_forward_hooks():
    net, seen = Net(), []
    x = minitorch.ones(2, 3)
    plain = net(x)
    first = net.register_forward_hook(lambda module, args, out: seen.append("a") or out + 1)
    net.register_forward_hook(lambda module, args, kwargs, out: seen.append(kwargs), with_kwargs=True, prepend=True)
    pre = net.register_forward_pre_hook(lambda module, args: seen.append("pre") or args[0] * 0)
    assert same(net(x, shift=2.0), net.forward(x * 0, 2.0) + 1)
    assert seen == ["pre", {"shift": 2.0}, "a"]
    pre.remove()
    pre.remove()
    assert same(net(x), plain + 1)
    first.remove()
    net.register_forward_pre_hook(lambda module, args, kwargs: (args, {"shift": 5.0}), with_kwargs=True)
    assert same(net(x), net.forward(x, 5.0))
    with nn.ReLU().register_forward_hook(print) as handle:
        assert handle.id is not None
    net.register_forward_pre_hook(lambda module, args, kwargs: 3, with_kwargs=True)
    with pytest.raises(RuntimeError, match="new_args, new_kwargs"):
        net(x)


def test_hooks_that_are_always_called():
    class Fails(nn.Module):
        def forward(self, x):
            raise ArithmeticError("first")

    called = []
    module = Fails()
    module.register_forward_hook(lambda *args: called.append(len(args)), always_call=True)
    module.register_forward_hook(lambda *args: called.append("not this one"))
    with pytest.raises(ArithmeticError):
        module(1)
    assert called == [3]

    def breaks(*args):
        raise ValueError("second")

    module.register_forward_hook(breaks, always_call=True)
    with pytest.raises(ArithmeticError), pytest.warns(UserWarning, match="second"):
        module(1)


@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda m: pickle.loads(pickle.dumps(m))])
def test_copies_share_nothing(duplicate):
    net = Net().eval()
    net.last[1].weight = nn.Parameter(net.last[1].weight.detach())
    net.scale.tag = "mine"
    twin = duplicate(net)
    assert not twin.training and isinstance(twin.scale, nn.Parameter) and twin.scale.requires_grad
    assert twin.scale.tag == "mine"
    assert all(same(a, b) for a, b in zip(net.parameters(), twin.parameters(), strict=True))
    with minitorch.no_grad():
        twin.first.weight.add_(1)
    assert not same(net.first.weight, twin.first.weight)
    assert same(twin(minitorch.zeros(1, 3)), net(minitorch.zeros(1, 3)))


def test_tied_parameters_stay_tied_in_copies():
    model = nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2))
    model[1].weight = model[0].weight
    for twin in (copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin[0].weight is twin[1].weight and twin[0].weight is not model[0].weight


@pytest.mark.cpu_only("the text names no device")
def test_parameter():
    data = minitorch.ones(2)
    parameter = nn.Parameter(data)
    assert parameter.requires_grad and parameter.is_leaf and parameter.data_ptr() == data.data_ptr()
    assert repr(parameter) == "Parameter containing:\ntensor([1., 1.], requires_grad=True)"
    assert nn.Parameter().numel() == 0
    assert not nn.Parameter(data, requires_grad=False).requires_grad
    assert isinstance(parameter, minitorch.Tensor) and not isinstance(parameter * 2, nn.Parameter)
    assert nn.Parameter(nn.Parameter(data) * 2).is_leaf
    with pytest.raises(TypeError):
        nn.Parameter([1.0])
    buffer = copy.deepcopy(nn.Buffer(data, persistent=False))
    assert isinstance(buffer, nn.Buffer) and not buffer.persistent and not buffer.requires_grad
    assert not pickle.loads(pickle.dumps(buffer)).persistent


def test_computed_parameters_are_refused():
    module = nn.Module()
    computed = nn.Parameter(minitorch.ones(2))
    computed.mul_  # noqa: B018 - a leaf has the method, but must not be changed while recording
    with pytest.raises(RuntimeError):
        computed.mul_(2)
    module.p = computed
    assert module.p is computed


def test_linear_uses_a_computed_weight():
    layer = nn.Linear(2, 2)
    del layer.weight
    layer.weight = minitorch.ones(2, 2) * 2
    assert same(layer(minitorch.ones(1, 2)), 4 + layer.bias.reshape(1, 2))


def test_backward_hooks_see_and_replace_gradients():
    seen = []
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 2))
    net[0].register_full_backward_hook(lambda module, inputs, outputs: seen.append((inputs[0].shape, outputs[0].shape)))
    x = minitorch.randn(5, 4, requires_grad=True)
    net(x).sum().backward()
    plain, x.grad = x.grad, None
    assert seen == [((5, 4), (5, 3))]
    double = net[1].register_full_backward_pre_hook(lambda module, outputs: (outputs[0] * 2,))
    triple = net[2].register_full_backward_hook(lambda module, inputs, outputs: (inputs[0] * 3,))
    net(x).sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), 6 * plain.numpy(), rtol=1e-6)
    double.remove()
    triple.remove()
    x.grad = None
    net(x).sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), plain.numpy())


def test_backward_hook_without_gradients_of_inputs():
    seen = []
    layer = nn.Linear(2, 3)
    layer.register_full_backward_hook(lambda module, inputs, outputs: seen.append(inputs))
    layer(minitorch.ones(1, 2)).sum().backward()
    assert seen == [(None,)]
    layer.register_full_backward_hook(lambda module, inputs, outputs: (1, 2), prepend=True)
    with pytest.raises(RuntimeError):
        layer(minitorch.ones(1, 2)).sum().backward()


def test_hooks_of_every_module():
    from minitorch.nn.modules import module as modules

    names = []
    handles = [modules.register_module_forward_pre_hook(lambda module, args: names.append(type(module).__name__)),
               modules.register_module_full_backward_hook(lambda module, i, o: names.append("back")),
               modules.register_module_forward_hook(lambda module, args, out: out + 1)]
    try:
        y = nn.Sequential(nn.ReLU())(minitorch.zeros(1, requires_grad=True))
        y.sum().backward()
    finally:
        for handle in handles:
            handle.remove()
    assert names == ["Sequential", "ReLU", "back", "back"] and y.item() == 2
    assert nn.ReLU()(minitorch.zeros(1)).item() == 0
