"""`func`: derivatives that compose with each other and with `vmap`, and modules as functions."""

from __future__ import annotations

import numpy as np
import pytest
from helpers import array, assert_near, mt, refuses

func = mt.func
F = mt.nn.functional
RNG = np.random.default_rng(1)
X = mt.tensor(RNG.standard_normal((3, 2)))
V = mt.tensor(RNG.standard_normal(3))


def test_grad() -> None:
    assert_near(func.grad(lambda x: (x**3).sum())(X), array(3 * X**2), 1e-12)
    g = func.grad(lambda x, y: (x * y).sum(), argnums=(0, 1))(X, X + 1)
    assert_near(g[0], array(X + 1), 1e-12)
    assert_near(g[1], array(X), 1e-12)
    g, aux = func.grad(lambda x: ((x**2).sum(), x * 2), has_aux=True)(X)
    assert_near(aux, array(X * 2))
    assert not g.requires_grad and not aux.requires_grad and not X.requires_grad
    g, (value, aux) = func.grad_and_value(lambda d: ((d["a"] ** 2).sum(), d["a"] * 5), has_aux=True)({"a": V})
    assert_near(aux, array(5 * V), 1e-12)
    assert_near(g["a"], array(2 * V), 1e-12)
    assert_near(value, array((V**2).sum()), 1e-12)
    assert_near(func.grad(lambda x, y: (x * y).sum(), -1)(X, X + 1), array(X), 1e-12)


def test_nested_grad() -> None:
    x = mt.tensor(0.7, dtype=mt.float64)
    third = func.grad(func.grad(func.grad(mt.sin)))(x)
    assert_near(third, -np.cos(0.7))
    # the inner derivative's variable is not the outer's
    confused = func.grad(lambda x: x * func.grad(lambda y: x + y)(mt.tensor(1.0)))(mt.tensor(1.0))
    assert confused == 1
    assert func.grad(lambda x: x * func.grad(lambda y: x * y)(mt.tensor(2.0)))(mt.tensor(3.0)) == 6


def test_with_gradients_outside() -> None:
    x = X.clone().requires_grad_(True)
    func.grad(lambda x: (x**3).sum())(x).sum().backward()
    assert_near(x.grad, array(6 * X), 1e-12)
    w = X.clone().requires_grad_(True)
    g = func.grad(lambda x: (w * x).sum())(X)
    g.sum().backward()
    assert_near(w.grad, np.ones((3, 2)))
    with mt.no_grad():
        assert_near(func.grad(lambda x: (x**2).sum())(x), array(2 * X), 1e-12)
    assert_near(func.grad(lambda x: (x.detach() * x).sum())(X), array(X), 1e-12)


def test_grad_under_vmap() -> None:
    f = lambda x: (x**3).sum()  # noqa: E731
    assert_near(func.vmap(func.grad(f))(X), array(3 * X**2), 1e-12)
    assert_near(func.vmap(func.grad(lambda x, w: (x * w).sum() ** 2), (None, 0))(V[:2], X),
                array(2 * (X @ V[:2])[:, None] * X), 1e-12)  # fmt: skip
    assert_near(func.vmap(func.vmap(func.grad(mt.sin)))(X), array(X.cos()), 1e-12)
    assert_near(func.vmap(func.grad(func.grad(mt.sin)))(V), array(-V.sin()), 1e-12)
    assert_near(func.grad(lambda x: func.vmap(lambda r: r * r.sum())(x).sum())(X),
                array(2 * X.sum(1, keepdim=True).expand(3, 2)), 1e-12)  # fmt: skip
    assert_near(func.grad(lambda x: func.vmap(func.grad(f))(x).sum())(X), array(6 * X), 1e-12)
    # an outer batch that only the closure sees
    assert_near(func.vmap(lambda w: func.vmap(func.grad(lambda x: (x * w).sum()))(X))(X),
                array(X[:, None].expand(3, 3, 2)), 1e-12)  # fmt: skip


def test_vjp() -> None:
    out, pull = func.vjp(lambda x, y: (x * y, x.sum()), X, X + 1)
    assert_near(out[0], array(X * (X + 1)), 1e-12)
    gx, gy = pull((X, mt.tensor(2.0, dtype=mt.float64)))
    assert_near(gx, array(X * (X + 1) + 2), 1e-12)
    assert_near(gy, array(X * X), 1e-12)
    _, pull = func.vjp(mt.sin, V)
    assert_near(func.vmap(pull)(mt.eye(3, dtype=mt.float64))[0], np.diag(array(V.cos())), 1e-12)
    _, pull, aux = func.vjp(lambda x: (x * 2, x), V, has_aux=True)
    assert_near(aux, array(V))
    with pytest.raises(RuntimeError):
        pull(X)


def test_jvp() -> None:
    out, tangent = func.jvp(lambda x: x.sin() @ x, (V,), (V + 1,))
    assert_near(out, array(V.sin() @ V), 1e-12)
    assert_near(tangent, array((V.cos() * V + V.sin()) @ (V + 1)), 1e-12)
    assert_near(func.jvp(lambda x: func.jvp(mt.sin, (x,), (mt.ones_like(x),))[1], (V,), (mt.ones_like(V),))[1],
                array(-V.sin()), 1e-12)  # fmt: skip
    # forward over reverse
    f = lambda x: (x**3).sum()  # noqa: E731
    assert_near(func.jvp(func.grad(f), (V,), (X[:, 0],))[1], array(6 * V * X[:, 0]), 1e-12)
    assert_near(func.vmap(lambda v: func.jvp(mt.sin, (V,), (v,))[1])(mt.eye(3, dtype=mt.float64)),
                np.diag(array(V.cos())), 1e-12)  # fmt: skip
    assert_near(func.grad(lambda x: func.jvp(mt.sin, (x,), (x,))[1].sum())(V), array(V.cos() - V * V.sin()), 1e-12)
    _value, push = func.linearize(mt.sin, V)
    assert_near(push(V), array(V.cos() * V), 1e-12)


@pytest.mark.parametrize("jac", ["jacrev", "jacfwd"])
def test_jacobians(jac) -> None:
    jacobian = getattr(func, jac)
    f = lambda x, y: (x @ y).sin()  # noqa: E731
    expected = array((X @ V[:2]).cos()[:, None, None] * mt.eye(3, dtype=mt.float64)[:, :, None] * V[:2])
    assert_near(jacobian(f)(X, V[:2]), expected, 1e-12)
    both = jacobian(f, argnums=(0, 1))(X, V[:2])
    assert_near(both[0], expected, 1e-12)
    assert_near(both[1], array((X @ V[:2]).cos()[:, None] * X), 1e-12)
    j, _aux = jacobian(lambda x: (x**2, x), has_aux=True)(V)
    assert_near(j, np.diag(array(2 * V)), 1e-12)
    d = jacobian(lambda x: {"a": x**2, "b": x.sum()})(V)
    assert_near(d["b"], np.ones(3))
    assert_near(func.vmap(jacobian(mt.sin))(X), array(mt.diag_embed(X.cos()) if hasattr(mt, "diag_embed")
                                                   else X.cos()[..., None] * mt.eye(2)), 1e-12)  # fmt: skip
    assert_near(jacobian(jacobian(lambda x: (x**3).sum()))(V), np.diag(array(6 * V)), 1e-12)


def test_hessian() -> None:
    assert_near(func.hessian(lambda x: (x**3).sum())(V), np.diag(array(6 * V)), 1e-12)
    h = func.hessian(lambda x, y: (x * y).sum(), argnums=(0, 1))(V, V)
    assert_near(h[0][1], np.eye(3))
    assert_near(func.vmap(func.hessian(lambda x: (x**3).sum()))(X)[1], np.diag(array(6 * X[1])), 1e-12)


def test_refusals() -> None:
    with refuses(RuntimeError, "scalar"):
        func.grad(mt.sin)(V)
    with pytest.raises(RuntimeError):
        func.grad(lambda x: x.sum())(mt.tensor([1, 2]))
    with refuses(RuntimeError, "argnum"):
        func.grad(lambda x: x.sum(), argnums=3)(V)


def network():
    mt.manual_seed(3)
    return mt.nn.Sequential(mt.nn.Linear(4, 8), mt.nn.Tanh(), mt.nn.Linear(8, 3)).double()


def test_functional_call() -> None:
    model = network()
    x = mt.tensor(RNG.standard_normal((5, 4)))
    params = {k: v.detach() * 2 for k, v in model.named_parameters()}
    before = dict(model.named_parameters())
    result = func.functional_call(model, params, (x,))
    expected = mt.tanh(x @ params["0.weight"].t() + params["0.bias"]) @ params["2.weight"].t() + params["2.bias"]
    assert_near(result, array(expected), 1e-12)
    assert all(v is before[k] for k, v in model.named_parameters())
    assert_near(func.functional_call(model, {"0.bias": params["0.bias"]}, x), array(
        model[2](mt.tanh(x @ model[0].weight.t() + params["0.bias"]))), 1e-12)  # fmt: skip
    with refuses(RuntimeError, "Missing key"):
        func.functional_call(model, {"0.bias": params["0.bias"]}, x, strict=True)


def test_per_sample_gradients() -> None:
    model = network()
    params = {k: v.detach() for k, v in model.named_parameters()}
    x = mt.tensor(RNG.standard_normal((6, 4)))
    y = mt.tensor([0, 1, 2, 2, 1, 0])

    def loss(params, x, y):
        return F.cross_entropy(func.functional_call(model, params, (x.unsqueeze(0),)), y.unsqueeze(0))

    each = func.vmap(func.grad(loss), in_dims=(None, 0, 0))(params, x, y)
    for k in range(6):
        model.zero_grad()
        F.cross_entropy(model(x[k : k + 1]), y[k : k + 1]).backward()
        for name, p in model.named_parameters():
            assert_near(each[name][k], array(p.grad), 1e-10)


def test_an_ensemble() -> None:
    models = [mt.nn.Linear(4, 3).double() for _ in range(5)]
    params, buffers = func.stack_module_state(models)
    assert params["weight"].shape == (5, 3, 4) and params["weight"].requires_grad and buffers == {}
    x = mt.tensor(RNG.standard_normal((6, 4)))
    out = func.vmap(lambda p, x: func.functional_call(models[0], p, (x,)), in_dims=(0, None))(params, x)
    for k, model in enumerate(models):
        assert_near(out[k], array(model(x)), 1e-12)
