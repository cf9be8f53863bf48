"""Calls public functions with junk, to find what crashes: only exceptions may come of it, and no SystemError."""

from __future__ import annotations

import ast
import math
import random
import warnings

import numpy as np

# What may not be called: it ends the process, waits, touches files, or changes what the other calls stand on.
AVOID = set(
    """exit save load hub compile export main doctor wait fork seed manual_seed empty_cache import_ir_module from_file
    set_num_threads set_num_interop_threads init_num_threads set_default_dtype set_default_device
    set_default_tensor_type set_printoptions set_flush_denormal set_deterministic_debug_mode set_warn_always
    use_deterministic_algorithms set_grad_enabled inference_mode set_cache_limit
    set_ resize_ resize_as_ share_memory_ record_stream map_ map2_ apply_ module_load register_hook sparse_resize_
    """.split()
)
SPECIAL = """__add__ __getitem__ __setitem__ __matmul__ __pow__ __rsub__ __iadd__ __len__ __bool__ __int__ __float__
    __index__ __contains__ __array__ __format__ __floordiv__ __mod__ __lshift__ __and__ __invert__ __eq__ __lt__
    __repr__""".split()
KEYWORDS = """dim keepdim dtype out alpha value size other input rounding_mode reduction weight correction requires_grad
    device""".split()
INTEGERS = [0, 1, -1, 2, 3, -2, 7, 100, -100, 2**31, 2**40, 2**62, 2**63 - 1, -(2**63), 2**64, True, False]
FLOATS = [0.0, 0.5, -1.5, 1e30, -0.0, math.nan, math.inf, -math.inf]
DTYPES = "float32 float32 float64 int64 int32 uint8 int8 int16 bool float16 bfloat16".split()


class Junk:
    """A source of arguments."""

    def __init__(self, mt, rng: random.Random):
        self.mt, self.rng = mt, rng
        self.strangers = [None, "a", "mean", "none", "", b"x", object(), {}, {"a": 1}, slice(None), slice(1, -1)]
        self.strangers += [slice(None, None, 2), Ellipsis, mt.float32, mt.int64, mt.bool, np.zeros(3), 1j, "cpu"]
        self.strangers += [np.zeros((2, 2), "i4"), np.float32(1.5), mt.Size([2, 3]), lambda *a: a, mt.Tensor]

    def tensor(self):
        """Of a random shape, dtype and layout, some of them recorded."""
        rng, mt = self.rng, self.mt
        shape = tuple(rng.choice([0, 1, 1, 2, 3, 4]) for _ in range(rng.randrange(5)))
        dtype = getattr(mt, rng.choice(DTYPES))
        values = np.random.default_rng(rng.randrange(99)).integers(-3, 4, shape)
        t = mt.tensor(np.asarray(values, "f8")).to(dtype)
        kind = rng.randrange(8)
        if kind == 0 and t.dim() > 1:
            t = t.transpose(0, -1)
        if kind == 1 and t.dim():
            t = t[..., ::2]
        if kind in (2, 3) and dtype.is_floating_point:
            t.requires_grad_()
        if kind == 4:
            t = t.unsqueeze(0).expand(rng.choice([0, 2, 3]), *t.shape)
        return t

    def __call__(self, depth: int = 0):
        rng = self.rng
        kind = rng.randrange(26)
        if kind < 9:
            return self.tensor()
        if kind < 14:
            return rng.choice(INTEGERS)
        if kind < 17:
            return rng.choice(FLOATS)
        if kind < 20 and depth < 3:
            return rng.choice([tuple, list])(self(depth + 1) for _ in range(rng.randrange(4)))
        return rng.choice(self.strangers)


def public(mt) -> tuple[list, list[str]]:
    """The functions of the namespaces, and the names of the methods."""
    homes = (mt, mt.nn.functional, mt.autograd, mt.linalg, mt.special, mt.fft)
    names = [(home, name) for home in homes for name in dir(home) if not name.startswith("_") and name not in AVOID]
    found = [(name, getattr(home, name)) for home, name in names]
    functions = [(name, f) for name, f in found if callable(f) and not isinstance(f, type)]
    methods = [n for n in dir(mt.Tensor) if n not in AVOID and (not n.startswith("_") or n in SPECIAL)]
    return functions, methods


# Calls that succeed, as text: shapes in brackets stand for tensors, "i" before one for indices.  Spoiling one argument
# reaches further into a kernel than junk alone does.
CALLS = """
    conv1d [2,4,9] [6,2,3] [6] 1 1 1 2 | conv2d [2,4,8,8] [6,4,3,3] [6] 2 1 1 1 | conv3d [1,2,4,4,4] [3,2,2,2,2] [3]
    conv_transpose2d [1,4,5,5] [4,2,3,3] [4] 2 1 1 2 | max_pool2d [1,2,8,8] 3 2 1 1 | avg_pool2d [1,2,8,8] 3 2 1
    adaptive_avg_pool2d [1,2,8,8] 3 | adaptive_max_pool2d [1,2,8,8] 3 | max_pool1d [1,2,9] 2 | lp_pool2d [1,2,8,8] 2. 2
    max_unpool2d [1,1,2,2] i[1,1,2,2] 2 | unfold [1,2,6,6] 3 | fold [1,8,9] 4 2 | embedding i[5] [7,3] | one_hot i[4] 7
    embedding_bag i[6] [7,3] i[2] | layer_norm [2,3,4] [4] | group_norm [2,4,3] 2 [4] [4] | normalize [3,4] 2. 1
    batch_norm [2,3,4] [3] [3] [3] [3] True 0.1 1e-5 | instance_norm [2,3,4] [3] [3] | interpolate [1,2,4,4] 3
    grid_sample [1,2,4,4] [1,3,3,2] | pad [2,3,4] i[2] | scaled_dot_product_attention [2,3,4,5] [2,3,6,5] [2,3,6,5]
    cross_entropy [4,7] i[4] | nll_loss [4,7] i[4] [7] | ctc_loss [5,2,7] i[2,3] i[2] i[2] | pixel_shuffle [1,4,2,2] 2
    gather [3,4] 1 i[3,2] | scatter [8,4] 0 i[3,2] [3,2] | scatter_add [8,4] 0 i[3,2] [3,2] | index_select [8,4] 0 i[3]
    index_add [8,4] 0 i[3] [3,4] | index_copy [8,4] 0 i[3] [3,4] | index_fill [8,4] 0 i[3] 1. | take [8,4] i[3]
    index_put [8,4] i[1,3] [4] | masked_scatter [3,4] i[3,4] [12] | repeat_interleave [3] i[3]
    sort [4,5] 1 | topk [9] 3
    kthvalue [4,5] 2 1 | quantile [9] 0.5 | searchsorted [9] [4] | bucketize [4] [9] | bincount i[9] | histc [9] 5 0 1
    unique i[9] | multinomial [7] 2 | cummax [4,5] 1 | logcumsumexp [4,5] 1 | cdist [3,4] [5,4] | diagonal [4,5] 1 0 1
    as_strided [20] i[2] i[2] 0 | unflatten [4,6] 1 i[2] | roll [4,5] 1 1 | tril [4,5] 1 | diag_embed [3,4] 1 0 1
    tensordot [3,4] [4,5] 1 | baddbmm [2,3,5] [2,3,4] [2,4,5] | addmm [3,5] [3,4] [4,5] | einsum 'ij,jk' [3,4] [4,5]
    solve [3,3] [3,2] | cholesky [3,3] | lu_factor [3,3] | lu_solve [3,3] i[3] [3,2] | eigh [3,3] | svd [3,4] | qr [4,3]
    lstsq [4,3] [4,2] | matrix_power [3,3] 2 | solve_triangular [3,3] [3,2]
    householder_product [4,3] [3] | fft [8] 4 0
    irfft [5] 8 0 | stft [32] 8 4
"""


def nearly_right(mt, rng: random.Random, junk: Junk) -> tuple:
    """One of the calls, with an argument or two spoilt: the name, the function and its arguments."""
    name, *texts = rng.choice([call for line in CALLS.split("\n") for call in line.split("|") if call.strip()]).split()
    homes = (mt, mt.nn.functional, mt.linalg, mt.fft)
    function = next(getattr(home, name) for home in homes if hasattr(home, name))
    arguments = []
    for text in texts:
        if "[" in text:
            shape = ast.literal_eval(text.lstrip("i"))
            t = mt.randint(0, 7, shape) if text[0] == "i" else mt.randn(shape)
            arguments.append(t if text[0] == "i" else t.requires_grad_(rng.random() < 0.5))
        else:
            arguments.append(ast.literal_eval(text))
    for _ in range(rng.choice([0, 1, 1, 1, 2])):
        k = rng.randrange(len(arguments))
        spoilt = arguments[k]
        if isinstance(spoilt, mt.Tensor) and spoilt.dim() > 1 and rng.random() < 0.8:
            spoilt = spoilt.detach()
            spoilt = rng.choice([
                lambda: spoilt.to(getattr(mt, rng.choice(DTYPES))), lambda: spoilt * -5, lambda: spoilt * 2**40,
                lambda: spoilt[..., :0], lambda: spoilt[None][:0], lambda: spoilt[None, ..., ::2],
                lambda: spoilt.unsqueeze(0), lambda: spoilt.reshape(-1), lambda: spoilt.sum(0), lambda: spoilt.mT,
                lambda: spoilt[:1].expand(spoilt.shape), lambda: mt.cat([spoilt, spoilt]), lambda: spoilt * math.nan,
            ])()  # fmt: skip
        else:
            spoilt = rng.choice([*INTEGERS, *INTEGERS, *FLOATS, None, (2, 1), (0, 0), (-1, 3), (2**62, 2), junk()])
        arguments[k] = spoilt
    return name, function, arguments


def describe(mt, argument) -> str:
    if isinstance(argument, mt.Tensor):
        return f"{argument.dtype} {tuple(argument.shape)} {argument.stride()}"
    return repr(argument)[:60]


def use(mt, result) -> None:
    """Print a result and differentiate it."""
    if isinstance(result, mt.Tensor) and result.numel() < 10_000:
        repr(result)
        if result.requires_grad and result.numel() and result.dtype.is_floating_point:
            result.sum().backward()


def main(mt, seed: int, rounds: int, record: str) -> None:
    """Make `rounds` calls; the one being made is in the file `record`, for when there is nobody left to ask."""
    warnings.simplefilter("ignore")
    rng = random.Random(seed)
    junk = Junk(mt, rng)
    functions, methods = public(mt)
    with open(record, "w") as file:
        for k in range(rounds):
            arguments = [junk() for _ in range(rng.choice([0, 1, 1, 2, 2, 2, 3, 3, 4]))]
            name, f = rng.choice(functions)
            if rng.random() < 0.6:
                name = rng.choice(methods)
                f = getattr(mt.Tensor, name)
                arguments.insert(0, junk.tensor())
            keywords = {rng.choice(KEYWORDS): junk() for _ in range(rng.choice([0, 0, 0, 1, 2]))}
            if rng.random() < 0.5:
                (name, f, arguments), keywords = nearly_right(mt, rng, junk), {}
            texts = [describe(mt, a) for a in arguments] + [f"{w}={describe(mt, a)}" for w, a in keywords.items()]
            file.seek(0)
            file.truncate()
            file.write(f"round {k}: {name}({', '.join(texts)})")
            file.flush()
            if callable(f):
                try:
                    use(mt, f(*arguments, **keywords))
                except SystemError:  # the engine's own mistake, not the arguments'
                    raise
                except Exception:
                    pass
            assert mt.is_grad_enabled(), f"{name} left recording off"
