"""PyTorch's database of operators with sample inputs, and its samples carried over to minitorch."""

import warnings

import pytest

import minitorch

torch = pytest.importorskip("torch")


def operators():
    """PyTorch's descriptions of operators; none where its test database is not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            from torch.testing._internal.common_methods_invocations import op_db
        except ImportError:
            return []
    return list(op_db)


def ours(info):
    """Our function or method of that operator's name, or None."""
    if info.variant_test_name == "in_place":
        return getattr(minitorch.Tensor, info.name + "_", None)
    target = minitorch
    for part in info.name.split("."):
        target = getattr(target, part, None)
    return target or getattr(minitorch.Tensor, info.name, None)


class Unlike(Exception):
    """An argument that has no counterpart here: sparse, quantised, on another device."""


def counterpart(value, bases):
    """`value` with every tensor replaced by ours over a copy of the same storage; aliases stay aliases."""
    if isinstance(value, torch.Tensor):
        plain = value.layout is torch.strided and value.device.type == "cpu" and not (value.is_conj() or value.is_neg())
        if not plain or value.ndim > 64:
            raise Unlike(value)
        key = (value.untyped_storage().data_ptr(), value.untyped_storage().nbytes(), value.dtype)
        if key not in bases:
            flat = torch.empty(0, dtype=value.dtype).set_(value.untyped_storage())
            bases[key] = minitorch.tensor(flat.tolist(), dtype=counterpart(value.dtype, bases))
        view = bases[key].as_strided(tuple(value.shape), value.stride(), value.storage_offset())
        return view.requires_grad_() if value.requires_grad and value.is_leaf else view
    if isinstance(value, (torch.dtype, torch.layout, torch.memory_format)):
        name = str(value).removeprefix("torch.")
        if not hasattr(minitorch, name):
            raise Unlike(name)
        return getattr(minitorch, name)
    if isinstance(value, torch.device):
        return minitorch.device(str(value))
    if isinstance(value, torch.Size):
        return minitorch.Size(value)
    if isinstance(value, (list, tuple)):
        return type(value)(counterpart(item, bases) for item in value)
    if isinstance(value, dict):
        return {name: counterpart(item, bases) for name, item in value.items()}
    return value
