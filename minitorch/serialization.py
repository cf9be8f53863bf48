"""`save` and `load`: PyTorch's file format, so that either library reads the other's tensors and state dicts.

A file is a zip archive of a pickle (``data.pkl``) and the raw bytes of each storage (``data/0``, ``data/1`` ...), to
which the pickle refers; tensors that share memory share it again when loaded.  The pickle names PyTorch's functions,
for which our reader has counterparts; with ``weights_only`` it refuses everything else, so that a file cannot run code.
"""

from __future__ import annotations

import collections
import importlib
import io
import os
import pickle
import zipfile
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from . import cuda
from ._device import device
from ._ext import engine
from ._ext.dtype import ALL, dtype
from ._size import Size
from ._tensor import Tensor
from .nn.parameter import Parameter
from .storage import untyped_storage

__all__ = ["add_safe_globals", "clear_safe_globals", "get_safe_globals", "load", "safe_globals", "save"]

STORAGES = {
    "bool": "BoolStorage", "uint8": "ByteStorage", "int8": "CharStorage", "int16": "ShortStorage",
    "int32": "IntStorage", "int64": "LongStorage", "float16": "HalfStorage", "bfloat16": "BFloat16Storage",
    "float32": "FloatStorage", "float64": "DoubleStorage", "complex64": "ComplexFloatStorage",
    "complex128": "ComplexDoubleStorage",
}
PROTOCOL = 2


# --- writing ----------------------------------------------------------------------------------------------------------

class _Name:
    """A global of PyTorch's that the pickle shall name."""

    def __init__(self, module: str, name: str) -> None:
        self.module, self.name = module, name

    def __call__(self):  # pickle asks whether what it reduces to can be called
        raise TypeError(f"{self.module}.{self.name} is a name only")


REBUILD_TENSOR = _Name("torch._utils", "_rebuild_tensor_v2")
REBUILD_PARAMETER = _Name("torch._utils", "_rebuild_parameter")


class _Stored:
    """A storage that the pickle refers to."""

    def __init__(self, key: str, kind: dtype, count: int, place: str) -> None:
        self.key, self.kind, self.count, self.place = key, kind, count, place


class _Writer(pickle._Pickler):  # the one written in Python: it lets us say under which name a global is known
    def __init__(self, file, protocol: int) -> None:
        super().__init__(file, protocol)
        self.storages: dict[int, tuple[str, Any]] = {}

    def persistent_id(self, obj):
        if isinstance(obj, _Stored):
            return "storage", _Name("torch", STORAGES[obj.kind.name]), obj.key, obj.place, obj.count
        return None

    def save(self, obj, save_persistent_id=True):
        if isinstance(obj, _Name):
            return self._save_name(obj)
        if isinstance(obj, dtype):
            return self._save_name(_Name("torch", obj.name))
        return super().save(obj, save_persistent_id)

    def _save_name(self, name: _Name) -> None:
        self.write(pickle.GLOBAL + f"{name.module}\n{name.name}\n".encode())

    def reducer_override(self, obj):
        if isinstance(obj, Parameter) and type(obj) is Parameter:
            return REBUILD_PARAMETER, (obj.data, obj.requires_grad, collections.OrderedDict())
        if type(obj) is Tensor:
            if not obj.is_leaf:
                obj = obj.detach().requires_grad_()
            return REBUILD_TENSOR, (self._stored(obj), obj.storage_offset(), tuple(obj.shape), obj.stride(),
                                    obj.requires_grad, collections.OrderedDict())
        if type(obj) is Size:
            return _Name("torch", "Size"), (tuple(obj),)
        if type(obj) is device:
            return _Name("torch", "device"), (obj.type,) if obj.index is None else (obj.type, obj.index)
        return NotImplemented

    def _stored(self, t: Tensor) -> _Stored:
        storage = untyped_storage(t)
        if storage.data_ptr() not in self.storages:
            self.storages[storage.data_ptr()] = (str(len(self.storages)), storage)
        return _Stored(self.storages[storage.data_ptr()][0], t.dtype, storage.nbytes() // t.itemsize,
                       "cuda:0" if t.is_cuda else "cpu")


def save(obj: Any, f: str | os.PathLike | io.IOBase, pickle_module=None, pickle_protocol: int = PROTOCOL,
         _use_new_zipfile_serialization: bool = True) -> None:
    """Write an object (a tensor, a state dict, anything that can be pickled) to a file that `load` reads.

    PyTorch reads it too, as long as it holds tensors, parameters and plain Python objects.

    Args:
        f: a path, or a file open for writing bytes.

    >>> import minitorch, io
    >>> file = io.BytesIO()
    >>> minitorch.save({"w": minitorch.ones(2)}, file)
    >>> _ = file.seek(0)
    >>> minitorch.load(file)
    {'w': tensor([1., 1.])}
    """
    if not _use_new_zipfile_serialization:
        raise NotImplementedError("save: only the zip format is written; leave _use_new_zipfile_serialization out")
    if pickle_module not in (None, pickle):
        raise NotImplementedError("save: only Python's own pickle is supported; leave pickle_module out")
    text = io.BytesIO()
    writer = _Writer(text, pickle_protocol)
    writer.dump(obj)
    root = "archive"
    if isinstance(f, (str, os.PathLike)):
        root = os.path.splitext(os.path.basename(os.fspath(f)))[0] or root
    with zipfile.ZipFile(f, "w", zipfile.ZIP_STORED) as archive:
        _put(archive, f"{root}/data.pkl", text.getvalue())
        _put(archive, f"{root}/.format_version", b"1")
        _put(archive, f"{root}/.storage_alignment", b"64")
        _put(archive, f"{root}/byteorder", b"little")
        for key, storage in writer.storages.values():
            _put(archive, f"{root}/data/{key}", memoryview(storage._bytes.cpu().numpy()))
        _put(archive, f"{root}/version", b"3\n")


def _put(archive: zipfile.ZipFile, name: str, content) -> None:
    """An entry whose content starts at a multiple of 64 bytes, as those who map files into memory want it."""
    entry = zipfile.ZipInfo(name)
    start = archive.fp.tell() + 30 + len(name)
    padding = -(start + 4) % 64
    entry.extra = b"FB" + padding.to_bytes(2, "little") + b"Z" * padding
    archive.writestr(entry, content)


# --- reading ----------------------------------------------------------------------------------------------------------

def _rebuild_tensor(storage, offset, size, stride, requires_grad=False, hooks=None, metadata=None):
    return storage.as_strided(size, stride, offset).detach().requires_grad_(requires_grad)


def _rebuild_parameter(data, requires_grad, hooks):
    return Parameter(data, requires_grad)


def _rebuild_parameter_with_state(data, requires_grad, hooks, state):
    result = Parameter(data, requires_grad)
    if isinstance(state, Mapping):
        result.__dict__.update(state)
    return result


def _rebuild_from_type(function, cls, args, state):
    return function(*args)


class _StorageType:
    def __init__(self, kind: dtype | None) -> None:
        self.kind = kind


_KINDS = {kind.name: kind for kind in ALL}

# what a file of weights may name, by PyTorch's names
KNOWN: dict[str, Any] = {
    "torch._utils._rebuild_tensor_v2": _rebuild_tensor,
    "torch._utils._rebuild_tensor": _rebuild_tensor,
    "torch._utils._rebuild_tensor_v3": _rebuild_tensor,
    "torch._utils._rebuild_parameter": _rebuild_parameter,
    "torch._utils._rebuild_parameter_with_state": _rebuild_parameter_with_state,
    "torch._tensor._rebuild_from_type_v2": _rebuild_from_type,
    "torch.Size": Size, "torch.device": device, "torch.Tensor": Tensor, "torch.nn.parameter.Parameter": Parameter,
    "torch.storage.UntypedStorage": _StorageType(None), "torch.UntypedStorage": _StorageType(None),
    "collections.OrderedDict": collections.OrderedDict, "collections.defaultdict": collections.defaultdict,
    "collections.Counter": collections.Counter, "builtins.set": set, "__builtin__.set": set,
    "builtins.complex": complex, "__builtin__.complex": complex, "builtins.bytearray": bytearray,
    "_codecs.encode": lambda text, encoding="latin1": text.encode(encoding),
    **{f"torch.{name}": kind for name, kind in _KINDS.items()},
    **{f"torch.{storage}": _StorageType(_KINDS[name]) for name, storage in STORAGES.items() if name in _KINDS},
}

_safe: dict[str, Any] = {}


def add_safe_globals(safe_globals: list) -> None:
    """Let files of weights name these classes and functions too (or pairs of one and the name it goes by)."""
    for entry in safe_globals:
        value, name = entry if isinstance(entry, tuple) else (entry, f"{entry.__module__}.{entry.__qualname__}")
        _safe[name] = value


def get_safe_globals() -> list:
    """What `add_safe_globals` has added."""
    return list(_safe.values())


def clear_safe_globals() -> None:
    """Forget what `add_safe_globals` has added."""
    _safe.clear()


class safe_globals:
    """`add_safe_globals` for the length of a ``with`` block."""

    def __init__(self, safe_globals: list) -> None:
        self.added = safe_globals

    def __enter__(self) -> None:
        self.before = dict(_safe)
        add_safe_globals(self.added)

    def __exit__(self, *exception) -> None:
        _safe.clear()
        _safe.update(self.before)


class _Reader(pickle.Unpickler):
    def __init__(self, file, read: Callable[[str], bytes], place: Callable[[str], str], weights_only: bool,
                 **options) -> None:
        super().__init__(file, **options)
        self.read, self.place, self.weights_only = read, place, weights_only
        self.storages: dict[str, Any] = {}

    def find_class(self, module: str, name: str):
        full = f"{module}.{name}"
        if full in KNOWN:
            return KNOWN[full]
        if full in _safe:
            return _safe[full]
        if self.weights_only:
            raise pickle.UnpicklingError(
                f"Weights only load failed: the file names {full}, which is not among the plain classes that a file of "
                f"weights may hold. If you trust its source, allow it with "
                f"minitorch.serialization.add_safe_globals([{name}]), or load with weights_only=False, which lets the "
                "file run any code.")
        if module == "torch" or module.startswith("torch."):
            found = importlib.import_module("minitorch" + module[5:])
            for part in name.split("."):
                found = getattr(found, part)
            return found
        return super().find_class(module, name)

    def persistent_load(self, saved_id):
        if not isinstance(saved_id, tuple) or saved_id[0] != "storage":
            raise pickle.UnpicklingError(f"load: the file refers to {saved_id!r}, which is not a storage")
        kind, key, location, count = saved_id[1:5]
        if not isinstance(kind, _StorageType):
            raise pickle.UnpicklingError(f"load: storages of the type {kind!r} are not supported")
        if key not in self.storages:
            content = np.frombuffer(bytearray(self.read(key)), dtype=np.uint8)
            self.storages[key] = engine.from_numpy(content).to(self.place(location))
        data = self.storages[key]
        return data if kind.kind is None else data[: count * kind.kind.itemsize].view(kind.kind)


def _placing(map_location) -> Callable[[str], str]:
    """Where what was saved from a device shall be, if that can be had here."""
    def place(location: str) -> str:
        target: Any = location
        if callable(map_location):
            return "cpu"                                    # whatever the function gives, it is on the CPU
        elif isinstance(map_location, Mapping):
            target = map_location.get(location, location)
        elif map_location is not None:
            target = map_location
        kind = str(target).partition(":")[0]
        if kind == "cuda" and cuda.device_count():
            return "cuda"
        if kind != "cpu":
            raise RuntimeError(
                f"Attempting to deserialize object on the device {location!r}, which is not there. Use minitorch.load "
                "with map_location='cpu' to have it in the memory of the CPU.")
        return "cpu"

    return place


def load(f: str | os.PathLike | io.IOBase, map_location=None, pickle_module=None, *, weights_only: bool | None = None,
         mmap: bool | None = None, **pickle_load_args) -> Any:
    """Read what `save` wrote, here or in PyTorch.

    Args:
        f: a path, or a file open for reading bytes that can seek.
        map_location: where tensors shall go that were on other devices: ``"cpu"``, a device, or a dictionary.
        weights_only: True, the default, refuses everything but tensors, plain containers and what `add_safe_globals`
            allows.  False lets the file run any code: only for files that you trust.

    Raises:
        pickle.UnpicklingError: if the file holds what ``weights_only`` refuses.
        FileNotFoundError: and other errors of `open`.
        RuntimeError: if it is no such file.
    """
    if pickle_module not in (None, pickle):
        raise NotImplementedError("load: only Python's own pickle is supported; leave pickle_module out")
    if mmap:
        raise NotImplementedError("load: mmap is not supported; leave it out")
    weights_only = True if weights_only is None else weights_only
    if isinstance(f, (str, os.PathLike)):
        open(f, "rb").close()  # says what is wrong with the path, if anything is
    if not zipfile.is_zipfile(f):
        raise RuntimeError("load: the file is not a zip archive, as torch.save writes since version 1.6. Older files "
                           "can be rewritten by PyTorch: torch.save(torch.load(old), new)")
    if not isinstance(f, (str, os.PathLike)):
        f.seek(0)
    with zipfile.ZipFile(f) as archive:
        names = {name.partition("/")[2]: name for name in archive.namelist()}
        if "data.pkl" not in names:
            raise RuntimeError("load: the archive holds no data.pkl, so torch.save did not write it" + (
                ": it is a TorchScript archive, which is not supported" if "code" in str(list(names)[:50]) else ""))
        if "byteorder" in names and archive.read(names["byteorder"]) != b"little":
            raise NotImplementedError("load: the file was written on a machine of the other byte order")
        reader = _Reader(io.BytesIO(archive.read(names["data.pkl"])), lambda key: archive.read(names[f"data/{key}"]),
                         _placing(map_location), weights_only, **pickle_load_args)
        return reader.load()

