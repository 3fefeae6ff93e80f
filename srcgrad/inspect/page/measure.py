"""Times and shapes of a gradient's lines, measured in runs of its own text: nothing here is estimated.

The text is run with a note of the clock between its statements, and what such a note costs is measured and taken off.
Another run notes what each line assigns. Runs of the text as it stands tell how long the whole takes.
"""

from __future__ import annotations

import ast
import inspect
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import numpy as np

from ..call import Call

_RUNS, _BUDGET = 200, 0.2  # runs of one kind, and the seconds that they may take together
_RETURN = -1  # the line of the event at which a function hands back
_T = TypeVar("_T")


@dataclass
class Seen:
    """One line of a run: seconds in it alone, how often it ran, the types of what it assigned."""

    seconds: float = 0.0
    passes: int = 0
    shapes: dict[str, dict[str, None]] = field(default_factory=dict)


@dataclass(frozen=True)
class Measured:
    """What was seen by line in the quickest noted run, the sum of that, the quickest run without notes."""

    lines: Mapping[int, Seen]
    total: float
    best: float
    runs: int


def measure(call: Call) -> Measured:
    """Run the first text of a compilation on the call's own arguments, several times."""
    emitted = call.compiled.emitted[0]
    whole = ast.parse(emitted.text)

    def bound(module: ast.Module, **names: Any) -> Callable[[], Any]:
        exec(compile(ast.fix_missing_locations(module), f"<srcgrad {emitted.name}, measured>", "exec"), names)
        return _bound(call, names[emitted.name])

    plain = bound(whole)
    plain()
    shapes: dict[int, dict[str, dict[str, None]]] = {}

    def saw(line: int, name: str, value: Any) -> None:
        if not isinstance(value, (list, tuple)):  # recordings, which say nothing by their length
            shapes.setdefault(line, {}).setdefault(name, {})[_kind(value)] = None

    bound(_Watched().visit(ast.parse(emitted.text)), _saw=saw)()
    events: list[Any] = []
    noted = bound(_Clocked().visit(ast.parse(emitted.text)), _note=events.append, _clock=time.perf_counter)
    lines = min(_repeated(lambda: _noted_run(noted, events)), key=_total)
    cost = _cost_of_a_note()
    for line, seen in lines.items():
        seen.seconds = max(0.0, seen.seconds - seen.passes * cost)
        seen.shapes = shapes.get(line, {})
    times = _repeated(lambda: _timed(plain))
    return Measured(lines, _total(lines), min(times), len(times))


def _bound(call: Call, function: Callable[..., Any]) -> Callable[[], Any]:
    """The compiled function on the arguments of the call, and on what it captures."""
    taken = inspect.signature(function).parameters
    keywords = {name: value for name, value in call.captured.items() if name in taken}
    positional: list[Any] = []
    for name, kind, _ in call.dispatcher.request.signature:
        if kind == "sequence":
            positional += call.example[name]
        elif kind == "keyword":
            keywords[name] = call.example[name]
        else:
            positional.append(call.example[name])
    return lambda: function(*positional, **keywords)


def _repeated(run: Callable[[], _T]) -> list[_T]:
    end, found = time.perf_counter() + _BUDGET, [run()]
    while len(found) < 3 or (len(found) < _RUNS and time.perf_counter() < end):
        found.append(run())
    return found


def _timed(run: Callable[[], Any]) -> float:
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def _noted_run(run: Callable[[], Any], events: list[Any]) -> dict[int, Seen]:
    """One run; a line's time ends where the next statement, or the function that it calls, begins."""
    events.clear()
    run()
    end = time.perf_counter()
    lines: dict[int, Seen] = {}
    stack: list[int] = []
    for line, at, until in zip(events[::2], events[1::2], [*events[3::2], end]):
        if line == _RETURN:
            stack.pop()
        elif line == 0:
            stack.append(0)
        else:
            stack[-1] = line
            lines.setdefault(line, Seen()).passes += 1
        if stack and stack[-1]:
            lines[stack[-1]].seconds += until - at
    return lines


def _total(lines: Mapping[int, Seen]) -> float:
    return sum(seen.seconds for seen in lines.values())


def _cost_of_a_note() -> float:
    """Seconds that a noted line takes which does next to nothing: the median of many."""
    module = _Clocked().visit(ast.parse("def idle():\n" + "    idle = 0\n" * 200))
    events: list[Any] = []
    names: dict[str, Any] = {"_note": events.append, "_clock": time.perf_counter}
    exec(compile(ast.fix_missing_locations(module), "<idle>", "exec"), names)
    runs = [_noted_run(names["idle"], events) for _ in range(50)]
    return sorted(seen.seconds for seen in runs[-1].values())[100]


class _Clocked(ast.NodeTransformer):
    """`_note(line); _note(_clock())` before every statement: 0 where a function begins, -1 where it hands back."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.body = [*_event(0), *self.block(node.body)]
        if not isinstance(node.body[-1], ast.Return):
            node.body += _event(_RETURN)
        return node

    def generic_visit(self, node: ast.AST) -> ast.AST:
        for name in ("body", "orelse", "finalbody"):
            block = getattr(node, name, None)
            if isinstance(block, list) and block and not isinstance(node, ast.Module):
                setattr(node, name, self.block(block))
        if isinstance(node, (ast.For, ast.While)):  # what comes after a pass is the header's
            node.body += _event(node.lineno)
        return super().generic_visit(node) if isinstance(node, ast.Module) else node

    def block(self, statements: list[ast.stmt]) -> list[ast.stmt]:
        found: list[ast.stmt] = []
        for each in statements:
            found += _event(each.lineno)
            if isinstance(each, ast.Return) and each.value is not None:
                found += [ast.Assign([ast.Name("_handed", ast.Store())], each.value), *_event(_RETURN)]
                found.append(ast.Return(ast.Name("_handed", ast.Load())))
            else:
                found.append(self.visit(each))
        return found


class _Watched(ast.NodeTransformer):
    """`_saw(line, name, value)` after every assignment to a name, and where a loop binds one."""

    def visit_Assign(self, node: ast.Assign) -> list[ast.stmt]:
        return [node, *_look(node.lineno, node.targets)]

    def visit_AugAssign(self, node: ast.AugAssign) -> list[ast.stmt]:
        return [node, *_look(node.lineno, [node.target])]

    def visit_For(self, node: ast.For) -> ast.AST:
        self.generic_visit(node)
        node.body = [*_look(node.lineno, [node.target]), *node.body]
        return node


def _event(line: int) -> list[ast.stmt]:
    return ast.parse(f"_note({line}); _note(_clock())").body


def _look(line: int, targets: list[ast.expr]) -> list[ast.stmt]:
    names = [n.id for each in targets for n in ast.walk(each) if isinstance(n, ast.Name) and n.id != "_"]
    return [stmt for name in names for stmt in ast.parse(f"_saw({line}, {name!r}, {name})").body]


def amount(seconds: float) -> str:
    """Seconds as people write them."""
    if seconds < 1e-7:
        return "< 0.1 µs"
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size or unit == "µs":
            return f"{seconds / size:.3g} {unit}" if seconds / size < 999.5 else f"{seconds / size:.0f} {unit}"
    raise AssertionError


def _kind(value: Any) -> str:
    """What a value is: `f8[5, 4]`, `float`."""
    if isinstance(value, np.ndarray):
        return f"{value.dtype.str.lstrip('<>|=')}[{', '.join(map(str, value.shape))}]"
    if isinstance(value, np.generic):
        return value.dtype.str.lstrip("<>|=")
    return type(value).__name__
