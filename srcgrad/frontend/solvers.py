"""SciPy's solvers, one reader for each family: which arguments are data, functions and options, and what comes back."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import Unsupported
from ..ir.dims import ONE, as_dim
from ..ir.nodes import Const, Region, Slot, Value
from ..ir.primitive import named
from ..ir.solving import Problem
from ..ir.types import BOOL, FLOAT, INT, Array, Type
from .solving import SOLUTION, Call, Passed, floating, function_name, home, number, shared_as_args, vector
from .values import ListValue, describe, is_number, sequence

if TYPE_CHECKING:
    from .calls import Calls

DOUBLE = np.dtype(float)
_COUNTS = {"success": BOOL, "status": INT, "nfev": INT}
_ROOT_WAY_OUT = "Return as many equations as there are unknowns: an array, or a list of numbers."


@dataclass(frozen=True)
class Family:
    """How calls of a function are read: which functions they may pass beside the main one, and which options.

    convention : what its derivative is about, for the page of functions that have one
    """

    read: Callable[[Call, Sequence[str]], Any]
    functions: tuple[str, ...]
    options: tuple[str, ...]
    convention: str


def family_of(function: Any) -> Family | None:
    """How calls of this function are read; None for one that takes no functions."""
    module = getattr(function, "__module__", None) or ""
    if not isinstance(module, str) or not module.startswith(("scipy.optimize.", "scipy.integrate.")):
        return None
    return FAMILIES.get(f"{home(function)}.{getattr(function, '__name__', '')}")


def read_solver(c: Calls, family: Family, function: Any, args: list[Any], kwargs: dict[str, Any], text: str) -> Any:
    """The call of a function that takes functions."""
    return family.read(Call(c, function, args, kwargs, text), family.options)


def _is_function(value: Any) -> bool:
    return not (value is None or isinstance(value, (bool, str, Value, Const, tuple, ListValue)))


def _options(call: Call, allowed: Sequence[str]) -> dict[str, ast.expr]:
    return {name: call.option(value) for name, value in call.refuse_rest(allowed).items()}


def _vector_of(start: Any) -> Array:
    """What a solver makes of where it starts: a vector of float64."""
    return Array(DOUBLE, start.type.axes or (ONE,))


# f(x) = 0


def _root(call: Call, options: Sequence[str]) -> Any:
    """`root` and `fsolve`: equations of a vector."""
    c, text = call.c, call.text
    names = ("fun", "jac") if call.name == "root" else ("func", "fprime")
    fun, jac, start = call.take(names[0]), call.take(names[1]), call.array("x0", call.take("x0"))
    call.take_args()
    type = _vector_of(start)
    x = Value(type, "x")

    def residual(result: Any) -> list[Any]:
        parts = list(sequence(result)) if jac is True else [result]
        if jac is True and len(parts) != 2:
            raise Unsupported(f"with jac=True, `{text}` needs a function that returns (equations, Jacobian)")
        return [vector(c, parts[0], type, "the function", _ROOT_WAY_OUT), *(floating(c, p, "it") for p in parts[1:])]

    passed = call.read(fun, [x], residual, "residual")
    passed.template = (Slot(0), Slot(1)) if jac is True else Slot(0)
    keywords: dict[str, ast.expr] = {}
    if _is_function(jac):
        call.read(jac, [Value(type, "x")], lambda result: [floating(c, result, "the Jacobian")], "jac")
        keywords[names[1]] = function_name(1)
    elif jac is True:
        keywords["jac"] = ast.Constant(True)
    begin = call.input(start)
    given = _options(call, options)
    procedures, numbers, shared = call.finish()
    problem = Problem("root", call.name, procedures[0], numbers, procedures[0])
    keywords = {**shared_as_args(shared), **keywords, **given}
    types: Sequence[Type] = (SOLUTION,) if call.name == "root" else (type,)
    (value,) = call.append(problem, procedures, [function_name(0), begin], keywords, types)
    return call.solution(value, problem, {"x": type, **_COUNTS}) if call.name == "root" else value


_BRACKETS = ("brentq", "brenth", "bisect", "ridder", "toms748")


def _scalar_root(call: Call, options: Sequence[str]) -> Any:
    """`root_scalar`, `newton`, `brentq` and its relatives: one equation."""
    c, text = call.c, call.text
    fun = call.take("func" if call.name == "newton" else "f")
    call.take_args()

    def equation(result: Any) -> list[Any]:
        return [number(c, result, "the function")]

    call.read(fun, [Value(FLOAT, "x")], equation, "residual")
    positional: list[ast.expr] = [function_name(0)]
    keywords: dict[str, ast.expr] = {}
    for name in ("fprime", "fprime2"):
        slope = call.take(name)
        if _is_function(slope):
            keywords[name] = function_name(len(call.passed))
            call.read(slope, [Value(FLOAT, "x")], equation, name)
        elif slope not in (None, False):
            raise Unsupported(f"`{text}` with `{name}={slope}`", "Give a function, or leave it out.")
    for name in ("a", "b") if call.name in _BRACKETS else ("x0",) if call.name == "newton" else ():
        positional.append(call.input(call.array(name, call.take(name), (0,))))
    for name in ("x0", "x1"):
        if call.given.get(name) is not None:
            keywords[name] = call.input(call.array(name, call.take(name), (0,)))
    given = _options(call, options)
    procedures, numbers, shared = call.finish()
    problem = Problem("root", call.name, procedures[0], numbers, procedures[0])
    keywords = {**shared_as_args(shared), **keywords, **given}
    if call.name == "root_scalar":
        (value,) = call.append(problem, procedures, positional, keywords, (SOLUTION,))
        attributes = {"root": Array(DOUBLE), "converged": BOOL, "iterations": INT, "function_calls": INT}
        return call.solution(value, problem, attributes)
    type = Array(DOUBLE) if call.name == "newton" else FLOAT
    return call.append(problem, procedures, positional, keywords, (type,))[0]


# f(x) = x


def _fixed_point(call: Call, options: Sequence[str]) -> Any:
    """`fixed_point`: the equation is x - f(x) = 0, element by element or of a vector."""
    c = call.c
    fun, start = call.take("func"), call.array("x0", call.take("x0"))
    call.take_args()
    type = Array(DOUBLE, start.type.axes)  # type: ignore[union-attr]

    def mapped(result: Any) -> Value:
        way_out = "Return as many numbers as there are unknowns."
        return vector(c, result, type, "the function", way_out) if type.ndim else number(c, result, "the function")

    def unknown() -> Value:
        return Value(type if type.ndim else FLOAT, "x")

    x = unknown()
    passed = call.read(fun, [unknown()], lambda result: [mapped(result)], "mapped")
    equation = call.read(fun, [x], lambda result: [c.apply(named("np.subtract"), [x, mapped(result)])], "mapped")
    equation.name = f"{passed.name}_residual"
    begin = call.input(start)
    given = _options(call, options)
    procedures, numbers, shared = call.finish()
    problem = Problem("root", call.name, procedures[0], numbers, procedures.pop())
    keywords = {**shared_as_args(shared), **given}
    return call.append(problem, procedures, [function_name(0), begin], keywords, (type,))[0]


# min f(x)


def _minimize(call: Call, options: Sequence[str]) -> Any:
    """`minimize` and `minimize_scalar`: where the gradient is zero."""
    c, text = call.c, call.text
    scalar = call.name == "minimize_scalar"
    fun, jac, start = call.take("fun"), call.take("jac"), None
    if not scalar:
        start = call.array("x0", call.take("x0"))
    call.take_args()
    _refuse_bounds(call)
    type = Array(DOUBLE) if start is None else _vector_of(start)
    x = Value(FLOAT if scalar else type, "x")

    def objective(result: Any) -> list[Any]:
        parts = list(sequence(result)) if jac is True else [result]
        if jac is True and len(parts) != 2:
            raise Unsupported(f"with jac=True, `{text}` needs a function that returns (value, gradient)")
        value = number(c, parts[0], "the function")
        return [value, *(vector(c, p, type, "the gradient", "Return one entry for each unknown.") for p in parts[1:])]

    passed = call.read(fun, [x], objective, "objective", level=-1)
    passed.template = (Slot(0), Slot(1)) if jac is True else Slot(0)
    keywords: dict[str, ast.expr] = {}
    if _is_function(jac):
        way_out = "Return one entry for each unknown."
        call.read(jac, [Value(type, "x")], lambda r: [vector(c, r, type, "the gradient", way_out)], "jac")
        keywords["jac"] = function_name(1)
    elif jac is not None and jac is not False:
        keywords["jac"] = call.option(jac)
    positional = [function_name(0), *([] if start is None else [call.input(start)])]
    given = _options(call, options)
    functions = len(call.passed)
    gradient, refused = _gradient(c, call, passed, x)
    procedures, numbers, shared = call.finish()
    equation = procedures.pop(functions) if gradient is not None else None
    problem = Problem("minimum", call.name, procedures[0], numbers, equation, refused)
    keywords = {**shared_as_args(shared), **keywords, **given}
    (value,) = call.append(problem, procedures, positional, keywords, (SOLUTION,))
    attributes = {"x": type, "fun": Array(DOUBLE), **_COUNTS, "nit": INT}
    if scalar:
        attributes.pop("status")
    return call.solution(value, problem, attributes)


def _refuse_bounds(call: Call) -> None:
    for name in ("bounds", "constraints"):
        if call.given.get(name) not in (None, ()):
            raise Unsupported(
                f"`{call.text}` is not differentiated with `{name}=`: where one of them holds the minimum, "
                "the gradient is not zero there",
                "Write the unknowns as functions of free ones: np.exp(u) for what is positive.",
            )
        call.take(name)


def _gradient(c: Calls, call: Call, passed: Passed, x: Value) -> tuple[Passed | None, str]:
    """The objective's gradient as one more function; or why it has none."""
    if c.derive is None:
        return None, "it is read where no derivative is taken"
    region = Region((), passed.region.ops, passed.region.results[:1])
    try:
        body = c.derive(region, 1, [x], None, c.facts)
    except Unsupported as error:
        return None, error.message
    gradient = Passed(f"{passed.name}_grad", passed.own, passed.leaves, Region((), body.ops, body.results[1:]))
    call.passed.append(gradient)
    return gradient, ""


# Integrals


def _quad(call: Call, options: Sequence[str]) -> Any:
    """(value, estimate of the error)."""
    c = call.c
    fun = call.take("func")
    ends = [call.array(name, call.take(name), (0,)) for name in ("a", "b")]
    call.take_args()
    call.read(fun, [Value(FLOAT, "t")], lambda result: [number(c, result, "the function")], "integrand")
    limits = [call.input(end) for end in ends]
    given = _options(call, options)
    procedures, numbers, shared = call.finish()
    places = {"a": 0, "b": 1}
    problem = Problem("integral", call.name, procedures[0], numbers, places=places, options=given)
    keywords = {**shared_as_args(shared), **given}
    return tuple(call.append(problem, procedures, [function_name(0), *limits], keywords, (FLOAT, FLOAT)))


# Differential equations


def _rate(c: Calls, call: Call, fun: Any, type: Array, first: str) -> Passed:
    """The right-hand side, of (t, y) or of (y, t)."""
    length = c.facts.canon(type.axes[0])
    if length.constant is None and length.symbol is None:  # a sum or product, which nothing spells later
        size = length.evaluate(c.facts.sizes)
        if size is None or not c.facts.require("==", length, as_dim(size)):
            raise Unsupported(f"the length of the state of `{call.text}` is {length}", "Pass the state as an argument.")
    y, t = Value(type, "y"), Value(FLOAT, "t")
    own = [t, y] if first == "t" else [y, t]
    way_out = "Return one rate for each component of the state: an array, or a list of numbers."
    return call.read(fun, own, lambda result: [vector(c, result, type, "the function", way_out)], "rhs")


def _tolerances(call: Call, allowed: Sequence[str]) -> dict[str, ast.expr]:
    for name in ("rtol", "atol"):
        value = call.given.get(name)
        if value is not None and (not is_number(value) or value.type.ndim):
            raise Unsupported(f"`{name}` of `{call.text}` is {describe(value)}", "Give one number for all components.")
    return _options(call, allowed)


def _solve_ivp(call: Call, options: Sequence[str]) -> Any:
    c = call.c
    fun = call.take("fun")
    span = [call.array("t_span", each, (0,)) for each in c.unpack(call.take("t_span"), 2)]
    start, times = call.array("y0", call.take("y0"), (1,)), call.take("t_eval")
    call.take_args()
    type = _vector_of(start)
    _rate(c, call, fun, type, "t")
    positional = [
        function_name(0), ast.Tuple([call.input(each) for each in span], ast.Load()), call.input(start)
    ]  # fmt: skip
    places, keywords = {"t0": 0, "t1": 1, "y0": 2}, {}
    if times is not None:
        at = call.array("t_eval", times, (1,))
        places["times"] = len(call.inputs)
        keywords["t_eval"] = call.input(at)
    given = _tolerances(call, options)
    procedures, numbers, shared = call.finish()
    problem = Problem("flow", call.name, procedures[0], numbers, places=places, options=given)
    keywords = {**shared_as_args(shared), **keywords, **given}
    (value,) = call.append(problem, procedures, positional, keywords, (SOLUTION,))
    length = at.type.axes[0] if times is not None else c.facts.fresh("steps")  # type: ignore[union-attr]
    attributes = {"y": Array(DOUBLE, (*type.axes, length)), **_COUNTS, "njev": INT, "nlu": INT}
    solution = call.solution(value, problem, attributes)
    if times is not None:
        solution.known = {"t": at}
    else:
        solution.attributes = {**attributes, "t": Array(DOUBLE, (length,))}
        solution.stepped = True
    return solution


def _odeint(call: Call, options: Sequence[str]) -> Any:
    """The states at the given times, one row each."""
    c, text = call.c, call.text
    fun, start = call.take("func"), call.array("y0", call.take("y0"))
    times = call.array("t", call.take("t"), (1,))
    call.take_args()
    first = call.take("tfirst", False)
    if not isinstance(first, bool):
        raise Unsupported(f"`tfirst` of `{text}` is {describe(first)}", "Say True or False.")
    type = _vector_of(start)
    _rate(c, call, fun, type, "t" if first else "y")
    positional = [function_name(0), call.input(start), call.input(times)]
    given = _tolerances(call, options)
    if first:
        given["tfirst"] = ast.Constant(True)
    procedures, numbers, shared = call.finish()
    places = {"y0": 0, "times": 1}
    problem = Problem("flow", call.name, procedures[0], numbers, places=places, options=given, state=int(first))
    states = Array(DOUBLE, (*times.type.axes, *type.axes))  # type: ignore[union-attr]
    return call.append(problem, procedures, positional, {**shared_as_args(shared), **given}, (states,))[0]


_STARTS = "of the solution, by the implicit function theorem; zero in where the solver starts; "
_FAILS = "RuntimeError where it has not converged"
_WARNS = "SciPy itself warns, or raises, where it has not converged"
_MINIMUM = "of its place, by the implicit function theorem, and of its value; no bounds; " + _FAILS
_STATE = "of the states at given times and at the end, by the adjoint equation, with the tolerances of the call"

FAMILIES: dict[str, Family] = {
    "scipy.optimize.root": Family(_root, ("jac",), ("method", "tol", "options"), _STARTS + _FAILS),
    "scipy.optimize.fsolve": Family(_root, ("fprime",), ("xtol", "maxfev", "epsfcn", "factor"), _STARTS + _WARNS),
    "scipy.optimize.root_scalar": Family(
        _scalar_root, ("fprime", "fprime2"), ("bracket", "method", "xtol", "rtol", "maxiter"), _STARTS + _FAILS
    ),
    "scipy.optimize.newton": Family(_scalar_root, ("fprime", "fprime2"), ("tol", "maxiter", "rtol"), _STARTS + _WARNS),
    **{
        f"scipy.optimize.{name}": Family(_scalar_root, (), ("xtol", "rtol", "maxiter"), _STARTS + _WARNS)
        for name in _BRACKETS
    },
    "scipy.optimize.fixed_point": Family(_fixed_point, (), ("xtol", "maxiter", "method"), _STARTS + _WARNS),
    "scipy.optimize.minimize": Family(_minimize, ("jac",), ("method", "tol", "options"), _MINIMUM),
    "scipy.optimize.minimize_scalar": Family(_minimize, (), ("bracket", "method", "tol", "options"), _MINIMUM),
    "scipy.integrate.quad": Family(
        _quad, (), ("epsabs", "epsrel", "limit", "points"), "of the integral, in its limits and in what is integrated"
    ),
    "scipy.integrate.solve_ivp": Family(_solve_ivp, (), ("t_eval", "method", "rtol", "atol", "max_step"), _STATE),
    "scipy.integrate.odeint": Family(_odeint, (), ("rtol", "atol", "hmax", "mxstep", "tfirst"), _STATE),
}
