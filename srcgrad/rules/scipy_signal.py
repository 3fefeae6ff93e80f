"""Derivatives of scipy.signal: convolution and correlation over all axes, linear filters.

A convolution's transposes are correlations of the cotangent, filled up to every overlap, with the other signal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from scipy import signal

from ..errors import Unsupported
from ..ir.dims import Dim, Facts, as_dim
from ..ir.types import Array, Type
from .axes import along, array, dtype_of, normal_axis, plain, refuse_empty
from .internal import called, conj, set_at, zeros
from .registry import Case, bilinear, general


def _lengths(facts: Facts, a: Array, v: Array, mode: str, name: str) -> tuple[Dim, ...]:
    if a.ndim != v.ndim or not a.ndim:
        raise Unsupported(f"scipy.signal.{name} takes two arrays with as many axes as each other")
    pairs = [(facts.canon(n), facts.canon(m)) for n, m in zip(a.axes, v.axes)]
    if mode == "full":
        return tuple(n + m - 1 for n, m in pairs)
    if mode == "same":
        return a.axes
    if not all(facts.require(">=", n, m) for n, m in pairs):
        raise Unsupported(f"scipy.signal.{name} with mode='valid' needs the longer signal first", "Swap them.")
    return tuple(n - m + 1 for n, m in pairs)


def _type(function: Any) -> Any:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        if attrs.get("axes") is not None:
            raise Unsupported(f"scipy.signal.{function.__name__} with `axes=` is not differentiated")
        return _inferred(function, 1, facts, types, attrs)

    return infer


def _inferred(function: Any, ndim: int, facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any]) -> Type:
    a, v = map(array, types)
    mode = attrs.get("mode", "full")
    if mode not in ("full", "same", "valid"):
        raise Unsupported(f"mode={mode!r}: it is 'full', 'same' or 'valid'")
    if function in (signal.fftconvolve, signal.oaconvolve):  # without elements then, whatever the mode
        refuse_empty(facts, f"scipy.signal.{function.__name__}", *a.axes, *v.axes)
    return Array(dtype_of(function, (a, v), ndim=ndim), _lengths(facts, a, v, mode, function.__name__))


def _whole(d: Any, a: Any, v: Any, mode: str, late: bool = False) -> Any:
    """The cotangent of every overlap: zeros where the mode leaves one out.

    The middle of an even length is one further on where it is `late`.
    """
    if mode == "full":
        return d
    starts = [as_dim(m) - 1 if mode == "valid" else (as_dim(m) - (0 if late else 1)) // 2 for m in v.shape]
    full = tuple(as_dim(n) + as_dim(m) - 1 for n, m in zip(a.shape, v.shape))
    inner = tuple(slice(plain(start), plain(start + n)) for start, n in zip(starts, d.shape))
    return set_at(zeros(d.builder, Array(d.dtype, full)), d, inner if len(inner) > 1 else inner[0])


def _correlated(d: Any, x: Any, method: Any) -> Any:
    options = {} if method in (None, "auto") else {"method": method}
    return called(signal.correlate, d, conj(x), mode="valid", **options)


def _backwards(x: Any) -> Any:
    return x[(slice(None, None, -1),) * x.ndim if x.ndim > 1 else slice(None, None, -1)]


_SHAPES = [((5,), (3,)), ((5,), (2,)), ((3,), (3,)), ((4, 3), (2, 3)), ((1,), (1,))]
_MODES = [Case(a, v, mode=mode) for a, v in _SHAPES for mode in ("full", "same", "valid")]
_METHODS = [Case((5,), (3,), method=method) for method in ("direct", "fft", "auto")]

bilinear(
    signal.convolve,
    lambda d, y, a, v, *, mode="full", method=None: _correlated(_whole(d, a, v, mode), v, method),
    lambda d, y, a, v, *, mode="full", method=None: _correlated(_whole(d, a, v, mode), a, method),
    name="scipy.signal.convolve",
    operands=("in1", "in2"),
    keywords=("mode", "method"),
    infer=_type(signal.convolve),
    cases=[*_MODES, *_METHODS, Case((2,), (4,)), Case((2,), (4,), mode="same")],
)
for _function in (signal.fftconvolve, signal.oaconvolve):
    bilinear(
        _function,
        lambda d, y, a, v, *, mode="full", axes=None: _correlated(_whole(d, a, v, mode), v, "fft"),
        lambda d, y, a, v, *, mode="full", axes=None: _correlated(_whole(d, a, v, mode), a, "fft"),
        name=f"scipy.signal.{_function.__name__}",
        operands=("in1", "in2"),
        keywords=("mode", "axes"),
        infer=_type(_function),
        cases=[*_MODES, Case((3,), (2,), axes=None)],
    )
bilinear(
    signal.correlate,
    lambda d, y, a, v, *, mode="full", method=None: _correlated(_whole(d, a, v, mode), conj(_backwards(v)), method),
    lambda d, y, a, v, *, mode="full", method=None: _backwards(conj(_correlated(_whole(d, a, v, mode), a, method))),
    name="scipy.signal.correlate",
    operands=("in1", "in2"),
    keywords=("mode", "method"),
    infer=_type(signal.correlate),
    cases=[*_MODES, *_METHODS, Case((2,), (4,))],
)


# convolve2d and correlate2d, with zeros beyond the edges
def _images(function: Any) -> Any:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        if any(array(t).ndim != 2 for t in types):
            raise Unsupported(f"scipy.signal.{function.__name__} takes two matrices")
        if attrs.get("boundary", "fill") != "fill" or attrs.get("fillvalue", 0) != 0:
            raise Unsupported(
                f"scipy.signal.{function.__name__} is differentiated with zeros beyond the edges alone",
                "Pad with np.pad first, and use mode='valid'.",
            )
        return _inferred(function, 2, facts, types, attrs)

    return infer


_IMAGES = [
    *(
        Case(a, v, mode=mode)
        for a, v in (((4, 3), (2, 3)), ((4, 4), (3, 2)), ((3, 3), (2, 2)), ((3, 3), (3, 3)))
        for mode in ("full", "same", "valid")
    ),
    Case((3, 3), (2, 2), boundary="fill", fillvalue=0),
    Case((2, 2), (3, 3)),
]
_IMAGE: dict[str, Any] = {"operands": ("in1", "in2"), "keywords": ("mode", "boundary", "fillvalue"), "cases": _IMAGES}

bilinear(
    signal.convolve2d,
    lambda d, y, a, v, *, mode="full", boundary="fill", fillvalue=0: _correlated(_whole(d, a, v, mode), v, None),
    lambda d, y, a, v, *, mode="full", boundary="fill", fillvalue=0: _correlated(_whole(d, a, v, mode), a, None),
    name="scipy.signal.convolve2d",
    infer=_images(signal.convolve2d),
    **_IMAGE,
)


def _correlate2d(
    d: Any, y: Any, a: Any, v: Any, *, mode: str = "full", boundary: str = "fill", fillvalue: int = 0
) -> Any:
    return _correlated(_whole(d, a, v, mode, late=True), conj(_backwards(v)), None)


def _correlate2d_with(
    d: Any, y: Any, a: Any, v: Any, *, mode: str = "full", boundary: str = "fill", fillvalue: int = 0
) -> Any:
    return _backwards(conj(_correlated(_whole(d, a, v, mode, late=True), a, None)))


bilinear(
    signal.correlate2d,
    _correlate2d,
    _correlate2d_with,
    name="scipy.signal.correlate2d",
    infer=_images(signal.correlate2d),
    **_IMAGE,
)


# lfilter: A y = B x, A and B convolutions that look back; their transposes look ahead
def _filter_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    b, a, x = map(array, types)
    if b.ndim != 1 or a.ndim != 1:
        raise Unsupported("scipy.signal.lfilter takes one-dimensional coefficients")
    normal_axis(attrs.get("axis", -1), x.ndim)
    return Array(dtype_of(signal.lfilter, (b, a, x)), x.axes)


def _ahead(d: Any, b: Any, a: Any, axis: int) -> Any:
    """The filter run from the end."""
    turn = along(normal_axis(axis, d.ndim), slice(None, None, -1))
    options = {} if normal_axis(axis, d.ndim) == d.ndim - 1 else {"axis": axis}
    return called(signal.lfilter, b, a, d[turn], **options)[turn]


def _lagged(s: Any, x: Any, count: Any) -> Any:
    """sum_n s[n] x[n - k] for the lags k = 0 .. count - 1."""
    if x.ndim != 1:
        raise Unsupported("scipy.signal.lfilter of several signals is not differentiated by its coefficients")
    n, count = as_dim(x.shape[0]), as_dim(count)
    if not x.builder.facts.require(">=", n, count):
        raise Unsupported("scipy.signal.lfilter is differentiated by filters that are not longer than the signal")
    return np.correlate(s, conj(x), mode="full")[plain(n - 1) : plain(n - 1 + count)]


def _one(b: Any) -> Any:
    return np.ones_like(b[:1])


general(
    signal.lfilter,
    lambda d, y, b, a, x, *, axis=-1: _lagged(_ahead(d, _one(b), a, axis), x, b.shape[0]),
    lambda d, y, b, a, x, *, axis=-1: -_lagged(_ahead(d, _one(b), a, axis), y, a.shape[0]),
    lambda d, y, b, a, x, *, axis=-1: _ahead(d, b, a, axis),
    name="scipy.signal.lfilter",
    operands=("b", "a", "x"),
    keywords=("axis",),
    infer=_filter_type,
    cases=[
        Case((3,), lambda rng: np.array([1.5, 0.3, -0.2]), (6,)),
        Case((2,), lambda rng: np.array([1.0]), (5,)),
        Case((1,), lambda rng: np.array([1.0, -0.5]), (4,)),
        *(Case((2,), lambda rng: np.array([1.0, 0.4]), (3, 4), axis=axis, passive=(0, 1)) for axis in (0, 1, -1)),
    ],
)
