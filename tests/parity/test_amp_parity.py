"""Types and numbers of autocast, and the states of GradScaler, beside PyTorch's."""

import numpy as np
import pytest

import minitorch

torch = pytest.importorskip("torch")
pytestmark = pytest.mark.filterwarnings("ignore")

CALLS = {
    "matmul": lambda t, x: x @ x.T, "vector": lambda t, x: x @ x[0], "mm": lambda t, x: t.mm(x, x.T),
    "bmm": lambda t, x: t.bmm(x[None], x.T[None]), "addmm": lambda t, x: t.addmm(x[:, :4], x, x.T),
    "baddbmm": lambda t, x: t.baddbmm(x[None, :, :4], x[None], x.T[None]),
    "linear": lambda t, x: t.nn.functional.linear(x, x), "sum": lambda t, x: (x @ x.T).sum(),
    "softmax": lambda t, x: (x @ x.T).softmax(-1), "add": lambda t, x: x @ x.T + x[:, :4],
    "cross_entropy": lambda t, x: t.nn.functional.cross_entropy(x @ x.T, t.tensor([0, 1, 2, 3])),
    "mse": lambda t, x: t.nn.functional.mse_loss(x @ x.T, x[:, :4]),
    "l1": lambda t, x: t.nn.functional.l1_loss(x @ x.T, x[:, :4]),
    "prod": lambda t, x: (x @ x.T / 50).prod(), "cat": lambda t, x: t.cat([x @ x.T, x]),
    "stack": lambda t, x: t.stack([x @ x.T, x @ x.T]), "relu": lambda t, x: (x @ x.T).relu(),
    "log_softmax": lambda t, x: (x @ x.T).log_softmax(-1), "exp": lambda t, x: (x @ x.T / 50).exp(),
    "mv": lambda t, x: t.mv(x, x[0]), "double": lambda t, x: x.double() @ x.double().T, "where": lambda t, x: t.where(
        x > 0, x @ x.T, x),
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("half", ["bfloat16", "float16"])
def test_types_and_values(call, half):
    rng = np.random.default_rng(0)
    array = rng.standard_normal((4, 4)).astype(np.float32)

    def run(library):
        with library.autocast("cpu", dtype=getattr(library, half)):
            out = call(library, library.tensor(array))
        return str(out.dtype), out.double().numpy()

    (ours, a), (theirs, b) = run(minitorch), run(torch)
    assert ours == theirs
    np.testing.assert_allclose(a, b, rtol=0.02, atol=0.02)


def test_scaler():
    def run(library):
        p = library.nn.Parameter(library.tensor([1.0]))
        optimizer = library.optim.SGD([p], lr=0.1)
        scaler, seen = library.amp.GradScaler("cpu", init_scale=4.0, growth_interval=2), []
        for factor in (1.0, 1.0, float("inf"), 1.0, float("nan"), 2.0, 3.0):
            optimizer.zero_grad()
            scaler.scale((p * factor).sum()).backward()
            scaler.step(optimizer)
            scaler.update()
            seen.append((round(p.item(), 5), scaler.state_dict()))
        return seen

    assert run(minitorch) == run(torch)
