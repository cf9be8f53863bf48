"""Gradients and second gradients of PyTorch's own samples, held against differences; and tangents against gradients."""

import itertools

import numpy as np
import pytest
from parity.samples import Unlike, counterpart, operators, ours

import minitorch
from minitorch import func
from minitorch.autograd import gradcheck, gradgradcheck
from minitorch.utils._pytree import tree_flatten, tree_leaves, tree_unflatten

torch = pytest.importorskip("torch")

#: Not differentiable where the samples lie, though there is a derivative to give: differences say nothing there.
AT_A_KINK = {"linalg_norm_subgradients_at_zero", "__rpow__"}
#: Their samples have equal indices, of which the last is read, or draw random numbers that depend on the arguments.
NO_FUNCTION = {"nn_functional_max_unpool1d", "nn_functional_max_unpool2d", "nn_functional_max_unpool3d", "normal",
               "normal_number_mean"}  # fmt: skip
#: Some arguments stay float32 in the samples, too coarse for differences.
COARSE = {"cov"}
#: What `vmap` refuses, as it must: results whose shape or path depends on values.
NOT_BATCHED = {"frexp", "masked_select", "nn_functional_rrelu", "to", "linalg_lu"}
#: Operators that bypass what `vmap` listens to when called as methods of the class: written as operators they do not.
OPERATORS = {"__radd__", "__rmul__", "__rmatmul__", "__rmod__", "__rpow__", "__rsub__", "__rdiv__", "__getitem__"}
#: PyTorch's database calls these otherwise than by name with the sample's arguments: in another order, by functions of
#: its own around them, as attributes, in place, or for complex samples only.
CALLED_OTHERWISE = {
    "H", "T", "as_strided_partial_views", "bfloat16", "cdouble", "cfloat", "cholesky_inverse", "double", "einsum",
    "float", "half", "imag", "istft", "mH", "mT", "nn_functional_embedding", "nn_functional_embedding_bag",
    "nn_functional_one_hot", "nn_functional_triplet_margin_with_distance_loss", "pca_lowrank", "svd_lowrank",
    "view_as_real", "where", "zero_",
    *(f"{kind}_n_{n}" for kind in ("polygamma_polygamma", "special_polygamma_special_polygamma") for n in range(5)),
}  # fmt: skip
AT_MOST = 3  # samples of each operation


OPERATIONS = [info for info in operators() if info.supports_autograd and ours(info) is not None
              and info.formatted_name not in CALLED_OTHERWISE
              and not info.name.startswith(("sparse", "nested", "to_sparse", "masked.", "_"))]  # fmt: skip


class Sample:
    """A call with the tensors that want gradients taken out: `f` is a function of these."""

    def __init__(self, info, sample):
        self.parts = counterpart((sample.input, sample.args, sample.kwargs), {})
        self.flat, self.spec = tree_flatten(self.parts)
        self.places = [i for i, t in enumerate(self.flat) if isinstance(t, minitorch.Tensor) and t.requires_grad]
        self.leaves = [self.flat[i].detach().clone().requires_grad_() for i in self.places]
        self.info, self.call, self.shown = info, ours(info), sample.output_process_fn_grad

    def f(self, *values):
        minitorch.manual_seed(1)
        flat = list(self.flat)
        for place, value in zip(self.places, values):
            flat[place] = value
        input, args, kwargs = tree_unflatten(flat, self.spec)
        result = self.shown(self.info.gradcheck_wrapper(self.call, input, *args, **kwargs))
        return tuple(y for y in tree_leaves(result) if isinstance(y, minitorch.Tensor) and y.is_floating_point())


def samples(info):
    """Small samples that can be differentiated."""
    torch.manual_seed(0)
    found = []
    try:
        given = list(itertools.islice(info.sample_inputs("cpu", torch.float64, requires_grad=True), 12))
    except TypeError:  # not of this type
        return found
    for one in given:
        try:
            sample = Sample(info, one)
            outputs = sample.f(*sample.leaves)
        except (Unlike, NotImplementedError):
            continue
        if (any(y.requires_grad for y in outputs) and sum(x.numel() for x in sample.leaves) <= 40
                and sum(y.numel() for y in outputs) <= 100):  # fmt: skip
            found.append(sample)
    return found[:AT_MOST]


@pytest.mark.parametrize("info", OPERATIONS, ids=lambda info: info.formatted_name)
def test_gradients_of_both_orders(info):
    if info.formatted_name in AT_A_KINK | NO_FUNCTION | COARSE:
        pytest.skip("no derivative that differences could confirm")
    found = samples(info)
    if not found:
        pytest.skip("no small sample with a gradient")
    for sample in found:
        assert gradcheck(sample.f, sample.leaves)
        assert not info.supports_gradgrad or gradgradcheck(sample.f, sample.leaves)


@pytest.mark.parametrize("info", OPERATIONS, ids=lambda info: info.formatted_name)
def test_tangents_and_batches_agree_with_gradients(info):
    rng = np.random.default_rng(0)
    found = samples(info)
    if not found:
        pytest.skip("no small sample with a gradient")
    for sample in found:
        x, rest = sample.leaves[0].detach(), [t.detach() for t in sample.leaves[1:]]
        f = lambda x: sample.f(x, *rest)  # noqa: E731 - used within the turn of the loop
        leaf = x.clone().requires_grad_()
        outputs = f(leaf)
        chosen = [j for j, y in enumerate(outputs) if y.requires_grad and y.dtype == minitorch.float64]
        if not chosen:
            continue
        draw = lambda t: minitorch.tensor(rng.standard_normal(tuple(t.shape)))  # noqa: E731
        v, us = draw(x), tuple(draw(outputs[j]) for j in chosen)
        g = minitorch.autograd.grad([outputs[j] for j in chosen], [leaf], us, allow_unused=True)[0]
        wanted = 0.0 if g is None else float((g * v).sum())

        def weighed(tangents):
            return float(sum((t * u).sum() for t, u in zip(tangents, us)))

        def part(x):
            return tuple(f(x)[j] for j in chosen)

        def pulled(x):
            return func.vjp(part, x)[1](us)[0]

        numbers = {"jvp": weighed(func.jvp(part, (x,), (v,))[1]), "vjp": float((pulled(x) * v).sum())}
        if info.formatted_name not in NOT_BATCHED | OPERATORS:
            pushed = func.vmap(lambda t: func.jvp(part, (x,), (t,))[1], randomness="same")
            numbers["jvp under vmap"] = weighed([t[1] for t in pushed(minitorch.stack([0 * v, v]))])
            both = func.vmap(pulled, randomness="same")(minitorch.stack([x, x]))
            numbers["vjp under vmap"] = float((both[1] * v).sum())
        for name, number in numbers.items():
            assert number == pytest.approx(wanted, rel=1e-7, abs=1e-7, nan_ok=True), name
