"""What CuPy lacks of NumPy, as of CuPy 14: functions and arguments, each with what stands for it, or refused.

A replacement is ordinary NumPy, run on symbols as a derivative rule is.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import replace
from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.builder import Builder
from ..ir.dims import Facts
from ..ir.nodes import Atom, Const, Op, Slot, Value
from ..ir.symbolic import Sym
from ..ir.types import Array, Opaque
from .residency import Residency

MISSING = frozenset(
    {
        "np.geomspace", "np.insert", "np.nanpercentile", "np.nanquantile", "np.polyder", "np.polydiv", "np.polyint",
        "np.spacing",
        "np.fmax.reduce", "np.fmin.reduce", "np.hypot.reduce", "np.logaddexp.reduce", "np.logaddexp2.reduce",
        "np.logical_and.reduce", "np.logical_or.reduce", "np.maximum.reduce", "np.minimum.reduce",
        "np.maximum.accumulate", "np.minimum.accumulate", "np.linalg.matrix_norm", "np.linalg.multi_dot",
    }
)  # fmt: skip

# Arguments that NumPy takes, and CuPy does not
LACKS: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("np.all", "np.any", "np.mean", "np.nanmean"), ("where",)),
    **dict.fromkeys(
        ("np.sum", "np.prod", "np.max", "np.min", "np.nansum", "np.nanprod", "np.nanmax", "np.nanmin",
         "np.add.reduce", "np.multiply.reduce"),
        ("initial", "where"),
    ),
    **dict.fromkeys(("np.std", "np.var", "np.nanstd", "np.nanvar"), ("where", "mean", "correction")),
    **dict.fromkeys(("np.percentile", "np.quantile"), ("weights",)),
    **dict.fromkeys(("np.partition", "np.argpartition", "np.isin"), ("kind",)),
    **dict.fromkeys(("np.sort", "np.argsort"), ("stable",)),
    "np.count_nonzero": ("keepdims",),
    "np.lexsort": ("axis",),
    "np.linalg.cholesky": ("upper",),
    "np.linalg.matrix_rank": ("hermitian", "rtol"),
    "np.linalg.pinv": ("hermitian", "rtol"),
    "np.linalg.svd": ("hermitian",),
    "np.take": ("mode",),
}  # fmt: skip

# Draws by name; a generator of CuPy's has fewer than NumPy's
GENERATOR_DRAWS = frozenset(
    {
        "beta", "binomial", "chisquare", "dirichlet", "exponential", "f", "gamma", "geometric", "integers",
        "logseries", "poisson", "power", "random", "standard_exponential", "standard_gamma", "standard_normal",
        "uniform",
    }
)  # fmt: skip


# Of scipy.special, what cupyx.scipy.special has under the same name, with the same arguments
IN_CUPYX = frozenset(
    f"scipy.special.{name}"
    for name in (
        "beta", "betainc", "betaincinv", "betaln", "binom", "boxcox", "boxcox1p", "cbrt", "cosm1", "digamma", "entr",
        "erf", "erfc", "erfcinv", "erfcx", "erfinv", "exp1", "exp10", "exp2", "expi", "expit", "expm1", "expn",
        "gamma", "gammainc", "gammaincc", "gammainccinv", "gammaincinv", "gammaln", "huber", "i0", "i0e", "i1", "i1e",
        "inv_boxcox", "inv_boxcox1p", "j0", "j1", "k0", "k0e", "k1", "k1e", "kl_div", "log1p", "log_expit",
        "log_ndtr", "log_softmax", "loggamma", "logit", "logsumexp", "ndtr", "ndtri", "poch", "polygamma",
        "pseudo_huber", "psi", "rel_entr", "rgamma", "softmax", "xlog1py", "xlogy", "y0", "y1", "yn", "zeta",
    )
)  # fmt: skip


def _masked(fill: Any) -> Callable[..., Any]:
    """`where=` as the neutral element in the other places, `initial=` joined to what comes out."""

    def written(function: Any, join: Any) -> Callable[..., Any]:
        def rule(x: Any, *, where: Any = None, initial: Any = None, **options: Any) -> Any:
            if where is not None:
                neutral = initial if fill is None else x.dtype.type(fill)
                x = np.where(where, x, neutral)
            y = function(x, **options)
            return y if initial is None else join(y, initial)

        return rule

    return written


def _mean(x: Any, *, where: Any, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Any:
    options = {"axis": axis, "keepdims": keepdims}
    total = np.sum(np.where(where, x, x.dtype.type(0)), **options, **({} if dtype is None else {"dtype": dtype}))
    return total / np.sum(np.broadcast_to(where, x.shape), **options)


def _norm(x: Any, *, axis: Any = None, ord: Any = 2, keepdims: bool = False) -> Any:
    if axis is None:
        if keepdims and x.ndim != 1:
            raise Unsupported("np.linalg.vector_norm over all axes with `keepdims=` in CuPy", "Give it `axis=`.")
        return np.linalg.norm(np.ravel(x), ord=ord, axis=0, keepdims=keepdims)
    if isinstance(axis, tuple) and len(axis) > 1:  # np.linalg.norm would take these for a matrix
        if ord != 2:
            raise Unsupported("np.linalg.vector_norm over several axes in CuPy", "Write it with np.sum.")
        return np.sqrt(np.sum(np.real(x * np.conjugate(x)), axis=axis, keepdims=keepdims))
    return np.linalg.norm(x, axis=axis, ord=ord, keepdims=keepdims)


def _matvec(a: Any, x: Any) -> Any:
    return np.matmul(a, x[..., None])[..., 0]


def _vecmat(x: Any, a: Any) -> Any:
    return np.matmul(np.conjugate(x)[..., None, :], a)[..., 0, :]


_SUM, _PROD = _masked(0)(np.sum, np.add), _masked(1)(np.prod, np.multiply)
REPLACED: Mapping[str, Callable[..., Any]] = {
    "np.vecdot": lambda a, b, axis=-1: np.sum(np.conjugate(a) * b, axis=axis),
    "np.linalg.vecdot": lambda a, b, axis=-1: np.sum(np.conjugate(a) * b, axis=axis),
    "np.matvec": _matvec,
    "np.vecmat": _vecmat,
    "np.linalg.outer": lambda a, b: np.outer(a, b),
    "np.linalg.tensordot": lambda a, b, axes=2: np.tensordot(a, b, axes=axes),
    "np.linalg.trace": lambda x, offset=0, **dtype: np.trace(x, offset=offset, axis1=-2, axis2=-1, **dtype),
    "np.linalg.diagonal": lambda x, offset=0: np.diagonal(x, offset=offset, axis1=-2, axis2=-1),
    "np.linalg.svdvals": lambda x: np.linalg.svd(x, compute_uv=False),
    "np.linalg.vector_norm": _norm,
}
# In place of a call that has one of these arguments
REWRITTEN: Mapping[str, Callable[..., Any]] = {
    "np.sum": _SUM,
    "np.add.reduce": lambda x, *, axis=0, **options: _SUM(x, axis=axis, **options),
    "np.prod": _PROD,
    "np.multiply.reduce": lambda x, *, axis=0, **options: _PROD(x, axis=axis, **options),
    "np.max": _masked(None)(np.max, np.maximum),
    "np.min": _masked(None)(np.min, np.minimum),
    "np.any": lambda x, *, where, **options: np.any((x != 0) & where, **options),
    "np.all": lambda x, *, where, **options: np.all((x != 0) | ~where, **options),
    "np.mean": _mean,
    "np.count_nonzero": lambda x, *, axis=None, keepdims=False: np.sum(x != 0, axis=axis, keepdims=keepdims),
    "np.linalg.cholesky": lambda a, *, upper: np.conjugate(np.swapaxes(np.linalg.cholesky(a), -1, -2)),
}
_AS_DDOF = ("np.std", "np.var", "np.nanstd", "np.nanvar")
_SORTS = ("np.sort", "np.argsort")


def check(op: Op, residency: Residency, distinct: Set[Atom] = frozenset()) -> None:
    """Raises Unsupported for what cannot be done on the device, or would have to wait for it unasked.

    distinct : arrays of integers of which no two are equal
    """
    name = op.prim.name
    if name == "effect":
        return _check_draw(op)
    if name in ("foreign", "invoke", "custom") and residency.any(op.inputs):
        called = op.attrs.get("name") or op.attrs.get("module") or "a function that is not read"
        raise Unsupported(
            f"`{called}` would get an array on the GPU, and is not known to take it", "Write it in NumPy."
        )
    if name.startswith("math.") and residency.any(op.inputs):
        other = name.replace("math.", "np.")
        raise Unsupported(f"{name} of a number on the GPU would have to wait for it", f"Write {other}(...).")
    if op.prim.module.split(".")[0] == "scipy" and name not in IN_CUPYX:
        raise Unsupported(f"{name} runs on the CPU: SciPy does not take arrays on the GPU", "Write it in NumPy.")
    if name in MISSING:
        raise Unsupported(f"CuPy has no {name}", _WAYS.get(name, "Write it with functions that CuPy has."))
    _check_index(op, residency, distinct)


_WAYS = {
    "np.linalg.multi_dot": "Write a @ b @ c.",
    "np.linalg.matrix_norm": "Write np.linalg.norm(x, axis=(-2, -1)).",
    "np.maximum.reduce": "Write np.max(x, axis=0).",
    "np.minimum.reduce": "Write np.min(x, axis=0).",
}


def _check_draw(op: Op) -> None:
    """Random numbers are drawn where the arrays are."""
    source = op.inputs[0].type if op.inputs else None
    if not op.outputs or not isinstance(source, Opaque) or not isinstance(op.outputs[0].type, Array):
        return
    draw = getattr(getattr(op.attrs["template"], "func", None), "attr", "")
    if source.name == "Generator" and draw not in GENERATOR_DRAWS:
        raise Unsupported(
            f"a generator of CuPy's has no `{draw}`",
            "Write mean + std * rng.standard_normal(size)." if draw == "normal" else "Use cupy.random's own function.",
        )


def _check_index(op: Op, residency: Residency, distinct: Set[Atom]) -> None:
    """The bounds of a slice are Python's integers."""
    first = {"getitem": 1, "index_set": 2, "index_add": 2}.get(op.prim.name)
    if first is None:
        return
    index = op.attrs["index"]
    for part in index if isinstance(index, tuple) else (index,):
        if isinstance(part, slice):
            slots = [b for b in (part.start, part.stop, part.step) if isinstance(b, Slot)]
            if residency.any(op.inputs[first + slot.number - 1] for slot in slots):
                raise Unsupported(
                    "a slice whose bounds are on the GPU", "Bring them to the CPU, which waits for them: n.item()."
                )
        elif op.prim.name == "index_set" and op.role == "primal" and not isinstance(op.inputs[1], Const):
            _check_places(part, op.inputs[first:], distinct)


def _check_places(part: Any, dynamic: Sequence[Atom], distinct: Set[Atom]) -> None:
    """Of several values written to one element, CuPy keeps any: which one, the gradient would have to guess."""
    places = dynamic[part.number - 1] if isinstance(part, Slot) else None
    type = None if places is None or places in distinct else places.type
    at_run_time = isinstance(type, Array) and type.ndim > 0 and type.dtype.kind in "iu"
    if at_run_time or (isinstance(part, list) and len(np.unique(part)) < np.size(part)):
        raise Unsupported(
            "values are written to places that may be the same, and on a GPU no value is the last one",
            "Add them with np.add.at, choose by a mask with np.where, or write x[np.argsort(places)] to permute.",
        )


def decompose(op: Op, facts: Facts) -> list[Op]:
    """The op as what CuPy has: itself, or several."""
    name = op.prim.name
    given = [key for key in LACKS.get(name, ()) if op.attrs.get(key) is not None and op.attrs[key] is not False]
    if name in _SORTS and "stable" in given:
        kind = {"kind": "stable"} if op.attrs["stable"] else {}
        return [replace(op, attrs={**_without(op, "stable", "kind"), **kind})]
    if name in _AS_DDOF and given == ["correction"]:
        return [replace(op, attrs={**_without(op, "correction"), "ddof": op.attrs["correction"]})]
    if op.prim.elementwise:  # the memory's layout, and subclasses that there are none of
        return [replace(op, attrs=_without(op, "order", "subok"))]
    if name == "np.einsum":
        return [replace(op, attrs=_without(op, "order", "casting"))]
    if name == "np.delete" and "obj" in op.attrs:
        return [replace(op, attrs={**_without(op, "obj"), "indices": op.attrs["obj"]})]
    if given and name == "np.isin":
        return [replace(op, attrs=_without(op, "kind"))]
    rule = REPLACED.get(name) or (REWRITTEN.get(name) if given else None)
    if rule is None:
        if given:
            raise Unsupported(f"CuPy's {name} takes no `{given[0]}=`", "Write it without.")
        return [replace(op, attrs=_without(op, *LACKS[name]))] if name in LACKS else [op]
    return _written(op, rule, facts)


def _without(op: Op, *keys: str) -> dict[str, Any]:
    return {key: value for key, value in op.attrs.items() if key not in keys}


def _written(op: Op, rule: Callable[..., Any], facts: Facts) -> list[Op]:
    """What the rule does, with the op's own outputs at the end."""
    builder = Builder(facts, role=op.role)
    builder.origin = op.origin
    inputs, attrs = op.prim.sort(op.inputs[: op.prim.arity(op.attrs)], op.attrs)
    symbols = [Sym(builder, atom) for atom in inputs]
    options = {k: Sym(builder, v) if isinstance(v, Value) else v for k, v in attrs.items() if v is not None}
    result = rule(*symbols, **options)
    last = next(each for each in reversed(builder.ops) if result.atom in each.outputs)
    named_out = tuple(op.outputs[0] if v is result.atom else v for v in last.outputs)
    return [replace(each, outputs=named_out) if each is last else each for each in builder.ops]
