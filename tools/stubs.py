"""Write the .pyi files of what type checkers cannot see: the Cython modules, and names filled in by a loop.

    python -m tools.stubs

The signatures are those of the built modules; the types follow from the names of the arguments, as the engine uses a
name for one thing only, with the exceptions below.  The stubs of ``HAND_WRITTEN`` say more than this can and are left
alone.  ``mypy.stubtest`` compares all of them with the modules.
"""

from __future__ import annotations

import importlib
import inspect
import re
import subprocess
import types
from collections.abc import Iterator
from pathlib import Path

import minitorch
from minitorch import _foreach
from minitorch._creation import CLASSES

PACKAGE = Path(minitorch.__path__[0])
HAND_WRITTEN = {"build", "dtype", "optim", "random", "storage", "threads"}
UNDERSCORED = {"__version__", "_assert", "_check"}     # names that programs use all the same
HEADER = '# Written by tools/stubs.py\n'

# What an argument of this name is; "function.argument" has the last word.
ARGUMENTS = {
    "Tensor": "input self index mask src end tensor tensor1 tensor2 target values condition variable mat mat1 mat2 "
    "vec vec1 vec2 batch1 batch2",
    "Tensor | Number": "other weight min max exponent p fill_value",
    "Number": "alpha beta value eps nan posinf neginf scale input_scale lambd min_val max_val threshold negative_slope "
    "delta label_smoothing correction rtol atol from_ to mean std median sigma lambd",
    "Generator": "generator",
    "bool": "requires_grad keepdim keepdims unbiased retain_graph create_graph allow_unused is_grads_batched copy "
    "force train materialize_grads replacement accumulate as_tuple non_blocking pin_memory mode size_average "
    "sparse_grad equal_nan require_grad descending stable largest sorted right out_int32 return_inverse "
    "return_counts assume_unique invert",
    "int": "dim0 dim1 dim2 start length start_dim end_dim offset dimension step chunks storage_offset ignore_index n "
    "decimals axis0 axis1 num_samples",
    "str": "approximate reduction rounding_mode reduce spec",
    "Sizes": "shape sizes stride size",
    "Dims": "dim dims axis source destination",
    "Tensor | None": "out gradient",
    "DType | None": "dtype",
    "Device | None": "device",
    "Sequence[Tensor]": "tensors",
    "Tensor | Sequence[Tensor]": "outputs inputs grad_outputs grad_tensors grad_variables",
}
TYPE_OF = {name: kind for kind, names in ARGUMENTS.items() for name in names.split()} | {
    **{f"{f}.other": "Tensor" for f in "view_as expand_as reshape_as is_same_size type_as allclose isclose equal "
       "matmul vdot inner".split()},
    **{f"{f}.{a}": "int" for f in "select narrow split chunk unflatten unbind gather scatter scatter_ scatter_add "
       "scatter_add_ index_select cat stack softmax log_softmax unsqueeze stride".split() for a in ("dim", "start")},
    **{f"{f}.weight": "Tensor" for f in "prelu nll_loss cross_entropy".split()},
    **{f"{f}.value": "Tensor | Number" for f in "masked_fill masked_fill_ fill_ setitem".split()},
    "register_classes.tensor": "type", "register_classes.size": "type", "tensor.data": "Any",
    "size.dim": "int",
    "select.index": "int",
    "pow.input": "Tensor | Number",
    "heaviside.values": "Tensor",
    "norm.p": "float | str",
    "nonzero_data.t": "Tensor",
    "split.split_size_or_sections": "Dims",
    "index_put.indices": "tuple[Tensor, ...]",
    "index_put_.indices": "tuple[Tensor, ...]",
    "backward.tensors": "Tensor | Sequence[Tensor]",
    "from_numpy.array": "NDArray[Any]",
    "as_subclass.data": "Tensor",
    "where.input": "Tensor | Number", "where.condition": "Tensor",
    "_make_subclass.data": "Tensor",
    "set_.source": "Tensor",
    "type.dtype": "DType | str | type | None",
    "result_type.tensor1": "Tensor | Number", "result_type.tensor2": "Tensor | Number",
}  # fmt: skip
RESULTS = {
    "bool": "is_contiguous is_floating_point is_same_size retains_grad is_grad_enabled is_inference_mode_enabled "
    "is_pinned is_shared is_signed is_complex allclose equal",
    "int": "dim numel storage_offset data_ptr element_size get_ndim get_output_nr nelement ndimension",
    "None": "backward tensor_backward retain_grad remove check_device register_classes setitem inherit_operators",
    "str": "name __repr__",
    "dict[str, Any]": "blas_info",
    "Any": "item tolist get_grad_fn stride size type_ getitem",
    "Size": "get_shape",
    "NDArray[Any]": "numpy",
    "DType": "result_type",
    "RemovableHandle": "register_hook",
    "tuple[Tensor, ...]": "split chunk unbind grad",
    "tuple[Tensor, Tensor]": "var_mean std_mean",
    "Tensor | tuple[Tensor, ...]": "nonzero where",
    **{f"return_types.{name}": name for name in
       "sort topk kthvalue mode cummax cummin aminmax histogram histogramdd".split()},
    "str | Tensor": "type",
}
RESULT_OF = {name: kind for kind, names in RESULTS.items() for name in names.split()}
RESULT_OF |= dict.fromkeys("max min median nanmedian".split(), "Any")  # one tensor, or a pair
PROPERTIES = {
    "bool": "requires_grad is_leaf retains_grad is_cuda is_sparse is_quantized is_meta is_cpu",
    "int": "ndim output_nr itemsize nbytes _version",
    "Tensor": "data T mT H mH real values indices min max",
    "Tensor | None": "grad _base",
    "DType": "dtype",
    "_device": "device",
    "_layout": "layout",
    "Size": "shape",
    "tuple[Any, ...]": "next_functions",
}
PROPERTY_OF = {name: kind for kind, names in PROPERTIES.items() for name in names.split()}
SETTABLE = {"requires_grad", "grad", "data"}
SPECIAL = {  # the protocols of Python, whose signatures a C slot does not have
    "__hash__": "(self) -> int", "__iter__": "(self) -> Iterator[Tensor]", "__bool__": "(self) -> bool",
    "__int__": "(self) -> int", "__float__": "(self) -> float", "__index__": "(self) -> int",
    "__len__": "(self) -> int", "__getitem__": "(self, key: Any, /) -> Tensor",
    "__complex__": "(self) -> complex", "__setitem__": "(self, key: Any, value: Tensor | Number, /) -> None",
    "__delitem__": "(self, key: Any, /) -> None", "__contains__": "(self, key: Any, /) -> bool",
    "__neg__": "(self) -> Tensor", "__pos__": "(self) -> Tensor", "__abs__": "(self) -> Tensor",
    "__invert__": "(self) -> Tensor",
    "__array__": "(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]",
    "__pow__": "(self, value: Tensor | Number, mod: None = None, /) -> Tensor",
    "__ipow__": "(self, value: Tensor | Number, /) -> Tensor",
    "__rpow__": "(self, value: Tensor | Number, mod: None = None, /) -> Tensor",
    "__enter__": "(self) -> Self", "__exit__": "(self, *exception: Any) -> None",
    "__format__": "(self, spec: str) -> str", "__dir__": "(self) -> list[str]",
    "__setstate__": "(self, state: Any) -> None",
    "__reduce_ex__": "(self, protocol: Any) -> Any", "__deepcopy__": "(self, memo: dict[int, Any]) -> Tensor",
    "__array_wrap__": "(self, array: NDArray[Any], context: Any = None, return_scalar: bool = False) -> Tensor",
    "__init_subclass__": "(cls, **kwargs: Any) -> None",
    "__torch_function__": "(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any",
    "__new__": "(cls, *data: Any, device: Device | None = None, dtype: DType | None = None) -> Self",
    "__call__": "(self, *args: Any, **kwargs: Any) -> Any",
}  # fmt: skip
NOT_SHOWN = {"__doc__", "__module__", "__dict__", "__weakref__", "__pyx_vtable__", "__reduce_cython__", "__qualname__",
             "__setstate_cython__", "__annotations__", "__slots__", "__firstlineno__",
             "__static_attributes__"}  # fmt: skip
IMPORTS = {
    "Any": "from typing import Any", "final": "from typing import final", "Self": "from typing_extensions import Self",
    "ClassVar": "from typing import ClassVar", "NamedTuple": "from typing import NamedTuple",
    "Iterator": "from collections.abc import Iterator", "Sequence": "from collections.abc import Sequence",
    "NDArray": "from numpy.typing import NDArray", "Tensor": "from minitorch import Tensor",
    "Size": "from minitorch._size import Size", "_device": "from minitorch._device import device as _device",
    "_layout": "from minitorch._device import layout as _layout",
    "Generator": "from minitorch._ext.random import Generator",
    "Node": "from minitorch._ext.tensor import Node",
    "ReduceBackward": "from minitorch._ext.reduce import ReduceBackward",
    "TensorBase": "from minitorch._ext.tensor import TensorBase",
    "RemovableHandle": "from minitorch.utils.hooks import RemovableHandle",
    "TensorMethods": "from minitorch._ext.engine import TensorMethods",
    "return_types": "from minitorch import return_types",
    **{name: f"from minitorch._types import {name}" for name in ("Device", "Dims", "DType", "Number", "Sizes")},
}  # fmt: skip


def argument(function: str, parameter: inspect.Parameter) -> str:
    """One argument with its type and default."""
    name, default = parameter.name, parameter.default
    stars = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
    kind = TYPE_OF.get(f"{function}.{name}") or TYPE_OF.get(name, "Any")
    if default is None and kind != "Any" and not kind.endswith("None"):
        kind += " | None"
    if default is parameter.empty:
        return f"{stars}{name}: {kind}"
    return f"{name}: {kind} = {default!r}" if not repr(default).startswith("<") else f"{name}: {kind} = ..."


def signature(name: str, function: object, method: bool = False) -> str:
    """``def`` and all, of a function or, without the type of ``self``, of a method."""
    if name in SPECIAL:
        ignored = "  # type: ignore[misc]" if name == "__ipow__" else ""
        return f"def {name}{SPECIAL[name]}: ...{ignored}"
    if name.startswith("__") and not hasattr(function, "__code__"):  # an operator
        if name == "__repr__":
            return "def __repr__(self) -> str: ..."
        ignored = "  # type: ignore[override]" if name in ("__eq__", "__ne__") else ""
        return f"def {name}(self, value: Any, /) -> Tensor: ...{ignored}"
    parts: list[str] = []
    parameters = list(inspect.signature(function).parameters.values())
    for before, parameter in zip([None, *parameters], parameters):
        named_only = parameter.kind is parameter.KEYWORD_ONLY
        if named_only and before and before.kind not in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL):
            parts.append("*")
        first = before is None and method
        parts.append(parameter.name if first else argument(name, parameter))
        if parameter.kind is parameter.POSITIONAL_ONLY and parameter is parameters[-1]:
            parts.append("/")
    result = RESULT_OF.get(name) or inspect.unwrap(function).__annotations__.get("return", "Tensor")
    return f"def {name}({', '.join(parts)}) -> {result}: ..."


def attribute(name: str) -> list[str]:
    kind = PROPERTY_OF.get(name, "Any")
    lines = ["@property", f"def {name}(self) -> {kind}: ..."]
    if name in SETTABLE:
        lines += [f"@{name}.setter", f"def {name}(self, value: {kind}) -> None: ..."]
    return lines


def class_stub(cls: type) -> str:
    """A class with what it adds to its base."""
    lines: list[str] = []
    # the order of Python's own is that of its slots, which changes from version to version
    for name, value in sorted(vars(cls).items(), key=lambda item: item[0] if item[0].startswith("__") else "a"):
        private = name.startswith("_") and not name.endswith("__") and name not in PROPERTY_OF
        if name in NOT_SHOWN or (private and not isinstance(value, staticmethod)):
            continue
        if name == "__new__" and not inspect.isfunction(getattr(value, "__func__", None)):
            continue  # made by Cython
        if isinstance(value, (property, types.GetSetDescriptorType)):
            lines += attribute(name)
        elif isinstance(value, staticmethod) and name != "__new__":
            lines += ["@staticmethod", signature(name, value.__func__)]
        elif name == "__init__":
            arguments = list(inspect.signature(value).parameters)[1:]
            lines.append(f"def __init__(self, {', '.join(f'{a}: Any' for a in arguments)}) -> None: ...")
        elif name == "__reduce__" or (name == "__setstate__" and not inspect.isfunction(value)):
            lines.append(f"def {name}(self, *args: Any) -> Any: ...")
        elif isinstance(value, int):
            lines.append(f"{name}: ClassVar[int]")
        elif callable(value) or isinstance(value, classmethod):
            if isinstance(value, classmethod) and name != "__init_subclass__":
                lines.append("@classmethod")
            lines.append(signature(name, value, method=True))
    base = cls.__bases__[0].__name__
    head = "@final\n" if not cls.__flags__ & 1 << 10 else ""
    head += f"class {cls.__name__}" + ("" if base == "object" else f"({base})")
    return f"{head}:\n{indented(lines)}" if lines else f"{head}: ..."


def indented(lines: list[str]) -> str:
    return "\n".join(f"    {part}" for line in lines for part in line.split("\n"))


def own_names(module: types.ModuleType) -> Iterator[tuple[str, object]]:
    """The names that a module defines, those for the engine's inside left out."""
    for name, value in vars(module).items():
        home = getattr(value, "__module__", None) or module.__name__
        if home == module.__name__ and not name.startswith("_") and not isinstance(value, types.ModuleType):
            yield name, value


def module_stub(module: types.ModuleType) -> str:
    """All that a Cython module defines."""
    parts = []
    for name, value in own_names(module):
        if isinstance(value, type):
            parts.append(class_stub(value))
        elif callable(value):
            parts.append(signature(name, value))
        else:
            parts.append(f"{name}: {'list[str]' if isinstance(value, list) else 'Any'}")
    return with_imports("\n".join(parts))


def with_imports(body: str) -> str:
    """The stub with the imports that it needs."""
    used = set(re.findall(r"(?:-> |: |\[|, |\| |\(|@)(\w+)", body)) - set(re.findall(r"class (\w+)", body))
    lines = [line for name, line in IMPORTS.items() if name in used]
    return HEADER + "\n".join([*lines, "", body, ""])


def tensor_stub() -> str:
    """`minitorch/_tensor.pyi`: the class whose methods are the engine's functions.

    Its methods ``float``, ``bool`` ... hide the types of those names in the class, so those are written otherwise.
    """
    text = class_stub(minitorch.Tensor)
    annotation = r"(?<=[:>|\[,] )(bool|int|float|type)\b(?!\()|(?<=\[)(bool|int|float|type)\b"
    text = re.sub(annotation, lambda match: f"_{match.group()}", text)
    used = sorted(set(re.findall(r"\b_(bool|int|float|type)\b", text)))
    builtin = "\n".join(f"from builtins import {name} as _{name}" for name in used)
    functions = ("def engine_functions(*first_arguments: str) -> Iterator[tuple[str, Any]]: ...\n"
                 "def stands_in(cls: _type) -> _bool: ...")
    names = "ELSEWHERE: set[str]\nNOT_METHODS: set[str]\nDTYPES: tuple[DType, ...]"
    body = with_imports(f"{names}\n\n{functions}\n\n{text}")
    return body.replace(HEADER, f"{HEADER}{builtin}\n")


def home_of(package: types.ModuleType, name: str, value: object) -> str:
    """The module, seen from its package, that defines a public name of it."""
    if isinstance(value, types.ModuleType):
        return "."
    if isinstance(value, float):
        return "math"
    if isinstance(value, str):
        return "._version"
    source = getattr(value, "__module__", None) or type(value).__module__
    home = source.removeprefix(package.__name__)
    if getattr(importlib.import_module(home, package.__name__), name) is not value:
        raise LookupError(f"{package.__name__}.{name} is not {source}.{name}")
    return home


def namespace_stub(package: types.ModuleType) -> str:
    """A package's `__init__.pyi`: where each public name comes from."""
    imports, rest = [], []
    for name in dir(package):
        value = getattr(package, name)
        if (name.startswith("_") and name not in UNDERSCORED) or name in ("annotations", "engine_functions"):
            continue
        if isinstance(value, minitorch.dtype):
            rest.append(f"{name}: dtype")
        elif name in CLASSES:
            rest.append(f"class {name}(Tensor): ...")
        elif value is None:
            rest.append(f"{name}: None")
        else:
            imports.append(f"from {home_of(package, name, value)} import {name} as {name}")
    if package is minitorch:  # made by a loop
        imports += ["from collections.abc import Callable", "from typing import Any"]
        rest += [f"{name}: Callable[..., Any]" for name in dir(_foreach) if name.startswith("_foreach_")]
    return HEADER + "\n".join([*imports, "", *rest, ""])


def main() -> None:
    stubs = {
        "_tensor.pyi": tensor_stub(),
        "__init__.pyi": namespace_stub(minitorch),
        "nn/__init__.pyi": namespace_stub(minitorch.nn),
    }
    for source in sorted((PACKAGE / "_ext").glob("*.pyx")):
        if source.stem not in HAND_WRITTEN:
            stubs[f"_ext/{source.stem}.pyi"] = module_stub(importlib.import_module(f"minitorch._ext.{source.stem}"))
    for name, text in stubs.items():
        (PACKAGE / name).write_text(text, encoding="utf-8")
    files = [str(PACKAGE / name) for name in stubs]
    subprocess.run(["ruff", "check", "-q", "--select", "I", "--fix", *files], check=True)
    subprocess.run(["ruff", "format", "-q", *files], check=True)


if __name__ == "__main__":
    main()
