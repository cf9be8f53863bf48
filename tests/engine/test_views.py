"""Views: their values, strides and offsets, that they share memory, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import DTYPES, array, assert_same, dtype_of, mt, refuses, shares_memory, strides_of, tensor

A = np.arange(24.0).reshape(2, 3, 4)

# (name, what is called, the same in NumPy): all of these are views of `A`
VIEWS = [
    ("view", lambda t: t.view(4, 6), lambda a: a.reshape(4, 6)),
    ("view -1", lambda t: t.view(-1, 2), lambda a: a.reshape(-1, 2)),
    ("view shape", lambda t: t.view((3, 8)), lambda a: a.reshape(3, 8)),
    ("view 1s", lambda t: t.view(1, 24, 1), lambda a: a.reshape(1, 24, 1)),
    ("view_as", lambda t: t.view_as(mt.zeros(6, 4)), lambda a: a.reshape(6, 4)),
    ("reshape", lambda t: t.reshape(12, 2), lambda a: a.reshape(12, 2)),
    ("reshape_as", lambda t: t.reshape_as(mt.zeros(6, 4)), lambda a: a.reshape(6, 4)),
    ("transpose", lambda t: t.transpose(0, 2), lambda a: a.swapaxes(0, 2)),
    ("transpose -", lambda t: t.transpose(-1, -2), lambda a: a.swapaxes(-1, -2)),
    ("mT", lambda t: t.mT, lambda a: a.swapaxes(-1, -2)),
    ("t", lambda t: t[0].t(), lambda a: a[0].T),
    ("T", lambda t: t[0].T, lambda a: a[0].T),
    ("swapaxes", lambda t: t.swapaxes(0, 1), lambda a: a.swapaxes(0, 1)),
    ("permute", lambda t: t.permute(2, 0, 1), lambda a: a.transpose(2, 0, 1)),
    ("permute -", lambda t: t.permute((-1, 0, -2)), lambda a: a.transpose(2, 0, 1)),
    ("movedim", lambda t: t.movedim(0, 2), lambda a: np.moveaxis(a, 0, 2)),
    ("expand", lambda t: t[:, :1].expand(2, 5, 4), lambda a: np.broadcast_to(a[:, :1], (2, 5, 4))),
    ("expand -1", lambda t: t[:, :1].expand(-1, 5, -1), lambda a: np.broadcast_to(a[:, :1], (2, 5, 4))),
    ("expand new", lambda t: t.expand(5, 2, 3, 4), lambda a: np.broadcast_to(a, (5, 2, 3, 4))),
    ("expand_as", lambda t: t[:, :, :1].expand_as(t), lambda a: np.broadcast_to(a[:, :, :1], (2, 3, 4))),
    ("broadcast_to", lambda t: t[0].broadcast_to((2, 3, 4)), lambda a: np.broadcast_to(a[0], (2, 3, 4))),
    ("squeeze", lambda t: t[:1, :, :1].squeeze(), lambda a: a[0, :, 0]),
    ("squeeze dim", lambda t: t[:1, :, :1].squeeze(0), lambda a: a[0, :, :1]),
    ("squeeze other", lambda t: t[:1].squeeze(1), lambda a: a[:1]),
    ("squeeze dims", lambda t: t[:1, :, :1].squeeze((0, -1)), lambda a: a[0, :, 0]),
    ("unsqueeze", lambda t: t.unsqueeze(1), lambda a: a[:, None]),
    ("unsqueeze -1", lambda t: t.unsqueeze(-1), lambda a: a[..., None]),
    ("flatten", lambda t: t.flatten(), lambda a: a.reshape(-1)),
    ("flatten part", lambda t: t.flatten(1), lambda a: a.reshape(2, 12)),
    ("flatten ends", lambda t: t.flatten(0, -2), lambda a: a.reshape(6, 4)),
    ("unflatten", lambda t: t.unflatten(2, (2, -1)), lambda a: a.reshape(2, 3, 2, 2)),
    ("ravel", lambda t: t.ravel(), lambda a: a.ravel()),
    ("narrow", lambda t: t.narrow(1, 1, 2), lambda a: a[:, 1:3]),
    ("narrow -", lambda t: t.narrow(-1, -3, 2), lambda a: a[..., 1:3]),
    ("select", lambda t: t.select(1, 2), lambda a: a[:, 2]),
    ("select -", lambda t: t.select(-1, -1), lambda a: a[..., -1]),
    ("[0]", lambda t: t[0], lambda a: a[0]),
    ("[-1]", lambda t: t[-1], lambda a: a[-1]),
    ("[1, 2]", lambda t: t[1, 2], lambda a: a[1, 2]),
    ("[1, 2, 3]", lambda t: t[1, 2, 3], lambda a: a[1, 2, 3:].reshape(())),
    ("[:, 1:]", lambda t: t[:, 1:], lambda a: a[:, 1:]),
    ("[..., ::2]", lambda t: t[..., ::2], lambda a: a[..., ::2]),
    ("[:, -2:]", lambda t: t[:, -2:], lambda a: a[:, -2:]),
    ("[:, :-1]", lambda t: t[:, :-1], lambda a: a[:, :-1]),
    ("[:, -3:-1]", lambda t: t[:, -3:-1], lambda a: a[:, -3:-1]),
    ("[..., -9:]", lambda t: t[..., -9:], lambda a: a[..., -9:]),
    ("[..., -9:-9]", lambda t: t[..., -9:-9], lambda a: a[..., -9:-9]),
    ("[..., 1:99:3]", lambda t: t[..., 1:99:3], lambda a: a[..., 1:99:3]),
    ("[:, 2:1]", lambda t: t[:, 2:1], lambda a: a[:, 2:1]),
    ("[:, 7:]", lambda t: t[:, 7:], lambda a: a[:, 7:]),
    ("[None]", lambda t: t[None], lambda a: a[None]),
    ("[:, None, 1]", lambda t: t[:, None, 1], lambda a: a[:, None, 1]),
    ("[..., None, 0]", lambda t: t[..., None, 0], lambda a: a[..., None, 0]),
    ("[1, ..., 2]", lambda t: t[1, ..., 2], lambda a: a[1, ..., 2]),
    ("[...]", lambda t: t[...], lambda a: a[...]),
    ("[()]", lambda t: t[()], lambda a: a[()]),
    ("[np.int64(1)]", lambda t: t[np.int64(1)], lambda a: a[1]),
    ("[tensor(1)]", lambda t: t[mt.tensor(1) :], lambda a: a[1:]),
    ("diagonal", lambda t: t.diagonal(0, 1, 2), lambda a: a.diagonal(0, 1, 2)),
    ("diagonal +1", lambda t: t.diagonal(1, 0, 2), lambda a: a.diagonal(1, 0, 2)),
    ("diagonal -1", lambda t: t.diagonal(-1, 1, 2), lambda a: a.diagonal(-1, 1, 2)),
    ("diagonal past", lambda t: t.diagonal(9, 1, 2), lambda a: a.diagonal(9, 1, 2)),
    ("unfold", lambda t: t.unfold(2, 3, 1), lambda a: np.lib.stride_tricks.sliding_window_view(a, 3, 2)),
    ("unfold step", lambda t: t.unfold(1, 1, 2), lambda a: np.lib.stride_tricks.sliding_window_view(a, 1, 1)[:, ::2]),
    (
        "as_strided",
        lambda t: t.as_strided((3, 2), (1, 5), 2),
        lambda a: np.lib.stride_tricks.as_strided(a.ravel()[2:], (3, 2), (8, 40)),
    ),
    (
        "as_strided overlap",
        lambda t: t.as_strided((4, 4), (1, 1)),
        lambda a: np.lib.stride_tricks.as_strided(a.ravel(), (4, 4), (8, 8)),
    ),
    ("detach", lambda t: t.detach(), lambda a: a),
    ("data", lambda t: t.data, lambda a: a),
    ("chunk", lambda t: t.chunk(2, 1)[1], lambda a: a[:, 2:]),
    ("split", lambda t: t.split(3, 2)[1], lambda a: a[..., 3:]),
    ("split sizes", lambda t: t.split([1, 2], 1)[1], lambda a: a[:, 1:]),
    ("unbind", lambda t: t.unbind(1)[2], lambda a: a[:, 2]),
]


@pytest.mark.parametrize("name, f, expected", VIEWS, ids=[v[0] for v in VIEWS])
def test_views(name: str, f, expected, device: str) -> None:
    """The same elements, strides and offset as in NumPy, in the same memory, seen changing."""
    base = A.copy()
    want = expected(base)
    t = tensor(A)
    v = f(t)
    assert_same(v, np.array(want))
    assert shares_memory(t, v) and v.dtype == t.dtype
    strides = tuple(s // 8 for s in want.strides)
    if want.size:
        compare = [(n, a, b) for n, a, b in zip(want.shape, v.stride(), strides) if n > 1]
        assert all(a == b for _, a, b in compare), (v.stride(), strides)
        offset = (want.__array_interface__["data"][0] - base.__array_interface__["data"][0]) // 8
        assert v.storage_offset() == offset and v.data_ptr() == t.data_ptr() + 8 * offset
    assert tuple(v.shape) == want.shape and v.dim() == v.ndim == want.ndim and v.numel() == want.size
    t.mul_(2)  # a change of the base is seen through the view
    assert_same(v, np.array(expected(A * 2)))
    if (
        want.size
        and "expand" not in name
        and "broadcast" not in name
        and "strided" not in name
        and "unfold" not in name
    ):
        v.fill_(-1)  # and the other way round
        changed = A * 2
        w = expected(changed)
        w.flags.writeable = True
        w[...] = -1
        assert_same(t, changed)


@pytest.mark.parametrize("name", DTYPES)
def test_views_in_every_dtype(name: str, device: str) -> None:
    x = np.arange(24).reshape(2, 3, 4) % (2 if name == "bool" else 100)
    t = tensor(x, name)
    want = x.transpose(2, 0, 1)[1:, ::-1][:, ::-1, ::2]
    v = t.permute(2, 0, 1)[1:, :, ::2]
    np.testing.assert_array_equal(array(v), want)
    np.testing.assert_array_equal(array(v.contiguous()), want)
    assert v.data_ptr() == t.data_ptr() + t.element_size() and v.dtype == dtype_of(name)


def test_strides_and_contiguity(device: str) -> None:
    t = tensor(A)
    assert t.stride() == (12, 4, 1) and t.stride(1) == 4 and t.stride(-1) == 1
    assert t.size() == (2, 3, 4) and t.size(-1) == 4 and t.shape == (2, 3, 4) and isinstance(t.shape, tuple)
    assert isinstance(t.shape, mt.Size) and t.shape.numel() == 24 and isinstance(t.shape[1:], mt.Size)
    assert repr(t.shape).endswith("Size([2, 3, 4])")
    assert t.is_contiguous() and not t.mT.is_contiguous() and not t[..., ::2].is_contiguous()
    assert t[1].is_contiguous() and t[:, :1].squeeze().is_contiguous() is False
    assert t[:1, :, :].is_contiguous() and t[:, :0].is_contiguous() and t[0, 0, 0].is_contiguous()
    assert tensor(A[:1]).expand(5, 3, 4).is_contiguous() is False
    assert tensor(A[:, :1, :1]).transpose(1, 2).is_contiguous()  # a dimension of size 1 may have any stride
    assert t.contiguous() is t or t.contiguous().data_ptr() == t.data_ptr()
    c = t.mT.contiguous()
    assert c.is_contiguous() and c.data_ptr() != t.data_ptr() and c.stride() == (12, 3, 1)
    assert t.expand(5, 2, 3, 4).stride() == (0, 12, 4, 1)
    assert t.unsqueeze(0).stride()[1:] == (12, 4, 1)
    assert mt.zeros(3, 0, 2).stride() == (2, 2, 1)
    assert mt.zeros(()).stride() == () and mt.zeros(()).dim() == 0
    assert mt.empty_like(t.mT).stride() == t.mT.stride() and mt.empty_like(t[..., ::2]).is_contiguous()
    assert t.clone().stride() == t.stride() and t.mT.clone().stride() == t.mT.stride()


@pytest.mark.parametrize("shape", [(), (1,), (0,), (2, 0, 3), (5,), (2, 3, 4), (1, 4, 1)], ids=str)
def test_fresh_tensors_are_contiguous(shape, device: str) -> None:
    t = mt.zeros(shape)
    assert t.is_contiguous() and t.storage_offset() == 0
    assert t.stride() == tuple(max(s, 1) for s in strides_of(shape))
    if t.numel():
        assert t.data_ptr() % 64 == 0


def test_view_of_what_is_not_contiguous(device: str) -> None:
    """A view may split and merge dimensions that lie together; otherwise it is refused, and reshape copies."""
    t = tensor(A)
    assert t.mT.view(2, 2, 2, 3).stride() == (12, 2, 1, 4)
    assert t.permute(2, 0, 1).view(4, 6).stride() == (1, 4)
    assert t[:, ::2].view(2, 2, 2, 2).stride() == (12, 8, 2, 1)
    assert t[:, :1].expand(2, 4, 4).view(2, 2, 2, 4).stride() == (12, 0, 0, 1)
    assert mt.zeros(0, 3).t().view(0).numel() == 0
    for v, shape in ((t.mT, (24,)), (t.mT, (2, 12)), (t[:, ::2], (16,)), (t.permute(1, 0, 2), (6, 4))):
        with refuses(RuntimeError, "view"):
            v.view(shape)
        copy = v.reshape(shape)
        assert not shares_memory(copy, t)
        assert_same(copy, array(v).reshape(shape))


REFUSALS = [
    ("view size", lambda t: t.view(5, 5), RuntimeError, ("5, 5", "24")),
    ("view two -1", lambda t: t.view(-1, -1), RuntimeError, ("infer",)),
    ("view -1 does not divide", lambda t: t.view(-1, 5), RuntimeError, ("-1, 5",)),
    ("view negative", lambda t: t.view(-2, 12), RuntimeError, ("-2",)),
    ("view -1 of nothing", lambda t: mt.zeros(0, 3).view(-1, 0), RuntimeError, ("-1",)),
    ("reshape size", lambda t: t.reshape(7), RuntimeError, ("7", "24")),
    ("view overflow", lambda t: t.view(2**62, 2**62), (RuntimeError, OverflowError, ValueError), ()),
    ("view overflow to 24", lambda t: t.view(2**61 + 3, 8), (RuntimeError, OverflowError, ValueError), ()),
    ("transpose dim", lambda t: t.transpose(0, 3), IndexError, ("3",)),
    ("transpose -dim", lambda t: t.transpose(-4, 0), IndexError, ("-4",)),
    ("permute count", lambda t: t.permute(0, 1), RuntimeError, ("permute",)),
    ("permute repeated", lambda t: t.permute(0, 1, 1), RuntimeError, ("permute",)),
    ("permute dim", lambda t: t.permute(0, 1, 5), IndexError, ("5",)),
    ("expand size", lambda t: t.expand(2, 5, 4), RuntimeError, ("expand", "5")),
    ("expand fewer", lambda t: t.expand(3, 4), RuntimeError, ("expand",)),
    ("expand -1 leading", lambda t: t.expand(-1, 2, 3, 4), RuntimeError, ("-1",)),
    ("expand negative", lambda t: t.expand(-2, 3, 4), RuntimeError, ("-2",)),
    ("squeeze dim", lambda t: t.squeeze(3), IndexError, ("3",)),
    ("unsqueeze dim", lambda t: t.unsqueeze(5), IndexError, ("5",)),
    ("flatten order", lambda t: t.flatten(2, 1), RuntimeError, ("flatten",)),
    ("flatten dim", lambda t: t.flatten(0, 7), IndexError, ("7",)),
    ("narrow start", lambda t: t.narrow(1, 4, 1), (IndexError, RuntimeError), ("4",)),
    ("narrow length", lambda t: t.narrow(1, 1, 3), RuntimeError, ("3",)),
    ("narrow negative length", lambda t: t.narrow(1, 1, -1), RuntimeError, ("length",)),
    ("narrow overflow", lambda t: t.narrow(1, 2, 2**63 - 1), RuntimeError, ()),
    ("select index", lambda t: t.select(1, 3), IndexError, ("3",)),
    ("select 0-d", lambda t: mt.tensor(1.0).select(0, 0), IndexError, ("0",)),
    ("[2]", lambda t: t[2], IndexError, ("2",)),
    ("[-3]", lambda t: t[-3], IndexError, ("-3",)),
    ("[huge]", lambda t: t[2**63 - 1], IndexError, ()),
    ("too many", lambda t: t[0, 0, 0, 0], IndexError, ("too many", "3")),
    ("0-d index", lambda t: mt.tensor(1.0)[0], IndexError, ("0",)),
    ("step 0", lambda t: t[::0], ValueError, ("step",)),
    ("step -1", lambda t: t[::-1], ValueError, ("step",)),
    ("string index", lambda t: t["a"], (IndexError, TypeError), ()),
    ("float index", lambda t: t[1.5], (IndexError, TypeError), ()),
    ("float slice", lambda t: t[1.5:], (IndexError, TypeError), ()),
    ("diagonal same", lambda t: t.diagonal(0, 1, 1), RuntimeError, ("diagonal",)),
    ("diagonal dim", lambda t: t.diagonal(0, 1, 3), IndexError, ("3",)),
    ("unfold size", lambda t: t.unfold(1, 4, 1), RuntimeError, ("4",)),
    ("unfold step", lambda t: t.unfold(1, 2, 0), RuntimeError, ("step",)),
    ("unfold negative", lambda t: t.unfold(1, -1, 1), RuntimeError, ()),
    ("as_strided past the end", lambda t: t.as_strided((25,), (1,)), RuntimeError, ("storage",)),
    ("as_strided offset past the end", lambda t: t.as_strided((1,), (1,), 24), RuntimeError, ("storage",)),
    ("as_strided negative offset", lambda t: t.as_strided((1,), (1,), -1), RuntimeError, ("offset",)),
    ("as_strided negative stride", lambda t: t.as_strided((2,), (-1,), 5), RuntimeError, ("stride",)),
    ("as_strided count", lambda t: t.as_strided((2, 2), (1,)), RuntimeError, ("stride",)),
    ("as_strided negative size", lambda t: t.as_strided((-2,), (1,)), RuntimeError, ("-2",)),
    ("as_strided overflow", lambda t: t.as_strided((2**40, 2**40), (2**40, 2**40)), RuntimeError, ()),
    ("as_strided overflow back in range", lambda t: t.as_strided((3,), (2**62,)), RuntimeError, ()),
    ("t of 3-d", lambda t: t.t(), RuntimeError, ("3",)),
    ("mT of 1-d", lambda t: t[0, 0].mT, RuntimeError, ()),
    ("item of many", lambda t: t.item(), RuntimeError, ("24",)),
    ("bool of many", lambda t: bool(t), RuntimeError, ()),
    ("bool of none", lambda t: bool(mt.zeros(0)), RuntimeError, ()),
    ("len of 0-d", lambda t: len(mt.tensor(1.0)), TypeError, ("0-d",)),
    ("iterate 0-d", lambda t: list(mt.tensor(1.0)), TypeError, ("0-d",)),
    ("stride dim", lambda t: t.stride(3), IndexError, ("3",)),
    ("size dim", lambda t: t.size(-4), IndexError, ("-4",)),
    ("split sum", lambda t: t.split([1, 1], 1), RuntimeError, ("split",)),
    ("chunk 0", lambda t: t.chunk(0), RuntimeError, ("chunk",)),
]


@pytest.mark.parametrize("f, kind, fragments", [r[1:] for r in REFUSALS], ids=[r[0] for r in REFUSALS])
def test_refusals(f, kind, fragments, device: str) -> None:
    t = tensor(A)
    with refuses(kind, *fragments):
        f(t)
    assert_same(t, A)


def test_zero_d_and_one_element(device: str) -> None:
    s = mt.tensor(2.5)
    assert s.item() == 2.5 and float(s) == 2.5 and int(s) == 2 and bool(s) and s.tolist() == 2.5
    assert mt.tensor([[3]]).item() == 3 and isinstance(mt.tensor(3).item(), int) and mt.tensor(True).item() is True
    assert s.view(1, 1).shape == (1, 1) and s.reshape(-1).shape == (1,) and s.unsqueeze(0).shape == (1,)
    assert s.flatten().shape == (1,) and s.expand(3).shape == (3,) and s.expand(()).shape == ()
    assert (
        s.transpose(0, 0).shape == ()
        and s.transpose(-1, 0).shape == ()
        and s.permute(()).shape == ()
        and s.squeeze(0).shape == ()
    )
    assert s[None].shape == (1,) and s[...].shape == () and s.t().shape == ()
    assert range(10)[mt.tensor(3)] == 3 and [0, 1, 2][mt.tensor(2)] == 2


def test_iteration_and_length(device: str) -> None:
    t = tensor(A)
    assert len(t) == 2
    for part, want in zip(t, A):
        assert_same(part, want)
        assert shares_memory(part, t)
    assert t.tolist() == A.tolist()
    assert [x.item() for x in tensor([1, 2])] == [1, 2]
    a, b = tensor([1, 2])
    assert a == 1 and b == 2
    assert (tensor(3.0) == 3.0) and 2.0 in tensor([1.0, 2.0]) and 5.0 not in tensor([1.0, 2.0])


def test_assignment(device: str) -> None:
    """Through every kind of basic index, from numbers, tensors and arrays that broadcast, with conversion."""

    def check(index, value, plain=None):
        t, a = tensor(A), A.copy()
        alias = t.data_ptr()
        t[index] = value
        a[index] = value if plain is None else plain
        assert_same(t, a)
        assert t.data_ptr() == alias

    check(0, 5.0)
    check((1, 2, 3), -1)
    check((slice(None), 1), tensor([1.0, 2.0, 3.0, 4.0]), np.arange(1.0, 5))
    check((Ellipsis, slice(None, None, 2)), tensor([[[7]], [[8]]]), np.array([[[7]], [[8]]]))
    check((slice(None), slice(-2, None)), tensor(np.ones((1, 2, 4), "f4")), 1.0)
    check((Ellipsis,), 3)
    check((slice(2, 1),), 3)
    check((0, None), tensor(9.0), 9.0)
    t = tensor(A)
    t[1] = t[0]
    assert_same(t[1], A[0])
    for index, value in ((0, tensor([1.0, 2.0])), (5, 1.0), ((0, 0, 0, 0), 1.0), (slice(None, None, -1), 1.0)):
        with refuses((RuntimeError, IndexError, ValueError)):
            t[index] = value
    with refuses((TypeError, RuntimeError, ValueError)):
        t[0] = "a"


def test_assignment_from_overlapping_memory(device: str) -> None:
    """A copy between overlapping views reads before it writes."""
    t = tensor(np.arange(10.0))
    try:
        t[1:] = t[:-1]
    except RuntimeError as error:
        assert "overlap" in str(error) or "memory" in str(error)
    else:
        assert_same(t, np.concatenate([[0], np.arange(9.0)]))


def test_copy(device: str) -> None:
    """copy_ converts, broadcasts, and goes between any two layouts."""
    from helpers import layouts

    rng = np.random.default_rng(0)
    x = rng.integers(0, 100, (4, 6, 5)).astype("f4")
    for (_, target), (_, source) in zip(layouts(np.zeros_like(x)), list(layouts(x))[::-1]):
        assert target.copy_(source) is target
        assert_same(target, x)
    assert_same(mt.zeros(3, 2, dtype=mt.int32).copy_(tensor([1.7, -2.2])), np.array([[1, -2]] * 3, np.int32))
    big = rng.standard_normal((300, 401)).astype("f4")
    assert_same(tensor(big).t().contiguous(), np.ascontiguousarray(big.T))
    assert_same(tensor(big).t().to(mt.float64), big.T.astype("f8"))
    with refuses(RuntimeError, "2"):
        mt.zeros(3).copy_(mt.zeros(2))


def test_cat_and_stack(device: str) -> None:
    a, b = tensor(A), tensor(A + 100)
    for dim in (0, 1, 2, -1):
        assert_same(mt.cat([a, b], dim), np.concatenate([A, A + 100], dim))
        assert_same(mt.stack([a, b.transpose(0, 2).transpose(0, 2)], dim), np.stack([A, A + 100], dim))
    assert_same(mt.cat([a[:, :1], b[:, 1:]], 1), np.concatenate([A[:, :1], A[:, 1:] + 100], 1))
    assert mt.cat([tensor([1]), tensor([1.5])]).dtype == mt.float64
    with refuses(RuntimeError, "cat"):
        mt.cat([a, mt.zeros(2, 2, 2, dtype=mt.float64)])
    with refuses(RuntimeError, "stack"):
        mt.stack([a, a[0]])
    with refuses((RuntimeError, ValueError), "cat"):
        mt.cat([])


def test_set_data_and_pickle(device: str) -> None:
    import copy
    import pickle

    t = tensor(A).transpose(0, 1)
    for other in (pickle.loads(pickle.dumps(t)), copy.deepcopy(t)):
        assert_same(other, array(t))
        assert not shares_memory(other, t) and other.dtype == t.dtype
    assert copy.deepcopy(t).stride() == t.stride()
    assert copy.copy(t).data_ptr() == t.data_ptr()
