"""Attention in blocks against the formula: masks, shared heads, sizes around the blocks' edges."""

import numpy as np
import pytest

import minitorch
from minitorch import nn
from minitorch.nn import functional as F


def true_attention(q, k, v, mask=None, causal=False, scale=None):
    groups = q.shape[-3] // k.shape[-3]
    k, v = np.repeat(k, groups, -3), np.repeat(v, groups, -3)
    scores = q @ k.swapaxes(-1, -2) * (scale or q.shape[-1] ** -0.5)
    if causal:
        scores = np.where(np.tril(np.ones(scores.shape[-2:], bool)), scores, -np.inf)
    if mask is not None:
        scores = np.where(mask, scores, -np.inf) if mask.dtype == bool else scores + mask
    top = scores.max(-1, keepdims=True)
    weights = np.exp(scores - np.where(np.isinf(top), 0, top))
    total = weights.sum(-1, keepdims=True)
    return weights / np.where(total == 0, 1, total) @ v


def operands(shape_q, shape_k, value_width, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.standard_normal(s) for s in (shape_q, shape_k, (*shape_k[:-1], value_width))]


MASKS = {
    "none": lambda rng, n, m: None,
    "bool": lambda rng, n, m: rng.random((n, m)) > 0.4,
    "float": lambda rng, n, m: rng.standard_normal((n, m)),
    "heads": lambda rng, n, m: rng.random((2, 1, n, m)) > 0.4,
}


@pytest.mark.parametrize("mask", [*MASKS, "causal"])
@pytest.mark.parametrize("n, m", [(1, 1), (5, 7), (130, 70), (65, 129), (3, 5000)])
def test_against_the_formula(n, m, mask):
    arrays = operands((2, 4, n, 4), (2, 2, m, 4), 3)
    causal = mask == "causal"
    hidden = None if causal else MASKS[mask](np.random.default_rng(1), n, m)
    q, k, v = tensors = [minitorch.tensor(a, requires_grad=True) for a in arrays]
    given = None if hidden is None else minitorch.tensor(hidden)
    out = F.scaled_dot_product_attention(q, k, v, given, is_causal=causal, enable_gqa=True)
    np.testing.assert_allclose(out.detach().numpy(), true_attention(*arrays, hidden, causal), rtol=1e-10, atol=1e-12)
    # the gradient, by the same in plain operations
    g = minitorch.randn(out.shape, dtype=minitorch.float64)
    ours = minitorch.autograd.grad(out, tensors, g)
    visible = given if given is not None or not causal else minitorch.tensor(np.tril(np.ones((n, m), bool)))
    whole = [t if t is q else t.unsqueeze(2).expand(2, 2, 2, m, t.shape[3]).reshape(2, 4, m, t.shape[3])
             for t in tensors]
    scores = whole[0] @ whole[1].transpose(2, 3) * 0.5
    if visible is not None:
        scores = scores.masked_fill(~visible, -1e300) if visible.dtype == minitorch.bool else scores + visible
    weights = scores.softmax(-1)
    if visible is not None and visible.dtype == minitorch.bool:
        weights = weights * visible.any(-1, keepdim=True)
    expected = minitorch.autograd.grad(weights @ whole[2], tensors, g)
    for a, b in zip(ours, expected, strict=True):
        np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-8, atol=1e-10)


@pytest.mark.parametrize("causal", [False, True])
def test_second_derivatives(causal):
    arrays = operands((1, 2, 3, 2), (1, 1, 4, 2), 2)
    inputs = [minitorch.tensor(a, requires_grad=True) for a in arrays]

    def gradients(values):
        out = F.scaled_dot_product_attention(*values, is_causal=causal, enable_gqa=True)
        return minitorch.autograd.grad((out * out).sum(), values, create_graph=True)

    directions = [minitorch.randn_like(t) for t in inputs]
    exact = minitorch.autograd.grad(sum((g * d).sum() for g, d in zip(gradients(inputs), directions)), inputs)
    step = 1e-6
    for k, t in enumerate(inputs):
        e = minitorch.randn_like(t)
        moved = []
        for sign in (1, -1):
            values = [(u.detach() + (sign * step * e if j == k else 0)).requires_grad_() for j, u in enumerate(inputs)]
            moved.append(sum((g * d).sum() for g, d in zip(gradients(values), directions)))
        np.testing.assert_allclose((exact[k] * e).sum().item(), ((moved[0] - moved[1]) / (2 * step)).item(), rtol=1e-5)


def test_layouts_types_and_empty():
    x = minitorch.randn(2, 9, 3 * 8)
    q, k, v = (t.view(2, 9, 2, 4).transpose(1, 2) for t in x.chunk(3, 2))
    out = F.scaled_dot_product_attention(q, k, v)
    np.testing.assert_allclose(out.numpy(), true_attention(q.numpy(), k.numpy(), v.numpy()), rtol=1e-4, atol=1e-6)
    flipped = [t.transpose(2, 3).contiguous().transpose(2, 3) for t in (q, k, v)]  # rows adjacent
    np.testing.assert_allclose(F.scaled_dot_product_attention(*flipped).numpy(), out.numpy(), rtol=1e-5, atol=1e-6)
    assert F.scaled_dot_product_attention(q.half(), k.half(), v.half()).dtype == minitorch.float16
    assert F.scaled_dot_product_attention(q[:, :, :0], k, v).shape == (2, 2, 0, 4)
    assert (F.scaled_dot_product_attention(q, k[:, :, :0], v[:, :, :0]) == 0).all()
    one = F.scaled_dot_product_attention(q[0], k[0], v[0])
    np.testing.assert_allclose(one.numpy(), out[0].numpy(), rtol=1e-5, atol=1e-6)


def test_what_is_refused():
    q = minitorch.ones(1, 1, 2, 4)
    with pytest.raises(RuntimeError, match="is_causal"):
        F.scaled_dot_product_attention(q, q, q, minitorch.ones(2, 2), is_causal=True)
    for k, v in ((q.double(), q), (minitorch.ones(1, 1, 2, 3), q), (q, minitorch.ones(1, 1, 3, 4)), (q[0, 0, 0], q)):
        with pytest.raises(RuntimeError):
            F.scaled_dot_product_attention(q, k, v)
    with pytest.raises(RuntimeError):
        F.scaled_dot_product_attention(q, q, q, minitorch.ones(3, 3))
    with pytest.raises(AssertionError):
        nn.MultiheadAttention(5, 2)
    with pytest.raises(RuntimeError, match="is_causal"):
        nn.MultiheadAttention(4, 2)(minitorch.ones(2, 4), minitorch.ones(2, 4), minitorch.ones(2, 4), is_causal=True)


def test_dropout_and_mask_with_gradient():
    q = minitorch.randn(1, 2, 5, 4)
    minitorch.manual_seed(0)
    assert not minitorch.equal(F.scaled_dot_product_attention(q, q, q, dropout_p=0.5),
                               F.scaled_dot_product_attention(q, q, q))
    bias = minitorch.zeros(5, 5, requires_grad=True)
    F.scaled_dot_product_attention(q, q, q, bias).sum().backward()
    assert bias.grad.shape == (5, 5)
