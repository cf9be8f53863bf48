"""The results of functions that give several tensors: tuples whose items have names.

>>> import minitorch
>>> minitorch.tensor([3., 1., 2.]).sort()
torch.return_types.sort(
values=tensor([1., 2., 3.]),
indices=tensor([1, 2, 0]))
"""

from __future__ import annotations

from collections.abc import Iterable
from operator import itemgetter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._tensor import Tensor


class Results(tuple):
    """A tuple of tensors, named as a class's annotations say; made of an iterable of them."""

    n_fields: int

    def __init_subclass__(cls) -> None:
        names = cls.__annotations__
        for k, name in enumerate(names):
            setattr(cls, name, property(itemgetter(k), doc=f"Item {k}."))
        if names:
            cls.n_fields, cls.__match_args__ = len(names), tuple(names)

    def __new__(cls, items: Iterable[Tensor]) -> Results:
        self = super().__new__(cls, items)
        if len(self) != cls.n_fields:
            names = ", ".join(cls.__match_args__)
            raise TypeError(f"{cls.__name__}() takes a sequence of {cls.n_fields} items ({names}), not {len(self)}")
        return self

    def __repr__(self) -> str:
        items = ",\n".join(f"{name}={item!r}" for name, item in zip(self.__match_args__, self))
        return f"torch.return_types.{type(self).__name__}(\n{items})"

    def __reduce__(self):
        return type(self), (tuple(self),)


class _Chosen(Results):
    """Elements, and where they were."""

    values: Tensor
    indices: Tensor


class max(_Chosen):
    """`minitorch.max` along a dimension."""


class min(_Chosen):
    """`minitorch.min` along a dimension."""


class sort(_Chosen):
    """`minitorch.sort`."""


class topk(_Chosen):
    """`minitorch.topk`."""


class kthvalue(_Chosen):
    """`minitorch.kthvalue`."""


class median(_Chosen):
    """`minitorch.median` along a dimension."""


class nanmedian(_Chosen):
    """`minitorch.nanmedian` along a dimension."""


class mode(_Chosen):
    """`minitorch.mode`."""


class cummax(_Chosen):
    """`minitorch.cummax`."""


class cummin(_Chosen):
    """`minitorch.cummin`."""


class aminmax(Results):
    """`minitorch.aminmax`."""

    min: Tensor
    max: Tensor


class frexp(Results):
    """`minitorch.frexp`."""

    mantissa: Tensor
    exponent: Tensor


class histogram(Results):
    """`minitorch.histogram`."""

    hist: Tensor
    bin_edges: Tensor


class histogramdd(Results):
    """`minitorch.histogramdd`; ``bin_edges`` is a tuple."""

    hist: Tensor
    bin_edges: tuple[Tensor, ...]


class geqrf(Results):
    """`minitorch.geqrf`."""

    a: Tensor
    tau: Tensor


class linalg_cholesky_ex(Results):
    """`minitorch.linalg.cholesky_ex`."""

    L: Tensor
    info: Tensor


class linalg_eig(Results):
    """`minitorch.linalg.eig`."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class linalg_eigh(Results):
    """`minitorch.linalg.eigh`."""

    eigenvalues: Tensor
    eigenvectors: Tensor


class linalg_inv_ex(Results):
    """`minitorch.linalg.inv_ex`."""

    inverse: Tensor
    info: Tensor


class linalg_ldl_factor(Results):
    """`minitorch.linalg.ldl_factor`."""

    LD: Tensor
    pivots: Tensor


class linalg_ldl_factor_ex(Results):
    """`minitorch.linalg.ldl_factor_ex`."""

    LD: Tensor
    pivots: Tensor
    info: Tensor


class linalg_lstsq(Results):
    """`minitorch.linalg.lstsq`."""

    solution: Tensor
    residuals: Tensor
    rank: Tensor
    singular_values: Tensor


class linalg_lu(Results):
    """`minitorch.linalg.lu`."""

    P: Tensor
    L: Tensor
    U: Tensor


class linalg_lu_factor(Results):
    """`minitorch.linalg.lu_factor`."""

    LU: Tensor
    pivots: Tensor


class linalg_lu_factor_ex(Results):
    """`minitorch.linalg.lu_factor_ex`."""

    LU: Tensor
    pivots: Tensor
    info: Tensor


class linalg_qr(Results):
    """`minitorch.linalg.qr`."""

    Q: Tensor
    R: Tensor


class linalg_slogdet(Results):
    """`minitorch.linalg.slogdet`."""

    sign: Tensor
    logabsdet: Tensor


class linalg_solve_ex(Results):
    """`minitorch.linalg.solve_ex`."""

    result: Tensor
    info: Tensor


class linalg_svd(Results):
    """`minitorch.linalg.svd`."""

    U: Tensor
    S: Tensor
    Vh: Tensor


class lu_unpack(Results):
    """`minitorch.lu_unpack`."""

    P: Tensor
    L: Tensor
    U: Tensor


class qr(Results):
    """`minitorch.qr`."""

    Q: Tensor
    R: Tensor


class svd(Results):
    """`minitorch.svd`."""

    U: Tensor
    S: Tensor
    V: Tensor


class triangular_solve(Results):
    """`minitorch.triangular_solve`."""

    solution: Tensor
    cloned_coefficient: Tensor
