"""Calls public functions with junk, to find what crashes: only exceptions may come of it, and no SystemError."""

from __future__ import annotations

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
    homes = (mt, mt.nn.functional, mt.autograd)
    names = [(home, name) for home in homes for name in dir(home) if not name.startswith("_") and name not in AVOID]
    found = [(name, getattr(home, name)) for home, name in names]
    functions = [(name, f) for name, f in found if callable(f) and not isinstance(f, type)]
    methods = [n for n in dir(mt.Tensor) if n not in AVOID and (not n.startswith("_") or n in SPECIAL)]
    return functions, methods


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
