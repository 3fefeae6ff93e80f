"""A simulator of CuPy, not a GPU: arrays that hold NumPy's, and are as strict as CuPy's.

They refuse NumPy arrays beside them, `np.asarray` and `__array__`; numbers are 0-d arrays, elements are views;
functions have CuPy's own signatures (`cupy_signatures.json`), and what CuPy lacks is missing. Whatever would wait for
the device, or copy between it and the CPU, is counted in `log`.
"""

import contextlib
import ctypes
import functools
import inspect
import json
import operator
import re
import shutil
import subprocess
import sys
import tempfile
import types
from collections import Counter
from pathlib import Path

import numpy as np

SIGNATURES = json.loads((Path(__file__).parent / "cupy_signatures.json").read_text())
log = Counter()  # "item", "bool", "float", "mask", "to host", "to device", "kernel"
fused_calls = []  # (function, what it was given, the dtype that came out)
_HOST_RESULTS = {
    "shape",
    "ndim",
    "size",
    "result_type",
    "can_cast",
    "promote_types",
    "min_scalar_type",
    "broadcast_shapes",
}
_WAITING = {
    "nonzero",
    "flatnonzero",
    "argwhere",
    "unique",
    "extract",
    "trim_zeros",
    "bincount",
    "compress",
    "allclose_",
}
_POSITIONAL = {"where", "arange"}  # NumPy takes their optional arguments by position alone
_COMPARISONS = {"greater", "greater_equal", "less", "less_equal", "equal", "not_equal"}
_SCATTERS = {"add", "subtract", "maximum", "minimum", "bitwise_and", "bitwise_or", "bitwise_xor"}


def _inner(value):
    """NumPy's array inside, for what may be passed to CuPy; anything else of the CPU's is refused."""
    if isinstance(value, ndarray):
        return value._held
    if isinstance(value, np.ndarray):
        raise TypeError("Unsupported type <class 'numpy.ndarray'>")
    if isinstance(value, (list, tuple)):
        return type(value)(map(_inner, value))
    if isinstance(value, dict):
        return {key: _inner(each) for key, each in value.items()}
    if isinstance(value, slice):
        for bound in (value.start, value.stop, value.step):
            if isinstance(bound, ndarray):
                raise TypeError("slice indices must be integers or None or have an __index__ method")
    return value


def _outer(value):
    if isinstance(value, (np.ndarray, np.generic)):
        return ndarray._of(np.asarray(value))
    if isinstance(value, (list, tuple)):
        made = [_outer(each) for each in value]
        return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)
    return value


class ndarray:
    """An array of the simulated device."""

    __module__ = "cupy"
    __array_priority__ = 100
    __hash__ = None

    def __init__(self, shape, dtype=float, memptr=None, strides=None, order="C"):
        self._held = np.empty(shape, dtype, order)
        self._device = 0

    @classmethod
    def _of(cls, held):
        made = cls.__new__(cls)
        made._held, made._device = held, 0
        return made

    # What numpy.asarray, float() and bool() find

    def __array__(self, dtype=None, copy=None):
        raise TypeError(
            "Implicit conversion to a NumPy array is not allowed. Please use `.get()` to construct a NumPy array "
            "explicitly."
        )

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        if method != "__call__" and method not in ("at", "outer", "reduce", "accumulate"):
            return NotImplemented
        function = getattr(_module("cupy"), ufunc.__name__)
        if ufunc.__name__ in _COMPARISONS:  # NumPy makes an array of its scalar there, which CuPy takes back
            inputs = tuple(x.item() if isinstance(x, np.ndarray) and x.ndim == 0 else x for x in inputs)
        if "out" in kwargs and isinstance(kwargs["out"], tuple) and len(kwargs["out"]) == 1:
            kwargs["out"] = kwargs["out"][0]
        return (function if method == "__call__" else getattr(function, method))(*inputs, **kwargs)

    def __array_function__(self, function, kinds, args, kwargs):
        module = _module("cupy")
        for part in function.__module__.split(".")[1:]:
            module = getattr(module, part)
        if not hasattr(module, function.__name__):
            return NotImplemented
        return getattr(module, function.__name__)(*args, **kwargs)

    def get(self, stream=None, order="C", out=None, blocking=True):
        log["to host"] += 1
        return self._held.copy()

    def item(self):
        log["item"] += 1
        return self._held.item()

    def tolist(self):
        log["to host"] += 1
        return self._held.tolist()

    def __bool__(self):
        log["bool"] += 1
        return bool(self._held)

    def __float__(self):
        log["float"] += 1
        return float(self._held)

    def __int__(self):
        log["float"] += 1
        return int(self._held)

    def __complex__(self):
        log["float"] += 1
        return complex(self._held)

    def __len__(self):
        return len(self._held)

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __getitem__(self, index):
        return ndarray._of(np.asarray(self._held[_index(index)]))

    def __setitem__(self, index, value):
        self._held[_index(index)] = _inner(value)

    def set(self, arr, stream=None):
        log["to device"] += 1
        self._held[...] = arr

    def fill(self, value):
        self._held[...] = _inner(value)

    def __repr__(self):
        log["to host"] += 1
        return repr(self._held)

    def __str__(self):
        log["to host"] += 1
        return str(self._held)

    def __format__(self, spec):
        log["to host"] += 1
        return format(self._held[()], spec)

    def __copy__(self):
        return self.copy()

    def __deepcopy__(self, memo):
        return self.copy()

    def __reduce__(self):
        log["to host"] += 1
        return _revived, (self._held,)

    device = property(lambda self: Device(self._device))
    data = property(lambda self: types.SimpleNamespace(ptr=self._held.__array_interface__["data"][0]))

    def reshape(self, *shape, order="C", copy=None):
        return ndarray._of(self._held.reshape(*map(_plain_shape, shape), order=order))

    def transpose(self, *axes):
        return ndarray._of(self._held.transpose(*axes))

    def astype(self, dtype, order="K", casting=None, subok=None, copy=True):
        return ndarray._of(np.asarray(self._held.astype(dtype, copy=copy)))

    def copy(self, order="C"):
        return ndarray._of(self._held.copy(order))

    def view(self, dtype=None):
        return ndarray._of(self._held.view() if dtype is None else self._held.view(dtype))

    def scatter_add(self, slices, value):
        np.add.at(self._held, _index(slices), _inner(value))


def _plain_shape(value):
    if isinstance(value, ndarray):
        raise TypeError("'cupy.ndarray' object cannot be interpreted as an integer")
    return value


def _revived(held):
    log["to device"] += 1
    return ndarray._of(held)


def _index(index):
    """NumPy's index, which gives a view where CuPy's does: an element too."""
    parts = index if isinstance(index, tuple) else (index,)
    if any(isinstance(part, ndarray) and part.dtype == bool for part in parts):
        log["mask"] += 1
    inner = tuple(_inner(part) for part in parts)
    basic = all(isinstance(p, (int, np.integer, slice, type(None), type(Ellipsis))) for p in inner)
    return (*inner, ...) if basic and Ellipsis not in inner else inner


for _name in ("shape", "dtype", "ndim", "size", "nbytes", "itemsize", "strides", "flags"):
    setattr(ndarray, _name, property(operator.attrgetter(f"_held.{_name}")))
for _name in ("T", "mT", "real", "imag"):
    setattr(ndarray, _name, property(lambda self, _name=_name: ndarray._of(np.asarray(getattr(self._held, _name)))))


def _signature(text):
    """CuPy's docstrings spell types before names."""
    cleaned = ", ".join(part.split()[-1] if "=" not in part else part for part in text.split(", "))
    for kind in ("int ", "Py_ssize_t ", "_ndarray_base "):
        cleaned = cleaned.replace(kind, "")
    scope = {}
    exec(f"def made({cleaned}): pass", scope)
    return inspect.signature(scope["made"])


def _method(name, text):
    signature = _signature(text)

    def method(self, *args, **kwargs):
        bound = signature.bind(self, *args, **kwargs)
        given = {k: _inner(v) for k, v in list(bound.arguments.items())[1:] if k != "out"}
        positional = [given.pop(p) for p in list(given) if signature.parameters[p].default is inspect.Parameter.empty]
        if name in _WAITING:
            log["mask"] += 1
        result = getattr(self._held, name)(*positional, **{k: v for k, v in given.items() if v is not None})
        return self if result is None else _outer(result)

    method.__name__ = name
    return method


for _name, _text in SIGNATURES["methods"].items():
    if _text is not None and not hasattr(ndarray, _name) and hasattr(np.ndarray, _name):
        setattr(ndarray, _name, _method(_name, _text))


# Functions


class Ufunc:
    """A function of elements, as `cupy.ufunc`."""

    def __init__(self, name):
        self.__name__ = self.name = name
        self.numpy = getattr(np, name)
        self.nin, self.nout = SIGNATURES["ufuncs"][name]

    def __call__(self, *args, out=None, dtype=None, casting="same_kind"):
        if any(isinstance(arg, Traced) for arg in args):
            return Traced(self(*map(_untraced, args)))
        log["kernel"] += 1
        if not self.nin <= len(args) <= self.nin + self.nout:
            raise TypeError(f"Wrong number of arguments for {self.name!r}")
        if not any(isinstance(arg, ndarray) for arg in args):
            return _outer(self.numpy(*map(_inner, args)))
        options = {} if dtype is None else {"dtype": dtype}
        if out is not None:
            self.numpy(*map(_inner, args), out=_inner(out), casting=casting, **options)
            return out
        return _outer(self.numpy(*map(_inner, args), **options))

    def at(self, a, indices, b=None):
        if self.name not in _SCATTERS:
            raise NotImplementedError(f"`{self.name}.at` is not supported yet")
        self.numpy.at(a._held, _index(indices), _inner(b))

    def outer(self, A, B, **kwargs):
        return _outer(self.numpy.outer(_inner(A), _inner(B), **kwargs))

    def reduce(self, array, axis=0, dtype=None, out=None, keepdims=False):
        return _outer(self._only("reduce")(_inner(array), axis=axis, dtype=dtype, keepdims=keepdims))

    def accumulate(self, array, axis=0, dtype=None, out=None):
        return _outer(self._only("accumulate")(_inner(array), axis=axis, dtype=dtype))

    def reduceat(self, array, indices, axis=0, dtype=None, out=None):
        if self.name != "add":
            raise NotImplementedError(f"`{self.name}.reduceat` is not supported yet")
        return _outer(self.numpy.reduceat(_inner(array), _inner(indices), axis=axis, dtype=dtype))

    def _only(self, method):
        if self.name not in ("add", "multiply"):
            raise NotImplementedError(f"`{self.name}.{method}` is not supported yet")
        return getattr(self.numpy, method)

    def __repr__(self):
        return f"<ufunc 'cupy_{self.name}'>"


def _parameters(entries):
    made = []
    for name, kind, default in entries:
        value = inspect.Parameter.empty if default is None else eval(default, {"inf": np.inf, "nan": np.nan})
        made.append(inspect.Parameter(name, getattr(inspect.Parameter, kind), default=value))
    return inspect.Signature(made)


def _function(label, entries):
    """A function with CuPy's signature that computes as NumPy's of that name does."""
    signature, name = _parameters(entries), label.rpartition(".")[2]
    numpy_function = operator.attrgetter(label)(np)

    def function(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        log["kernel"] += 1
        if name == "where" and any(isinstance(arg, Traced) for arg in args):
            return Traced(function(*map(_untraced, args)))
        if name in _WAITING:
            log["mask"] += 1
        positional, named = [], {}
        for key, value in bound.arguments.items():
            parameter = signature.parameters[key]
            if parameter.kind is parameter.VAR_POSITIONAL:
                positional += map(_inner, value)
            elif parameter.kind is parameter.VAR_KEYWORD:
                named |= {k: _inner(v) for k, v in value.items()}
            elif parameter.default is parameter.empty or name in _POSITIONAL:
                positional.append(_inner(value))
            elif value is not parameter.default:
                named[key] = _inner(value)
        result = numpy_function(*positional, **named)
        return result if name in _HOST_RESULTS else _outer(result)

    function.__name__, function.__signature__ = name, signature
    return function


def _array(obj, dtype=None, copy=True, order="K", subok=False, ndmin=0, blocking=False):
    """What comes from the CPU is copied; a list of device scalars is stacked, but not with Python's numbers between."""
    if isinstance(obj, ndarray):
        return ndarray._of(np.array(obj._held, dtype=dtype, copy=copy or None, ndmin=ndmin))
    if isinstance(obj, np.ndarray):
        log["to device"] += 1
        return ndarray._of(np.array(obj, dtype=dtype, ndmin=ndmin))
    kinds = {isinstance(leaf, ndarray) for leaf in _leaves(obj)}
    if kinds == {True, False}:
        raise TypeError("Implicit conversion to a NumPy array is not allowed. Please use `.get()`")
    if kinds == {False}:
        log["literal"] += 1
    return ndarray._of(np.array(_inner(obj), dtype=dtype, ndmin=ndmin))


def _leaves(obj):
    if isinstance(obj, (list, tuple)):
        for item in obj:
            yield from _leaves(item)
    else:
        yield obj


def _asarray(a, dtype=None, order=None, *, copy=None, blocking=False):
    return _array(a, dtype, copy=False)


def _full(shape, fill_value, dtype=None, order="C"):
    value = _inner(fill_value)
    return ndarray._of(np.full(shape, value, dtype))


def _asnumpy(a, stream=None, order="C", out=None, *, blocking=True):
    return a.get() if isinstance(a, ndarray) else np.asarray(a)


def _may_share_memory(a, b, max_work=None):
    return np.may_share_memory(_inner(a), _inner(b))


def _shares_memory(a, b, max_work=None):
    return np.shares_memory(_inner(a), _inner(b))


def _einsum(*operands, **kwargs):
    if set(kwargs) - {"dtype", "optimize"}:
        raise TypeError(f"einsum() got unexpected keywords {sorted(kwargs)}")
    return _outer(np.einsum(*map(_inner, operands), **kwargs))


class Traced:
    """An array inside a fused function: it knows the operators and functions that CuPy can fuse, and nothing else."""

    __hash__ = None

    def __init__(self, array):
        self._array = array

    def __bool__(self):
        raise Exception("Can't cast to bool")


for _name in ("add", "sub", "mul", "truediv", "floordiv", "mod", "lshift", "rshift", "and", "or", "xor"):
    for _side in ("", "r"):

        def _traced(self, other, _method=f"__{_side}{_name}__"):
            return Traced(getattr(self._array, _method)(_untraced(other)))

        setattr(Traced, f"__{_side}{_name}__", _traced)
for _name in ("pow", "lt", "le", "gt", "ge", "eq", "ne"):

    def _traced(self, other, _method=f"__{_name}__"):
        return Traced(getattr(self._array, _method)(_untraced(other)))

    setattr(Traced, f"__{_name}__", _traced)
for _name in ("neg", "invert"):
    setattr(Traced, f"__{_name}__", lambda self, _m=f"__{_name}__": Traced(getattr(self._array, _m)()))


def _untraced(value):
    if isinstance(value, np.generic):
        raise TypeError("a NumPy scalar adapts to its partner's dtype in a fused function, and not outside")
    return value._array if isinstance(value, Traced) else value


class Fusion:
    """`cupy.fuse`: the function is run on what may be fused; anything else fails as it would while tracing."""

    def __init__(self, function):
        self.function, self.__name__ = function, function.__name__

    def __call__(self, *args):
        for arg in args:
            if not isinstance(arg, (ndarray, int, float, complex, bool, type(None))):
                raise TypeError(f"Invalid argument type for {self.__name__!r}: ({type(arg)!r})")
        before = log["kernel"]
        given = [(arg.dtype.name, arg.ndim) if isinstance(arg, ndarray) else arg for arg in args]
        result = _untraced(self.function(*(Traced(arg) if isinstance(arg, ndarray) else arg for arg in args)))
        log["kernel"] = before + 1
        log["fused"] += 1
        fused_calls.append((self.function, given, result.dtype.name))
        return result


class RawKernel:
    """`cupy.RawKernel`: the CUDA text compiled for the CPU by g++, one thread after another."""

    def __init__(self, code, name, options=(), backend="nvrtc", **kwargs):
        self.code, self.name = code, name
        self._parameters = re.search(rf"void {name}\(([^)]*)\)", code)[1]

    def __call__(self, grid, block, args, *, shared_mem=0):
        log["kernel"] += 1
        log["raw kernel"] += 1
        _on_cpu(self.code, self.name, self._parameters)(*grid, *block, *map(_c_value, args))


def _c_value(value):
    if isinstance(value, ndarray):
        return ctypes.c_void_p(value.data.ptr)
    return {np.float32: ctypes.c_float, np.float64: ctypes.c_double}[type(value)](value)


_SHIM = """#include <cmath>
using std::sqrt;
#define __global__
struct {{ long long x; }} blockIdx, threadIdx, blockDim;
{code}
extern "C" void launch(int grid, int block, {parameters}) {{
    blockDim.x = block;
    for (blockIdx.x = 0; blockIdx.x < grid; blockIdx.x++)
        for (threadIdx.x = 0; threadIdx.x < block; threadIdx.x++) {name}({names});
}}
"""


@functools.cache
def _on_cpu(code, name, parameters):
    names = ", ".join(part.split()[-1] for part in parameters.split(","))
    folder = Path(tempfile.mkdtemp(prefix="srcgrad-kernel-"))
    (folder / "kernel.cpp").write_text(_SHIM.format(code=code, parameters=parameters, name=name, names=names))
    command = ["g++", "-shared", "-fPIC", "-O1", "-ffp-contract=off", "-o", folder / "kernel.so", folder / "kernel.cpp"]
    subprocess.run(command, check=True)
    library = ctypes.CDLL(folder / "kernel.so")
    shutil.rmtree(folder)
    return library.launch


def fuse(*args, **kwargs):
    if len(args) == 1 and not kwargs and callable(args[0]):
        return Fusion(args[0])
    return Fusion


for _name, _operation in {
    "add": "add", "sub": "subtract", "mul": "multiply", "truediv": "divide", "floordiv": "floor_divide",
    "mod": "remainder", "pow": "power", "matmul": "matmul", "and": "bitwise_and", "or": "bitwise_or",
    "xor": "bitwise_xor", "lshift": "left_shift", "rshift": "right_shift",
}.items():  # fmt: skip

    def _forward(self, other, _operation=_operation):
        return getattr(_module("cupy"), _operation)(self, other)

    def _backward(self, other, _operation=_operation):
        return getattr(_module("cupy"), _operation)(other, self)

    def _in_place(self, other, _operation=_operation):
        return getattr(_module("cupy"), _operation)(self, other, out=self)

    setattr(ndarray, f"__{_name}__", _forward)
    setattr(ndarray, f"__r{_name}__", _backward)
    if _name != "matmul":
        setattr(ndarray, f"__i{_name}__", _in_place)
for _name, _operation in {
    "lt": "less", "le": "less_equal", "gt": "greater", "ge": "greater_equal", "eq": "equal", "ne": "not_equal",
}.items():  # fmt: skip
    setattr(ndarray, f"__{_name}__", lambda self, other, _o=_operation: getattr(_module("cupy"), _o)(self, other))
for _name, _operation in {"neg": "negative", "pos": "positive", "abs": "absolute", "invert": "invert"}.items():
    setattr(ndarray, f"__{_name}__", lambda self, _o=_operation: getattr(_module("cupy"), _o)(self))


# The modules


class Device:
    """cupy.cuda.Device, of which there is one here."""

    def __init__(self, device=None):
        self.id = int(device or 0)

    def __enter__(self):
        return self

    def __exit__(self, *error):
        return None

    def synchronize(self):
        log["synchronize"] += 1

    def __repr__(self):
        return f"<CUDA Device {self.id}>"


class CUDARuntimeError(RuntimeError):
    pass


def _random_module():
    made = types.ModuleType("cupy.random")
    for label, entries in SIGNATURES["functions"].items():
        name = label.removeprefix("random.")
        if label.startswith("random.") and hasattr(np.random, name):
            setattr(made, name, _draw(np.random, name, _parameters(entries)))
    made.Generator, made.RandomState = Generator, RandomState
    made.default_rng = lambda seed=None: Generator(np.random.default_rng(seed))
    return made


def _draw(owner, name, signature):
    def draw(*args, **kwargs):
        bound = signature.bind(*args, **kwargs)
        dtype = bound.arguments.pop("dtype", None)
        values = [
            _inner(v) for k, v in bound.arguments.items() if signature.parameters[k].kind.name != "VAR_POSITIONAL"
        ]
        values += [
            v for k, vs in bound.arguments.items() if signature.parameters[k].kind.name == "VAR_POSITIONAL" for v in vs
        ]
        result = getattr(owner, name)(*values)
        return _outer(np.asarray(result, dtype)) if result is not None else None

    return draw


class Generator:
    """cupy.random.Generator: fewer draws than NumPy's."""

    __module__ = "cupy.random._generator_api"
    draws = SIGNATURES["generator"]

    def __init__(self, held):
        self._held = held

    def __getattr__(self, name):
        if name.startswith("_") or name not in self.draws:
            raise AttributeError(f"'Generator' object has no attribute {name!r}")
        return lambda *args, **kwargs: _outer(np.asarray(getattr(self._held, name)(*_inner(args), **_inner(kwargs))))


class RandomState(Generator):
    """cupy.random.RandomState."""

    __module__ = "cupy.random._generator"
    draws = tuple(label.removeprefix("random.") for label in SIGNATURES["functions"] if label.startswith("random."))

    def __init__(self, seed=None):
        super().__init__(np.random.RandomState(seed))


def _submodule(label):
    made = types.ModuleType(f"cupy.{label}")
    for full, entries in SIGNATURES["functions"].items():
        name = full.removeprefix(f"{label}.")
        if full.startswith(f"{label}.") and hasattr(operator.attrgetter(label)(np), name):
            setattr(made, name, _function(full, entries))
    return made


def _special(function):
    return lambda *args, **kwargs: _outer(function(*_inner(args), **_inner(kwargs)))


def _build():
    cupy = types.ModuleType("cupy")
    for label, entries in SIGNATURES["functions"].items():
        if "." not in label and hasattr(np, label):
            setattr(cupy, label, _function(label, entries))
    for label in SIGNATURES["ufuncs"]:
        if "." not in label and hasattr(np, label):
            setattr(cupy, label, Ufunc(label))
    for name in ("float16", "float32", "float64", "complex64", "complex128", "bool_", "int8", "int16", "int32", "int64",
                 "uint8", "uint16", "uint32", "uint64", "pi", "e", "inf", "nan", "newaxis", "dtype", "s_", "index_exp",
                 "finfo", "iinfo", "number", "floating", "integer"):  # fmt: skip
        setattr(cupy, name, getattr(np, name))
    cupy.RawKernel = RawKernel
    cupy.ndarray, cupy.fuse, cupy.array, cupy.asarray, cupy.full = ndarray, fuse, _array, _asarray, _full
    cupy.asnumpy, cupy.may_share_memory, cupy.shares_memory = _asnumpy, _may_share_memory, _shares_memory
    cupy.einsum, cupy.ascontiguousarray = _einsum, lambda a, dtype=None: _outer(np.ascontiguousarray(_inner(a), dtype))
    cupy.matmul = Ufunc("matmul")
    cupy.linalg, cupy.fft, cupy.random = _submodule("linalg"), _submodule("fft"), _random_module()
    cupy.linalg.matmul = cupy.matmul
    cupy.lib, cupy.polynomial = types.ModuleType("cupy.lib"), types.ModuleType("cupy.polynomial")
    cupy.lib.stride_tricks = _submodule("lib.stride_tricks")
    cupy.polynomial.polynomial = _submodule("polynomial.polynomial")
    cupy.linalg.LinAlgError = np.linalg.LinAlgError
    cupy.is_available = lambda: True
    cupy.__version__ = f"{SIGNATURES['version']} (simulated)"
    cuda = types.ModuleType("cupy.cuda")
    cuda.Device = Device
    cuda.runtime = types.SimpleNamespace(getDeviceCount=lambda: 1, CUDARuntimeError=CUDARuntimeError)
    cupy.cuda = cuda
    cupyx, scipy, special = (types.ModuleType(name) for name in ("cupyx", "cupyx.scipy", "cupyx.scipy.special"))
    cupyx.scipy, scipy.special = scipy, special
    with contextlib.suppress(ImportError):
        import scipy.special as of_numpy

        for name in SIGNATURES["special"]:
            if hasattr(of_numpy, name):
                setattr(special, name, _special(getattr(of_numpy, name)))
    return {
        "cupyx": cupyx,
        "cupyx.scipy": scipy,
        "cupyx.scipy.special": special,
        "cupy": cupy,
        "cupy.linalg": cupy.linalg,
        "cupy.fft": cupy.fft,
        "cupy.random": cupy.random,
        "cupy.cuda": cuda,
    }


_MODULES = _build()


def _module(name):
    return _MODULES[name]


cupy = _MODULES["cupy"]


@contextlib.contextmanager
def simulated():
    """`import cupy` gives the simulator meanwhile; what was there before is back afterwards."""
    before = {name: each for name, each in sys.modules.items() if name.split(".")[0] in ("cupy", "cupyx")}
    for name in before:
        del sys.modules[name]
    sys.modules.update(_MODULES)
    log.clear()
    fused_calls.clear()
    try:
        yield cupy
    finally:
        for name in _MODULES:
            sys.modules.pop(name, None)
        sys.modules.update(before)


def to_device(value):
    """A structure of arrays with every array on the simulated device; nothing is counted."""
    if isinstance(value, np.ndarray):
        return ndarray._of(value.copy())
    if type(value) in (list, tuple):
        return type(value)(map(to_device, value))
    if type(value) is dict:
        return {key: to_device(each) for key, each in value.items()}
    return value


def to_host(value):
    """The way back; a number of the device becomes a NumPy scalar."""
    if isinstance(value, ndarray):
        return value._held[()] if value.ndim == 0 else value._held.copy()
    if isinstance(value, (list, tuple)):
        made = [to_host(each) for each in value]
        return type(value)(*made) if hasattr(value, "_fields") else type(value)(made)
    if isinstance(value, dict):
        return {key: to_host(each) for key, each in value.items()}
    return value
