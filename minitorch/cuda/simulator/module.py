"""A CUDA source compiled for the host, and the kernels in it."""

from __future__ import annotations

import ctypes
import os
import threading
from pathlib import Path
from typing import NamedTuple

from ..arguments import MAX_STATIC_SHARED, Packer, Slot
from ..runtime import CompileError, KernelError
from . import elf, source, toolchain
from .memory import OFFSET

turn = threading.RLock()
"""The device runs one launch at a time, and none while a module is loaded, which may run code that is checked."""
_compiling = threading.RLock()
for _lock in (turn, _compiling):  # the child of a fork must not find what a thread that it does not have was doing
    os.register_at_fork(before=_lock.acquire, after_in_parent=_lock.release, after_in_child=_lock.release)
_modules: dict[tuple[str, tuple[str, ...], tuple[str, ...], bool], SimModule] = {}


class _Parameter(ctypes.Structure):
    _fields_ = [(name, ctypes.c_int) for name in ("pointer", "constant", "kind", "size", "offset")]


class _Entry(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_char_p),
        ("worker", ctypes.c_void_p),
        ("kernel", ctypes.c_void_p),
        ("parameters", ctypes.POINTER(_Parameter)),
        ("count", ctypes.c_int),
        ("bytes", ctypes.c_int),
    ]


class _Module(ctypes.Structure):
    _fields_ = [
        ("entries", ctypes.POINTER(_Entry)),
        ("count", ctypes.c_int),
        ("context", ctypes.c_void_p),
        ("dynamic", ctypes.c_void_p),
    ]


class _Shared(ctypes.Structure):
    _fields_ = [("low", ctypes.c_size_t), ("high", ctypes.c_size_t)]


class _Code(ctypes.Structure):
    _fields_ = [
        ("worker", ctypes.c_void_p),
        ("context", ctypes.c_void_p),
        ("dynamic", ctypes.c_void_p),
        ("module_low", ctypes.c_size_t),
        ("module_high", ctypes.c_size_t),
        ("shared", ctypes.POINTER(_Shared)),
        ("shared_count", ctypes.c_int),
    ]


class SharedVariable(NamedTuple):
    """A ``__shared__`` variable, where it lies in the module's own numbering."""

    name: str
    low: int
    size: int


class SimFunction:
    """A kernel compiled for the simulator."""

    def __init__(
        self, module: SimModule, name: str, entry: _Entry, own: list[SharedVariable], others: list[SharedVariable]
    ) -> None:
        self.name, self.module, self.shared = name, module, own + others
        shared = self.shared
        written = source.parameters_of(module.source, name)
        slots = []
        for i in range(entry.count):
            p = entry.parameters[i]
            label = written[i].name if i < len(written) else str(i)
            slots.append(Slot(label, bool(p.pointer), bool(p.constant), chr(p.kind), p.size, p.offset))
        self.slots = tuple(slots)
        self.packer = Packer(name, slots, entry.bytes, OFFSET)
        self.static_bytes = sum(variable.size for variable in own)
        if self.static_bytes > MAX_STATIC_SHARED:
            raise CompileError(
                f"{name}: {self.static_bytes} bytes of __shared__ arrays; the limit is {MAX_STATIC_SHARED}: "
                "use dynamic shared memory (extern __shared__) for more"
            )
        ranges = (_Shared * max(len(shared), 1))(
            *[_Shared(module.base + v.low, module.base + v.low + v.size) for v in shared]
        )
        self._code = _Code(
            entry.worker,
            module.context,
            module.dynamic,
            module.base + module.low,
            module.base + module.high,
            ranges,
            len(shared),
        )
        self.code = ctypes.addressof(self._code)


class SimModule:
    """A compiled source."""

    def __init__(self, text: str, names: tuple[str, ...], options: tuple[str, ...], checked: bool) -> None:
        self.source, self.checked = text, checked
        self.wanted = {
            name: name for name, kernel in source.kernels(text).items() if kernel.is_c and not kernel.is_template
        } | {name: name for name in names}
        if not self.wanted:
            raise CompileError(_nothing(text))
        self.path = _compile(text, tuple(self.wanted), options, checked)
        with turn:
            self._library = ctypes.CDLL(str(self.path))
        self._library.sim_module.restype = ctypes.POINTER(_Module)
        module = self._library.sim_module().contents
        self.context, self.dynamic = module.context, module.dynamic
        file = elf.SharedObject(self.path)
        at = next(s.value for s in file.symbols if s.name == "sim_module")
        address = ctypes.cast(self._library.sim_module, ctypes.c_void_p).value
        assert address is not None
        self.base, self.low, self.high = address - at, file.low, file.high
        self._functions = self._find(module, file)

    def _find(self, module: _Module, file: elf.SharedObject) -> dict[str, SimFunction]:
        """The functions, each with the shared variables that are its own, and those of functions that it may call."""
        entries = [module.entries[i] for i in range(module.count)]
        named = {symbol.value: symbol.name for symbol in file.symbols}
        for symbol in file.symbols:  # an alias in the object's own style is what variables are named after
            if symbol.name.startswith("_Z"):
                named[symbol.value] = symbol.name
        owners = []
        for entry in entries:
            name = named.get(entry.kernel - self.base, "")
            owners.append(f"_Z{name}E" if name.startswith("_Z") else f"_ZZ{len(name)}{name}E")
        variables: list[tuple[str, SharedVariable]] = []
        for symbol in file.symbols:
            local = elf.local_variable(symbol.name)
            if local and symbol.zeroed and symbol.size:
                variables.append((symbol.name, SharedVariable(local, symbol.value, symbol.size)))
        found = {}
        others = [v for mangled, v in variables if not mangled.startswith(tuple(owners))]
        for entry, owner in zip(entries, owners):
            name = entry.name.decode()
            own = [v for mangled, v in variables if mangled.startswith(owner)]
            found[name] = SimFunction(self, name, entry, own, others)
        return found

    def function(self, name: str) -> SimFunction:
        """A kernel by name."""
        try:
            return self._functions[name]
        except KeyError:
            raise KernelError(_unknown(self.source, name, tuple(self._functions))) from None


def _nothing(text: str) -> str:
    kernels = source.kernels(text)
    if not kernels:
        return 'there is no kernel in this source: a kernel is a function `extern "C" __global__ void name(...)`'
    return (
        f'none of the kernels ({", ".join(kernels)}) can be had by name: declare them extern "C", or give '
        'templates as name expressions, such as names=("kernel<float>",)'
    )


def _unknown(text: str, name: str, known: tuple[str, ...]) -> str:
    kernel = source.kernels(text).get(source.base_name(name))
    if kernel is None:
        return f"there is no kernel {name!r} in this source; it has {', '.join(known)}"
    if kernel.is_template:
        return f"{name!r} is a template: give what you want of it among the name expressions, such as '{name}<float>'"
    return f'{name!r} is not extern "C": declare it so, or give {name!r} among the name expressions'


_NO_EFFECT = (
    "-std=",
    "--std=",
    "-lineinfo",
    "--generate-line-info",
    "--use_fast_math",
    "-use_fast_math",
    "--fmad=",
    "-fmad=",
    "-ftz=",
    "--ftz=",
    "-prec-",
    "--prec-",
    "-arch=",
    "--gpu-architecture=",
    "--ptxas-options",
    "-maxrregcount",
    "--maxrregcount",
    "-default-device",
    "--device-as-default-execution-space",
    "--extra-device-vectorization",
    "-restrict",
    "--restrict",
    "-w",
    "--disable-warnings",
)


def _host_options(options: tuple[str, ...]) -> list[str]:
    """Of a CUDA compiler's options those that mean something here: the others choose how a GPU's code is made."""
    kept = []
    for option in options:
        if option.startswith(("-D", "-U", "-I")):
            kept.append(option)
        elif option.startswith(("--define-macro=", "--undefine-macro=", "--include-path=")):
            kept.append({"d": "-D", "u": "-U", "i": "-I"}[option[2]] + option.split("=", 1)[1])
        elif not option.startswith(_NO_EFFECT):
            raise CompileError(f"the CUDA simulator does not know the compiler option {option!r}")
    return kept


def included(options: tuple[str, ...]) -> list[str]:
    """The headers that a source may include: a change in one makes another object."""
    folders = [Path(option.removeprefix("-I")) for option in _host_options(options) if option.startswith("-I")]
    return [
        toolchain.text(file)
        for folder in folders
        for file in sorted(folder.glob("*.[hc]*"))
        if file.suffix in {".h", ".cuh", ".hpp"}
    ]


def _definitions(options: list[str]) -> str:
    """The macros among the options, as lines after the simulator's headers, which use short names too."""
    found = []
    for option in options:
        name, _, value = option[2:].partition("=")
        if option.startswith("-D"):
            found.append(f"#define {name} {value or 1}\n")
        elif option.startswith("-U"):
            found.append(f"#undef {name}\n")
    return "".join(found)


def _text(text: str, wanted: tuple[str, ...], options: list[str]) -> str:
    entries = ",\n".join(f'    SIM_ENTRY("{name}", {name})' for name in wanted)
    headers, body = source.for_host(text)
    return f"""{headers}{_definitions(options)}namespace {{
#line 1 "{source.default_file(text)}"
{body}
}}
#line 1 "simulator"
static const SimEntry sim_entries[] = {{
{entries}
}};
struct SimModule {{ const SimEntry *entries; int count; SimContext *context; char *dynamic; }};
extern "C" __attribute__((visibility("default"))) const SimModule *sim_module() {{
    static const SimModule module = {{sim_entries, {len(wanted)}, &sim_context, sim_dynamic}};
    return &module;
}}
"""


def _compile(text: str, wanted: tuple[str, ...], options: tuple[str, ...], checked: bool) -> Path:
    clang, host_options = toolchain.is_clang(), _host_options(options)
    flags = [
        "-std=c++17",
        "-fPIC",
        "-ffp-contract=off",
        "-fno-strict-aliasing",
        "-fvisibility=hidden",
        "-w",
        "-g1",
        "-gdwarf-4",
        "-fno-math-errno",
        "-fno-stack-protector",
        "-U_FORTIFY_SOURCE",
        "-nostdinc",
        f"-DMINITORCH_SIM_CHECK={int(checked)}",
        *(o for o in host_options if o.startswith("-I")),
    ]
    if checked:
        # -fno-tree-sra: a float4 is loaded whole, as on a GPU, and counted so
        wrongs = "alignment,bounds,integer-divide-by-zero,shift-exponent,null,object-size"
        flags += ["-O1", "-fsanitize=thread", f"-fsanitize={wrongs}"]
        flags += (
            ["-mllvm", "-tsan-instrument-func-entry-exit=0"]
            if clang
            else ["-fno-tree-sra", "--param", "tsan-instrument-func-entry-exit=0"]
        )
    else:
        flags += ["-O2"]
    whole = _text(text, wanted, host_options)
    library = toolchain.device_library()
    content = [
        toolchain.version(toolchain.compiler()),
        toolchain.headers(),
        library.name,
        whole,
        *flags,
        *included(options),
    ]

    def make(target: Path) -> None:
        file, made = target.with_suffix(".cu"), target.with_suffix(".o")
        file.write_text(whole)
        header = str(toolchain.INCLUDE / "minitorch_sim.h")
        try:
            message = toolchain.run_compiler(
                [
                    *flags,
                    "-isystem",
                    str(toolchain.INCLUDE),
                    "-include",
                    header,
                    "-x",
                    "c++",
                    "-c",
                    str(file),
                    "-o",
                    str(made),
                ]
            ) or toolchain.run_compiler(["-shared", str(made), str(library), "-lm", "-o", str(target)])
        finally:
            file.unlink(missing_ok=True)
            made.unlink(missing_ok=True)
        if message:
            raise CompileError(_explained(message, str(file)))

    return toolchain.cached(".so", content, make)


def _explained(message: str, file: str) -> str:
    """A compiler's message, with what is peculiar to the simulator said first."""
    message = message.replace(file, "kernel")
    if "cooperative_groups" in message:
        advice = "use __syncthreads(), __syncwarp() and the *_sync functions"
        return f"cooperative groups are not supported: {advice}\n{message}"
    if "No such file or directory" in message or "file not found" in message:
        return (
            "kernels have no standard headers, as with NVRTC: of headers there are cuda_fp16.h, cuda_bf16.h and "
            "cuda_runtime.h\n" + message
        )
    return message


def load(text: str, names: tuple[str, ...], options: tuple[str, ...], checked: bool) -> SimModule:
    """The compiled source, once a process: its ``__device__`` variables are there once, whatever threads ask."""
    key = text, names, options, checked
    if key not in _modules:
        with _compiling:
            if key not in _modules:
                _modules[key] = SimModule(*key)
    return _modules[key]
