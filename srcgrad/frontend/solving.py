"""Reading calls that take functions: `root(f, x0)`, `quad(f, a, b)`, `solve_ivp(f, span, y0)`, and what they give.

A function that is passed is read once, on stand-ins for its own variables and for `args`. Whatever else it reads
becomes one more parameter, so that it stands alone: the text calls it with all of that in `args=`.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..errors import Unsupported
from ..ir.calls import Procedure
from ..ir.nodes import Atom, Const, Function, Param, Region, Slot, Value, region_free_values, renamed, substitute
from ..ir.primitive import named
from ..ir.solving import FIELD, SOLVER, Problem
from ..ir.types import Array, Opaque, Type
from ..rules.effects import SLOT
from .effects import slot
from .parts import check_quiet, name_of, read, stand_in
from .state import in_place
from .values import Closure, DictValue, ListValue, Poison, describe, flatten, is_number

if TYPE_CHECKING:
    from .calls import Calls


@dataclass(eq=False)
class Solution:
    """What a solver returns: an object, of which attributes are read."""

    value: Value
    inputs: tuple[Atom, ...]
    problem: Problem
    attributes: Mapping[str, Type]
    depth: tuple[int, ...]
    read: dict[str, Any] = field(default_factory=dict)
    stepped: bool = False  # of a differential equation: the solver chose the times
    known: Mapping[str, Any] = field(default_factory=dict)  # attributes that are values of the caller


@dataclass
class Passed:
    """A function that is passed, as it is read: results of its own variables and of what else it reads."""

    name: str
    own: list[Value]
    leaves: list[Value]  # stand-ins for the numbers and arrays in `args`
    region: Region
    template: Any = field(default_factory=lambda: Slot(0))


class Call:
    """One call of a library function, while its arguments are sorted."""

    def __init__(self, c: Calls, function: Any, args: list[Any], kwargs: dict[str, Any], text: str):
        in_place(c, f"`{text}`")
        self.c, self.function, self.text = c, function, text
        self.name, self.module = function.__name__, home(function)
        try:
            self.given: dict[str, Any] = dict(inspect.signature(function).bind(*args, **kwargs).arguments)
        except TypeError as error:
            raise Unsupported(f"`{text}`: {error}") from None
        for name, parameter in inspect.signature(function).parameters.items():
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                self.given.update(self.given.pop(name, {}))
        self.inputs: list[Atom] = []
        self.passed: list[Passed] = []
        self.args: list[Any] = []
        self.stand_ins: list[list[Any]] = []
        spelling = text.removesuffix(f".{self.name}")
        if spelling == self.module or (spelling != text and spelling.isidentifier()):
            c.modules.setdefault(self.module, spelling)

    # Arguments

    def take(self, name: str, default: Any = None) -> Any:
        return self.given.pop(name, default)

    def take_args(self) -> None:
        """`args=`: a tuple, or what stands for a tuple of one."""
        args = self.take("args", ())
        args = () if args is None else args
        self.args = list(args) if isinstance(args, tuple) else [args]
        for value in self.args:
            if not isinstance(value, (Value, Const, tuple, ListValue, DictValue, str, bool, type(None))):
                raise Unsupported(f"`{self.text}` passes on {describe(value)}", "Pass numbers and arrays in `args`.")

    def refuse_rest(self, allowed: Sequence[str]) -> dict[str, Any]:
        """What is left: options, all of which must be known here."""
        left = {name: value for name, value in self.given.items() if value is not None or name in allowed}
        for name, value in left.items():
            if name not in allowed and value is not False:
                known = ", ".join(f"`{each}`" for each in allowed)
                raise Unsupported(f"`{self.text}` is not differentiated with `{name}=`", f"It may have {known}.")
        return {name: value for name, value in left.items() if name in allowed}

    def array(self, name: str, value: Any, ndim: Sequence[int] = (0, 1)) -> Atom:
        """An argument that is a number or an array of float64, or a list of numbers."""
        c = self.c
        value = c.latest(c.array_of(value)) if isinstance(value, (ListValue, tuple)) else c.latest(value)
        if not is_number(value) or value.type.ndim not in ndim or value.type.dtype.kind not in "fiu":
            raise Unsupported(f"`{name}` of `{self.text}` is {describe(value)}", "Pass real numbers.")
        if value.type.dtype.kind == "f" and value.type.dtype.itemsize != 8:
            way_out = "SciPy solves in float64: convert it."
            raise Unsupported(f"`{name}` of `{self.text}` is {value.type.dtype}", way_out)
        atom: Atom = value
        return atom

    def input(self, atom: Atom) -> ast.expr:
        self.inputs.append(atom)
        return ast.Name(f"{SLOT}{len(self.inputs) - 1}", ast.Load())

    def option(self, value: Any) -> ast.expr:
        """What a call is told beside its data, as syntax."""
        if isinstance(value, DictValue):
            keys: list[ast.expr | None] = [ast.Constant(key) for key in value.items]
            return ast.Dict(keys, [self.option(item) for item in value.items.values()])
        if is_number(value):
            known = self.c.maybe_number(value)
            return ast.Constant(known) if known is not None and known >= 0 else self.input(value)
        return slot(value, self.inputs)

    # Functions

    def read(
        self, function: Any, own: list[Value], result: Callable[[Any], list[Any]], name: str, level: int = 0
    ) -> Passed:
        """Read a function of `own` and `args`; `result` gives its values of what it returns.

        `level` is -1 where the problem itself is about a derivative of the function.
        """
        c = self.c
        stand_ins = []
        for value in self.args:
            leaves, rebuild = flatten(value)
            stand_ins.append(rebuild([stand_in(c, c.latest(leaf)) for leaf in leaves]))
        leaves = [leaf for value in stand_ins for leaf in flatten(value)[0] if isinstance(leaf, Value)]
        name, fallback = function.name if isinstance(function, Closure) else name_of(function, name), name
        name = name if name.isidentifier() else fallback

        def run() -> Any:
            given = c.invoke(function, [*own, *stand_ins], {}, name)
            if isinstance(given, Poison):  # what is wrong has been noted
                raise c.poisoned(given)
            return tuple(result(given))

        part = read(c, f"`{name}`", [*own, *leaves], run, level=level)
        check_quiet(c, part, f"`{name}`", f"which `{self.text}` would do at every step")
        region = Region((), tuple(part.ops), tuple(flatten(part.result)[0]))
        passed = Passed(name, own, leaves, region)
        self.passed.append(passed)
        return passed

    def around(self) -> list[Value]:
        """What the functions read beside their parameters: each gets all of it."""
        found: dict[Value, None] = {}
        for passed in self.passed:
            inside = {*passed.own, *passed.leaves}
            found.update((v, None) for v in region_free_values(passed.region) if v not in inside)
        return list(found)

    def finish(self) -> tuple[list[Procedure], tuple[int, ...], list[ast.expr]]:
        """The functions as procedures, the numbers of the inputs that they share, and these as syntax."""
        outside = self.around()
        leaves = [self.c.latest(leaf) for value in self.args for leaf in flatten(value)[0] if isinstance(leaf, Value)]
        for value in (*leaves, *outside):
            if not isinstance(value.type, Array):
                raise Unsupported(f"`{self.text}` hands {value.type} to the function", "Pass numbers and arrays.")
        first = len(self.inputs)
        shared = [self.input(atom) for atom in (*leaves, *outside)]
        numbers = tuple(range(first, len(self.inputs)))
        return [_procedure(self.c, passed, outside) for passed in self.passed], numbers, shared

    def append(
        self,
        problem: Problem,
        functions: Sequence[Procedure],
        positional: Sequence[ast.expr],
        keywords: Mapping[str, ast.expr],
        types: Sequence[Type],
    ) -> tuple[Value, ...]:
        """The op. Among the syntax, functions are names `_function_k`."""
        count = len(self.inputs)
        target = ast.Attribute(ast.Name(f"{SLOT}{count + len(functions)}", ast.Load()), self.name, ast.Load())
        template = ast.Call(target, list(positional), [ast.keyword(k, v) for k, v in keywords.items()])
        for node in ast.walk(template):
            if isinstance(node, ast.Name) and node.id.startswith(FUNCTION):
                node.id = f"{SLOT}{count + int(node.id.removeprefix(FUNCTION))}"
        attrs = {
            "template": template, "functions": tuple(functions), "module": self.module, "types": tuple(types),
            "problem": problem,
        }  # fmt: skip
        made = self.c.apply(SOLVER, self.inputs, attrs)
        return made if isinstance(made, tuple) else (made,)

    def solution(self, value: Value, problem: Problem, attributes: Mapping[str, Type]) -> Solution:
        return Solution(value, tuple(self.inputs), problem, attributes, self.c.depth)


FUNCTION = "_function_"
SOLUTION = Opaque("solution")


def function_name(number: int) -> ast.expr:
    return ast.Name(f"{FUNCTION}{number}", ast.Load())


def shared_as_args(shared: Sequence[ast.expr]) -> dict[str, ast.expr]:
    return {"args": ast.Tuple(list(shared), ast.Load())} if shared else {}


def home(function: Any) -> str:
    """The public module of a SciPy function: `scipy.optimize` of scipy.optimize._minpack_py.fsolve."""
    return ".".join(function.__module__.split(".")[:2])


def _procedure(c: Calls, passed: Passed, outside: Sequence[Value]) -> Procedure:
    """A function of its own: parameters for all that it reads."""
    own = [*passed.own, *passed.leaves]
    inner = {value: Value(value.type, value.hint) for value in outside}
    region = passed.region
    ops = tuple(substitute(op, inner) for op in region.ops)
    results = tuple(renamed(atom, inner) for atom in region.results)
    params: list[Param] = []
    for value in (*own, *inner.values()):
        taken, stem, number = {p.name for p in params}, value.hint or "value", 1
        while (name := stem if number == 1 else f"{stem}_{number}") in taken:
            number += 1
        params.append(Param(value, name))
    return new_procedure(passed.name, params, Region((), ops, results), passed.template, c)


def new_procedure(name: str, params: Sequence[Param], body: Region, template: Any, c: Calls) -> Procedure:
    notes = {"signature": tuple((p.name, "plain", None) for p in params), "modules": c.modules}
    procedure = Procedure(name, c.facts, shares=True, apart=False)
    procedure.body = Function(name, tuple(params), body, template, notes)
    return procedure


# Reading what a solver gives


def attribute(c: Calls, solution: Solution, name: str) -> Any:
    """`sol.x`."""
    in_place(c, f"a solution of `{solution.problem.name}`")
    if c.depth[: len(solution.depth)] != solution.depth:
        raise Unsupported(
            f"a solution of `{solution.problem.name}` is read outside of the branch or loop that it was made in",
            "Assign what you need of it, `x = sol.x`, right where it is made.",
        )
    if name in solution.known:
        return solution.known[name]
    if name not in solution.attributes:
        known = ", ".join(f"`{each}`" for each in (*solution.attributes, *solution.known))
        raise Unsupported(f"attribute `{name}` of a solution of `{solution.problem.name}`", f"It may be {known}.")
    if name not in solution.read:
        type = solution.attributes[name]
        active = isinstance(type, Array) and type.dtype.kind == "f"
        attrs: dict[str, Any] = {"name": name, "type": type}
        if active:
            attrs["problem"] = solution.problem
        if active and solution.stepped:
            attrs["steps"] = True
        inputs = [solution.value, *(solution.inputs if active else ())]
        value = c.apply(FIELD, inputs, attrs)
        c.born[value] = solution.depth
        solution.read[name] = value
        if solution.stepped and name == "y":
            c.stepped[value] = solution
    return solution.read[name]


def state_at_end(c: Calls, array: Value, template: Any, dynamic: Sequence[Value]) -> Any:
    """`sol.y[:, -1]`, or a part of it, of a solution at times that the solver chose; None of any other index."""
    solution = c.stepped.get(array)
    if solution is None or not isinstance(template, tuple) or len(template) != 2 or template[1] != -1:
        return None
    if "last" not in solution.read:
        states = solution.attributes["y"]
        assert isinstance(states, Array)
        attrs = {"name": "y", "type": Array(states.dtype, states.axes[:1]), "problem": solution.problem, "last": True}
        with_depth = c.apply(FIELD, [solution.value, *solution.inputs], attrs)
        solution.read["last"] = with_depth
        c.born[with_depth] = solution.depth
    last = solution.read["last"]
    if template[0] == slice(None):
        return last
    return c.apply(named("getitem"), [last, *dynamic], {"index": template[0]}, "operator")


def vector(c: Calls, result: Any, like: Array, what: str, way_out: str) -> Value:
    """What a function of a vector gives, as a vector of the same length: `[x[0] + 1, x[1]]`, or one number."""
    if isinstance(result, (ListValue, tuple)):
        result = c.array_of(result)
    if is_number(result) and isinstance(result, Const):
        result = c.array_of((result,))
    if not isinstance(result, Value) or not isinstance(result.type, Array):
        raise Unsupported(f"{what} returns {describe(result)}", way_out)
    result = c.latest(result)
    if result.type.ndim == 0 and c.facts.is_one(like.axes[0]):
        result = c.apply(named("np.reshape"), [result], {"shape": (1,)})
    if result.type.ndim != 1 or not c.agree(result.type.axes, like.axes):
        raise Unsupported(f"{what} returns {result.type} of {like}", way_out)
    return floating(c, result, what)


def floating(c: Calls, result: Any, what: str) -> Value:
    """A real number or array of float64."""
    if isinstance(result, (ListValue, tuple)):
        result = c.array_of(result)
    if isinstance(result, Const):
        result = c.apply(named("constant"), [Const(float(result.value))])
    if not isinstance(result, Value) or not isinstance(result.type, Array) or result.type.dtype.kind != "f":
        raise Unsupported(f"{what} returns {describe(result)}", "Return real floating-point numbers.")
    latest: Value = c.latest(result)
    return latest


def number(c: Calls, result: Any, what: str) -> Value:
    """One real number."""
    value = floating(c, result, what)
    axes = value.type.axes if isinstance(value.type, Array) else ()
    if len(axes) == 1 and c.facts.is_one(axes[0]):
        one: Value = c.apply(named("getitem"), [value], {"index": 0}, "operator")
        return one
    if axes:
        raise Unsupported(f"{what} returns {describe(value)}, not one number", "Reduce it to one number.")
    return value
