"""Derivatives of numpy.fft. A discrete Fourier transform is a symmetric matrix, so that it is its own transpose.

With the gradient g of a real L in a complex z, dL = Re(g dz), and y = F x, the gradient in x is F g: no conjugate.
Cooley, Lewis & Welch (1967), for the transforms of real and of Hermitian sequences.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import Dim, Facts, as_dim
from ..ir.primitive import Infer, Primitive
from ..ir.symbolic import apply
from ..ir.types import Array, Type
from .axes import along, array, dtype_of, normal_axes, normal_axis, plain
from .constants import _length
from .internal import set_at, zeros
from .registry import Case, general, linear

function: Any  # the tables below loop over functions of different types

_SWAPPED = {None: "forward", "backward": "forward", "forward": "backward", "ortho": "ortho"}


def _norm(norm: Any) -> dict[str, Any]:
    return {} if norm in (None, "backward") else {"norm": norm}


def _on(axis: int, x: Any) -> dict[str, Any]:
    """`axis=` where it is not the last one."""
    return {} if axis == x.ndim - 1 else {"axis": axis}


def _resized(d: Any, x: Any, axis: int) -> Any:
    """What was cut off before the transform gets zeros, what was padded is cut off."""
    have, want = as_dim(d.shape[axis]), as_dim(x.shape[axis])
    facts = d.builder.facts
    if facts.same(have, want):
        return d
    if facts.require(">=", have, want):
        return d[along(axis, slice(None, plain(want)))]
    axes = tuple(want if i == axis else as_dim(n) for i, n in enumerate(d.shape))
    return set_at(zeros(d.builder, Array(d.dtype, axes)), d, along(axis, slice(None, plain(have))))


# One axis
def _complex_type(function: Any, real_only: bool = False, half: bool = False) -> Infer:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        x = array(types[0])
        _check_real(x, real_only, function)
        axis = normal_axis(attrs.get("axis", -1), x.ndim)
        n = as_dim(attrs["n"]) if attrs.get("n") is not None else facts.canon(x.axes[axis])
        return Array(dtype_of(function, (x,)), _with(x.axes, axis, n // 2 + 1 if half else n))

    return infer


def _real_type(function: Any) -> Infer:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        x = array(types[0])
        axis = normal_axis(attrs.get("axis", -1), x.ndim)
        n = as_dim(attrs["n"]) if attrs.get("n") is not None else 2 * (facts.canon(x.axes[axis]) - 1)
        return Array(dtype_of(lambda x: function(x, n=2), (x,)), _with(x.axes, axis, n))

    return infer


def _check_real(x: Array, real_only: bool, function: Any) -> None:
    if real_only and x.dtype.kind == "c":
        raise Unsupported(f"np.fft.{function.__name__} of complex numbers", "Take their real part first.")


def _with(axes: tuple[Dim, ...], axis: int, n: Dim) -> tuple[Dim, ...]:
    return (*axes[:axis], n, *axes[axis + 1 :])


def _itself(function: Any) -> Any:
    def transpose(d: Any, y: Any, x: Any, *, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
        axis = normal_axis(axis, x.ndim)
        return _resized(function(d, **_on(axis, x), **_norm(norm)), x, axis)

    return transpose


# fft, with a length that is known only while running
def _to_length_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    axis = normal_axis(attrs.get("axis", -1), x.ndim)
    return Array(dtype_of(np.fft.fft, (x,)), _with(x.axes, axis, _length(facts, types[1])))


_TO_LENGTH = Primitive(
    "np.fft.fft",
    fn=np.fft.fft,
    infer=_to_length_type,
    operands=("a", "n"),
    keywords=("axis", "norm"),
    kind="linear",
    partials=(lambda d, y, x, n, *, axis=-1, norm=None: _itself(np.fft.fft)(d, y, x, axis=axis, norm=norm), None),
    looked_at=frozenset(("axis", "norm")),
)


def _padded_fft(d: Any, n: Any, axis: int, norm: Any) -> Any:
    given = {**_on(axis, d), **_norm(norm)}
    if isinstance(n, Dim):
        return apply(d.builder, _TO_LENGTH, (d, n), given)
    return np.fft.fft(d, n=n, **given)


def _rfft(d: Any, y: Any, x: Any, *, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    """The transform of the cotangent, padded to the length of the signal."""
    axis = normal_axis(axis, x.ndim)
    length = x.shape[axis] if n is None else n
    return _resized(_padded_fft(d, length, axis, norm).real, x, axis)


def _irfft(d: Any, y: Any, x: Any, *, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    """All frequencies but the first, and the last of an even length, stand for themselves and their conjugates."""
    axis = normal_axis(axis, x.ndim)
    pull = np.conj(np.fft.rfft(d, **_on(axis, x), **_norm(_SWAPPED[norm])))
    return _resized(_doubled(pull, n, axis), x, axis)


def _doubled(pull: Any, n: int | None, axis: int) -> Any:
    doubled, first, last = 2 * pull, along(axis, 0), along(axis, -1)
    doubled = set_at(doubled, pull[first], first)
    return doubled if n is not None and n % 2 else set_at(doubled, pull[last], last)


def _hfft(d: Any, y: Any, x: Any, *, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    axis = normal_axis(axis, x.ndim)
    return _resized(_doubled(np.fft.rfft(d, **_on(axis, x), **_norm(norm)), n, axis), x, axis)


def _ihfft(d: Any, y: Any, x: Any, *, n: int | None = None, axis: int = -1, norm: Any = None) -> Any:
    axis = normal_axis(axis, x.ndim)
    length = x.shape[axis] if n is None else n
    pull = _padded_fft(np.conj(d), length, axis, _SWAPPED[norm]).real
    return _resized(pull, x, axis)


def _cases(shapes: Sequence[tuple[int, ...]], lengths: Sequence[int]) -> list[Case]:
    return [
        *(Case(shape) for shape in shapes),
        *(Case(shape, n=n) for shape in shapes[:1] for n in lengths),
        *(Case(shapes[-1], axis=axis) for axis in (0, 1)),
        Case(shapes[-1], n=lengths[0], axis=0),
        *(Case(shapes[0], norm=norm) for norm in ("backward", "ortho", "forward")),
        *(Case(shapes[0], n=lengths[0], norm=norm) for norm in ("ortho", "forward")),
    ]


for function, partial, infer in (
    (np.fft.fft, _itself(np.fft.fft), _complex_type(np.fft.fft)),
    (np.fft.ifft, _itself(np.fft.ifft), _complex_type(np.fft.ifft)),
    (np.fft.rfft, _rfft, _complex_type(np.fft.rfft, real_only=True, half=True)),
    (np.fft.ihfft, _ihfft, _complex_type(np.fft.ihfft, real_only=True, half=True)),
    (np.fft.irfft, _irfft, _real_type(np.fft.irfft)),
    (np.fft.hfft, _hfft, _real_type(np.fft.hfft)),
):
    linear(
        function,
        partial,
        operands=("a",),
        keywords=("n", "axis", "norm"),
        infer=infer,
        cases=_cases(((4,), (5,), (1,) if function in (np.fft.fft, np.fft.rfft) else (3,), (3, 4)), (3, 4, 6, 9)),
    )


# Several axes
def _several(s: Any, axes: Any, ndim: int, default: Any = None) -> tuple[tuple[int, ...], tuple[Any, ...]]:
    """The axes from the front, in the order given, and the length wanted along each, or None."""
    if axes is None:
        axes = default if default is not None else range(ndim)
        if s is not None and default is None:
            raise Unsupported("a Fourier transform with `s=` alone", "Say along which axes: axes=(...).")
    places = tuple(normal_axis(axis, ndim) for axis in axes)
    normal_axes(tuple(places), ndim)
    lengths = tuple(None if n == -1 else n for n in s) if s is not None else (None,) * len(places)
    return places, lengths


def _given(places: tuple[int, ...], x: Any, default: Any) -> dict[str, Any]:
    usual = range(x.ndim) if default is None else (x.ndim - 2, x.ndim - 1)
    return {} if places == tuple(usual) else {"axes": places}


def _several_type(function: Any, kind: str, default: Any) -> Infer:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        x = array(types[0])
        _check_real(x, kind == "rfft", function)
        places, lengths = _several(attrs.get("s"), attrs.get("axes"), x.ndim, default)
        axes = list(map(facts.canon, x.axes))
        for place, n in zip(places, lengths):
            axes[place] = as_dim(n) if n is not None else axes[place]
        last = places[-1]
        if kind == "irfft" and lengths[-1] is None and attrs.get("s") is not None:
            raise Unsupported(f"np.fft.{function.__name__} with -1 for the last length", "Say which length is meant.")
        if kind == "rfft":
            axes[last] = axes[last] // 2 + 1
        if kind == "irfft" and lengths[-1] is None:
            axes[last] = 2 * (facts.canon(x.axes[last]) - 1)
        dtype: dict[str, Any] = {"fft": np.fft.fft, "rfft": np.fft.rfft, "irfft": lambda x: np.fft.irfft(x, n=2)}
        return Array(dtype_of(dtype[kind], (x,)), tuple(axes))

    return infer


def _several_transpose(function: Any, kind: str, default: Any) -> Any:
    def transpose(d: Any, y: Any, x: Any, *, s: Any = None, axes: Any = default, norm: Any = None) -> Any:
        places, lengths = _several(s, axes, x.ndim, default)
        given = _given(places, x, default)
        if kind == "fft":
            result = function(d, **given, **_norm(norm))
        elif kind == "rfft":
            last = lengths[-1] if lengths[-1] is not None else x.shape[places[-1]]
            pull = _padded_fft(d, last, places[-1], norm)
            if len(places) > 1:
                pull = np.fft.fftn(pull, axes=places[:-1], **_norm(norm))
            result = pull.real
        else:
            transform = np.fft.rfftn if default is None else np.fft.rfft2
            pull = np.conj(transform(d, **given, **_norm(_SWAPPED[norm])))
            result = _doubled(pull, lengths[-1], places[-1])
        for place in places:
            result = _resized(result, x, place)
        return result

    return transpose


for name, kind, default in (
    ("fftn", "fft", None), ("ifftn", "fft", None), ("rfftn", "rfft", None), ("irfftn", "irfft", None),
    ("fft2", "fft", (-2, -1)), ("ifft2", "fft", (-2, -1)), ("rfft2", "rfft", (-2, -1)), ("irfft2", "irfft", (-2, -1)),
):  # fmt: skip
    function = getattr(np.fft, name)
    linear(
        function,
        _several_transpose(function, kind, default),
        operands=("a",),
        keywords=("s", "axes", "norm"),
        infer=_several_type(function, kind, default),
        cases=[
            *(Case(shape) for shape in ((3, 4), (4, 3), (2, 3, 4))),
            *(Case((3, 4, 5), axes=axes) for axes in ((0, 1), (1, 2), (2, 0), (1,))),
            *(Case((3, 4), s=s, axes=(0, 1)) for s in ((3, 4), (4, 3), (2, 6), (-1, 5))),
            *(Case((3, 4), norm=norm) for norm in ("backward", "ortho", "forward")),
            Case((3, 4), s=(2, 5), axes=(0, 1), norm="ortho"),
        ],
    )


# Shifts undo each other; frequencies are k / (n d)
def _shift_type(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
    x = array(types[0])
    normal_axes(attrs.get("axes"), x.ndim)
    return Array(x.dtype, x.axes)


for function, back in ((np.fft.fftshift, np.fft.ifftshift), (np.fft.ifftshift, np.fft.fftshift)):
    linear(
        function,
        lambda d, y, x, *, axes=None, back=back: back(d) if axes is None else back(d, axes=axes),
        keywords=("axes",),
        infer=_shift_type,
        cases=[Case((4,)), Case((5,)), Case((3, 4)), *(Case((3, 4), axes=axes) for axes in (0, 1, (0,), (0, 1)))],
    )


def _frequencies_type(half: bool) -> Infer:
    def infer(facts: Facts, types: Sequence[Type], attrs: Mapping[str, Any], style: str) -> Type:
        n = _length(facts, types[0])
        dtype = dtype_of(lambda *d: np.fft.fftfreq(2, *d), map(array, types[1:]))
        return Array(dtype, (n // 2 + 1 if half else n,))

    return infer


for function in (np.fft.fftfreq, np.fft.rfftfreq):
    general(
        function,
        None,
        lambda d, y, n, step: -np.sum(d * y) / step,
        operands=("n", "d"),
        infer=_frequencies_type(function is np.fft.rfftfreq),
        cases=[Case(5, lambda rng: np.array(0.7)), Case(4, lambda rng: np.array(0.7))],
    )
