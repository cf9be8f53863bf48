"""Attention on the device, which never holds a matrix of scores."""
import math

import pytest
from helpers import mt

pytestmark = pytest.mark.on_the_device
F = mt.nn.functional


def plain(q, k, v, mask=None, causal=False, scale=None):
    """In float64, with all scores at once."""
    q, k, v = (t.double() for t in (q, k, v))
    groups = q.shape[1] // k.shape[1]
    k, v = k.repeat_interleave(groups, 1), v.repeat_interleave(groups, 1)
    scores = q @ k.mT * (1 / math.sqrt(q.shape[-1]) if scale is None else scale)
    if causal:
        mask = mt.ones(scores.shape[-2:], dtype=mt.bool).tril()
    if mask is not None:
        scores = scores.masked_fill(~mask, -math.inf) if mask.dtype == mt.bool else scores + mask
    weights = scores.softmax(-1)
    return weights.masked_fill((scores == -math.inf).all(-1, keepdim=True), 0.0) @ v


def operands(*, batch=2, heads=3, kv_heads=None, queries=70, keys=67, width=20, value_width=None, dtype=mt.float32):
    mt.manual_seed(0)
    kv_heads, value_width = kv_heads or heads, value_width or width
    shapes = (batch, heads, queries, width), (batch, kv_heads, keys, width), (batch, kv_heads, keys, value_width)
    return [mt.randn(shape).to(dtype) for shape in shapes]


def check(q, k, v, mask=None, causal=False, scale=None, tolerance=2e-6):
    """Values and gradients against those of float64 on the CPU."""
    leaves = [t.double().clone().requires_grad_() for t in (q, k, v)]
    expected = plain(*leaves, mask, causal, scale)
    g = mt.randn(expected.shape).to(q.dtype)
    expected.backward(g.double())
    there = [t.cuda().requires_grad_() for t in (q, k, v)]
    out = F.scaled_dot_product_attention(*there, None if mask is None else mask.cuda(), 0.0, causal, scale,
                                         enable_gqa=q.shape[1] != k.shape[1])
    assert out.is_cuda and out.dtype == q.dtype and out.grad_fn.name() == "ScaledDotProductAttentionBackward0"
    out.backward(g.cuda())
    pairs = [(out, expected), *((t.grad, leaf.grad) for t, leaf in zip(there, leaves))]
    for got, right in pairs:
        error = (got.detach().cpu().double() - right).abs().max().item()
        assert error <= tolerance * max(1.0, right.abs().max().item()), (error, right.abs().max().item())


@pytest.mark.parametrize("sizes", [
    {}, {"queries": 1, "keys": 1, "width": 1}, {"queries": 64, "keys": 64, "width": 16}, {"queries": 130, "keys": 3},
    {"queries": 5, "keys": 200, "batch": 1, "heads": 1}, {"width": 8, "value_width": 8, "heads": 4, "kv_heads": 2},
    {"heads": 6, "kv_heads": 1, "queries": 9, "keys": 11}, {"width": 130, "queries": 10, "keys": 9, "heads": 1},
])  # fmt: skip
@pytest.mark.parametrize("causal", [False, True])
def test_shapes(sizes, causal):
    check(*operands(**sizes), causal=causal)


@pytest.mark.parametrize(("dtype", "tolerance"), [(mt.float64, 1e-14), (mt.float16, 2e-3), (mt.bfloat16, 2e-2)])
def test_types(dtype, tolerance):
    check(*operands(dtype=dtype), causal=True, tolerance=tolerance)


def test_values_of_another_width():
    q, k, v = (t.cuda() for t in operands(value_width=33))
    out = mt._ext.attention.attention(q, k, v, None, False, 0.25)
    assert (out.cpu() - plain(q.cpu(), k.cpu(), v.cpu(), scale=0.25)).abs().max() < 1e-6


@pytest.mark.parametrize("kind", ["bool", "numbers", "of keys", "of queries", "of one head"])
def test_masks(kind):
    q, k, v = operands()
    shape = {"of keys": (2, 1, 1, 67), "of queries": (70, 1), "of one head": (2, 1, 70, 67)}.get(kind, (70, 67))
    mask = mt.rand(shape) > 0.3
    if kind == "numbers":
        mask = mt.randn(shape).masked_fill(~mask, -math.inf)
    check(q, k, v, mask)


def test_rows_that_see_nothing():
    q, k, v = operands()
    mask = mt.rand(70, 67) > 0.5
    mask[3] = mask[69] = False
    check(q, k, v, mask)
    out = F.scaled_dot_product_attention(q.cuda(), k.cuda(), v.cuda(), mask.cuda())
    assert (out[:, :, 3] == 0).all()


def test_layouts():
    q, k, v = operands(queries=12, keys=13)
    heads_inside = [t.transpose(1, 2).contiguous().transpose(1, 2) for t in (q, k, v)]
    rows_apart = [mt.stack([t, t], 3).select(3, 0) for t in (q, k, v)]
    columns_apart = [t.mT.contiguous().mT for t in (q, k, v)]
    shared = [q[:1].expand(2, -1, -1, -1), k, v]
    for there in (heads_inside, rows_apart, columns_apart, shared):
        expected = plain(*there, causal=True)
        out = F.scaled_dot_product_attention(*(t.cuda() for t in there), is_causal=True)
        assert (out.cpu() - expected).abs().max() < 1e-6


def test_large_scores_do_not_overflow():
    q, k, v = operands(queries=9, keys=70)
    check(100 * q, 100 * k, v, tolerance=2e-4)


def test_nan_and_infinity_stay_in_their_rows():
    q, k, v = operands(queries=70, keys=67)
    q[0, 0, 5, 0] = math.nan
    q[1, 2, 6, 0] = math.inf
    out = F.scaled_dot_product_attention(q.cuda(), k.cuda(), v.cuda()).cpu()
    wrong = out.isnan().all(-1)
    assert wrong[0, 0, 5] and wrong[1, 2, 6] and wrong.sum() == 2


def test_no_matrix_of_scores():
    """Memory grows with the length, not with its square."""

    def peak(n):
        q = mt.randn(1, 1, n, 8, device="cuda", requires_grad=True)
        mt.cuda.reset_peak_memory_stats()
        before = mt.cuda.memory_allocated()
        F.scaled_dot_product_attention(q, q, q, is_causal=True).sum().backward()
        return mt.cuda.max_memory_allocated() - before

    assert peak(512) < 5 * peak(128)


def test_a_result_that_is_changed_in_place():
    q, k, v = operands(queries=9, keys=9)
    expected = [t.clone().requires_grad_() for t in (q, k, v)]
    (plain(*expected) * 2).sum().backward()
    there = [t.cuda().requires_grad_() for t in (q, k, v)]
    out = F.scaled_dot_product_attention(*there)
    out.mul_(2)
    out.sum().backward()
    for t, right in zip(there, expected):
        assert (t.grad.cpu() - right.grad).abs().max() < 1e-5


def test_second_derivatives():
    few = operands(batch=1, heads=1, queries=4, keys=5, width=3, dtype=mt.float64)
    leaves = tuple(t.cuda().requires_grad_() for t in few)
    assert mt.autograd.gradgradcheck(lambda *x: F.scaled_dot_product_attention(*x, is_causal=True), leaves)


def test_two_devices_are_refused():
    q, k, v = operands(queries=4, keys=4)
    with pytest.raises(RuntimeError, match="attention"):
        mt._ext.attention.attention(q.cuda(), k, v, None, False, 1.0)


def test_a_layer():
    mt.manual_seed(0)
    layer = mt.nn.MultiheadAttention(16, 4, batch_first=True)
    x = mt.randn(2, 9, 16)
    expected = layer(x, x, x, need_weights=False)[0]
    there = layer.cuda()
    out = there(x.cuda(), x.cuda(), x.cuda(), need_weights=False)[0]
    assert (out.cpu() - expected).abs().max() < 1e-6
