"""Transforms of `func` composed over operations: the same numbers as one element, one direction at a time."""

import pytest

import minitorch
from minitorch import func
from minitorch.autograd import GradcheckError, gradcheck, gradgradcheck
from minitorch.nn import functional as F

linalg = minitorch.linalg


def matrices():
    minitorch.manual_seed(0)
    a = minitorch.randn(3, 4, 4, dtype=minitorch.float64)
    return a @ a.mT + minitorch.eye(4, dtype=minitorch.float64)


VECTOR = minitorch.linspace(-1, 2, 4, dtype=minitorch.float64)
RIGHT = minitorch.linspace(-1, 2, 8, dtype=minitorch.float64).reshape(4, 2)
SCALARS = {
    "inv": lambda a: linalg.inv(a).sum(),
    "det": linalg.det,
    "slogdet": lambda a: linalg.slogdet(a)[1],
    "solve": lambda a: linalg.solve(a, VECTOR).sum(),
    "solve of several": lambda a: linalg.solve(a, RIGHT).sum(),
    "solve_triangular": lambda a: linalg.solve_triangular(a, RIGHT, upper=True).sum(),
    "cholesky": lambda a: linalg.cholesky(a).sum(),
    "cholesky_solve": lambda a: minitorch.cholesky_solve(RIGHT, linalg.cholesky(a)).sum(),
    "eigvalsh": lambda a: linalg.eigvalsh(a).exp().sum(),
    "eigvals": lambda a: linalg.eigvals(a).abs().sum(),
    "svdvals": lambda a: linalg.svdvals(a).exp().sum(),
    "qr": lambda a: linalg.qr(a)[1].sum(),
    "pinv": lambda a: linalg.pinv(a).sum(),
    "lstsq": lambda a: linalg.lstsq(a, RIGHT)[0].sum(),
    "lu_factor": lambda a: linalg.lu_factor(a)[0].sum(),
    "matrix_exp": lambda a: linalg.matrix_exp(a * 0.1).sum(),
    "cond": linalg.cond,
    "nuclear norm": lambda a: linalg.matrix_norm(a, "nuc"),
    "msort": lambda a: (a.msort() * RIGHT[:, :1]).sum(),
    "as_strided": lambda a: a.as_strided((2, 3), (5, 2), 1).exp().sum(),
    "expand_as": lambda a: a.sum().expand_as(VECTOR).sum(),
    "binary_cross_entropy": lambda a: F.binary_cross_entropy(a.sigmoid(), a.detach().cos() ** 2),
    "gaussian_nll_loss": lambda a: F.gaussian_nll_loss(a, a * 0, a.exp()),
}


@pytest.mark.parametrize("name", SCALARS)
def test_under_vmap(name):
    f, batch = SCALARS[name], matrices()
    same = lambda a, b: minitorch.testing.assert_close(a, b, rtol=1e-8, atol=1e-8)  # noqa: E731
    same(func.vmap(f)(batch), minitorch.stack([f(a.clone()) for a in batch]))
    one_by_one = []
    for a in batch:
        a = a.clone().requires_grad_()
        one_by_one.append(minitorch.autograd.grad(f(a), a)[0])
    gradients = minitorch.stack(one_by_one)
    same(func.vmap(func.grad(f))(batch), gradients)
    same(func.grad(lambda s: func.vmap(f)(s).sum())(batch), gradients)
    same(func.vmap(func.jacfwd(f))(batch), gradients)


def test_a_jacobian_of_an_inverse_by_tangents():
    a = matrices()[0]
    minitorch.testing.assert_close(func.jacfwd(linalg.inv)(a), func.jacrev(linalg.inv)(a))


def test_several_tolerances_of_one_pseudo_inverse():
    a = matrices()[0]
    tolerances = minitorch.tensor([[1e-9], [1e-3]], dtype=minitorch.float64)
    gradient = func.grad(lambda a: linalg.pinv(a, rtol=tolerances).sum())(a)
    minitorch.testing.assert_close(gradient, 2 * func.grad(lambda a: linalg.pinv(a).sum())(a))


def test_tangents_lie_in_memory_as_the_values_do():
    base = minitorch.arange(20.0, dtype=minitorch.float64)
    x, tangent = base[5:15], minitorch.arange(10.0, dtype=minitorch.float64)
    moved = func.jvp(lambda x: x.as_strided((2, 3), (4, 1), 3), (x,), (tangent,))[1]
    assert moved.tolist() == [[0, 0, 0], [2, 3, 4]]


class WithoutSecond(minitorch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        return g * 3 * ctx.saved_tensors[0].detach() ** 2


CHECKED = {
    "sin": (minitorch.sin, 1),
    "product": (lambda x, w: w @ x, 2),
    "softmax": (lambda x, w: (w * x).softmax(-1), 2),
    "several outputs": (lambda x, w: (w.exp(), x.sum(), w.detach()), 2),
    "inverse": (lambda x: linalg.inv(minitorch.outer(x, x) + minitorch.eye(2, dtype=minitorch.float64)), 1),
}


def leaves(count):
    minitorch.manual_seed(1)
    shapes = ((2,), (3, 2))[:count]
    return tuple(minitorch.randn(*shape, dtype=minitorch.float64).requires_grad_() for shape in shapes)


@pytest.mark.parametrize("name", CHECKED)
def test_gradcheck_goes_forward_in_batches_and_over_the_gradient(name):
    f, count = CHECKED[name]
    assert gradcheck(f, leaves(count), check_forward_ad=True, check_batched_forward_grad=True)
    assert gradgradcheck(f, leaves(count), check_fwd_over_rev=True)
    assert gradgradcheck(f, leaves(count), check_fwd_over_rev=True, check_rev_over_rev=False,
                         gen_non_contig_grad_outputs=True)  # fmt: skip


def test_a_wrong_second_derivative_is_found_forward_over_reverse():
    options = {"check_fwd_over_rev": True, "check_rev_over_rev": False}
    with pytest.raises(GradcheckError, match="forward mode mismatch"):
        gradgradcheck(WithoutSecond.apply, leaves(1), **options)
    assert not gradgradcheck(WithoutSecond.apply, leaves(1), raise_exception=False, **options)


def test_nothing_to_check_is_refused():
    with pytest.raises(AssertionError, match="at least one"):
        gradgradcheck(minitorch.sin, leaves(1), check_rev_over_rev=False)


def test_a_tensor_may_have_attributes_that_transforms_use():
    a = matrices()[0]
    wanted = linalg.cond(a)
    a.level = a.tangent = a.value = 3
    assert linalg.cond(a) == wanted
