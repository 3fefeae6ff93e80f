"""Print the installed CuPy's signatures as JSON, for the simulator: `> cupy_signatures.json`. Needs no GPU."""

import inspect
import json
import re
import warnings

warnings.simplefilter("ignore")

import cupy as cp  # noqa: E402
import cupyx.scipy.special  # noqa: E402

MODULES = {
    "": cp,
    "linalg.": cp.linalg,
    "fft.": cp.fft,
    "random.": cp.random,
    "lib.stride_tricks.": cp.lib.stride_tricks,
    "polynomial.polynomial.": cp.polynomial.polynomial,
}


def public(module):
    return sorted(name for name in dir(module) if not name.startswith("_"))


def parameters(function):
    """(name, kind, default's text) of each parameter."""
    plain = (int, float, str, bool, type(None), tuple)
    return [
        [
            p.name,
            p.kind.name,
            None if p.default is p.empty else repr(p.default if isinstance(p.default, plain) else None),
        ]
        for p in inspect.signature(function).parameters.values()
    ]


def method(name):
    """A method's parameters, which its docstring states."""
    first = (getattr(cp.ndarray, name).__doc__ or "").split("\n")[0]
    stated = re.match(r"_ndarray_base\.(\w+)\((.*)\)", first)
    return stated and stated.group(2)


functions, ufuncs = {}, {}
for prefix, module in MODULES.items():
    for name in public(module):
        thing = getattr(module, name)
        if isinstance(thing, cp.ufunc):
            ufuncs[prefix + name] = [thing.nin, thing.nout]
        elif type(thing).__name__ == "_GUFunc":
            ufuncs[prefix + name] = [2, 1]
        elif type(thing).__name__ in ("function", "builtin_function_or_method", "cython_function_or_method"):
            try:
                functions[prefix + name] = parameters(thing)
            except ValueError:  # it states none
                continue

recorded = {
    "version": cp.__version__,
    "functions": functions,
    "ufuncs": ufuncs,
    "methods": {name: method(name) for name in public(cp.ndarray)},
    "generator": public(cp.random.Generator),
    "special": public(cupyx.scipy.special),
}
print(json.dumps(recorded, indent=0, sort_keys=True))
