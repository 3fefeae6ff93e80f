"""Reading loops: over ranges, arrays, zip, enumerate and reversed they stay loops, over lists they are written out."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from copy import copy
from dataclasses import replace
from functools import partial
from typing import Any

from ..errors import Unsupported
from ..ir.dims import as_dim
from ..ir.nodes import Const, Region, Slot, Value
from ..ir.primitive import named
from ..ir.types import INT, Array
from .branches import Returned
from .carrying import Carried, Carrying
from .desugar import Known, desugar
from .expressions import UNROLL
from .filled import Filling
from .scopes import assigned, bound, exposed, index_name, jumps, loads, nonlocal_names, returns
from .segments import into_segments
from .starts import begun, check_starts
from .values import Iteration, Poison, RangeValue, Segments, is_number

_TOTAL = " total"  # the variable of sum(...); no user's name has a space


class Bind(ast.stmt):
    """Stands in a loop that is written out: here its variable becomes the next item."""

    def __init__(self, loop: ast.For, item: Any):
        super().__init__()
        self.loop, self.item = loop, item
        ast.copy_location(self, loop)


class Loops(Carrying):
    def _ev_Known(self, node: Known) -> Any:
        return node.value

    def read_for(self, node: ast.For) -> Returned:
        walked = self.walkable(self.ev(node.iter))
        if not self._is_dynamic(walked):
            return self._unrolled(node, walked)
        place = self.place(node)
        if self._may_unroll(walked) and place in self.unroll:
            return self._unrolled(node, walked)
        self.open_loops.append(place if self._may_unroll(walked) else None)
        try:
            self._loop(node, walked)
        finally:
            self.open_loops.pop()
        return None

    def _with_values(self, names: set[str]) -> list[str]:
        """Variables that have a value before the loop; one that has none is given it inside, or reading it fails."""
        return [name for name, value in self.frame.env.items() if name in names and not isinstance(value, Poison)]

    def _changed(self, body: Sequence[ast.stmt]) -> set[str]:
        """Variables that a loop may change. Writing into an array changes its memory, not the variable."""
        around = self.frame.node
        helpers = [n for n in ast.walk(around) if n is not around] if around is not None else []
        called = {name for n in helpers for name in nonlocal_names(n) if name in self.frame.env}
        rebound = bound(body) | called
        kept = {name for name, value in self.frame.env.items() if name not in rebound and self.is_array(value)}
        return (assigned(body) | called) - kept

    def _read_later(self, body: Sequence[ast.stmt], targets: Set[str] = frozenset()) -> set[str]:
        """Names that may be read outside the loop, or inside before a pass assigns them."""
        around = self.frame.node
        outside = set(loads(around) - sum(map(loads, body), Counter())) if around is not None else set()
        return outside | (exposed(body) - targets)

    @contextmanager
    def _late_names(self, names: set[str]) -> Iterator[None]:
        """While the body is read: what the next pass may read."""
        self.frame.late.append(names)
        try:
            yield
        finally:
            self.frame.late.pop()

    # Which loops stay loops

    def _is_dynamic(self, walked: Any) -> bool:
        """Whether the loop walks over ranges and arrays; over lists it is written out."""
        if isinstance(walked, Iteration):
            return all(self._is_dynamic(part) for part in walked.parts)
        return isinstance(walked, (RangeValue, Value))

    def _may_unroll(self, walked: Any) -> bool:
        """Whether the number of passes is known, and small."""
        if isinstance(walked, Iteration):
            return all(self._may_unroll(part) for part in walked.parts)
        if isinstance(walked, RangeValue):
            bounds = [self.maybe_number(b) for b in (walked.start, walked.stop, walked.step)]
            return all(type(b) is int for b in bounds) and bounds[2] != 0 and len(range(*bounds)) <= UNROLL
        if isinstance(walked, Value) and isinstance(walked.type, Array) and walked.type.ndim:
            length = self.facts.canon(walked.type.axes[0]).constant
            return length is not None and length <= UNROLL
        return False

    def _unrolled(self, node: ast.For, walked: Any) -> Returned:
        """Every pass by itself."""
        if jumps(node.body):
            self._jumping_passes(node, self._items(walked))
            return None
        return self.block(self._passes(node, walked))

    def _jumping_passes(self, node: ast.For, items: Sequence[Any]) -> None:
        """Written-out passes of which each may be the last."""
        for position, item in enumerate(items):
            stop = self.one_pass(partial(self.block, [Bind(node, item), *node.body]))
            known = self.maybe_truth(stop)
            if known is None:
                rest = partial(self._jumping_passes, node, items[position + 1 :])
                self.fork(self.atom(stop), (lambda: None, rest), node)
                return
            if known:
                return

    def _passes(self, node: ast.For, walked: Any) -> list[ast.stmt]:
        """The statements of a loop that is written out."""
        statements: list[ast.stmt] = []
        for item in self._items(walked):
            self.spend()
            statements += [Bind(node, item), *node.body]
        return statements

    def simpler_loop(self, node: ast.For | ast.While, rest: Sequence[ast.stmt]) -> Returned:
        """A loop with `else`, or `return` inside; written out, what follows belongs to whichever path goes on."""
        if isinstance(node, ast.While):
            return self.block([*desugar(node), *rest])
        self.frame.statement = node
        try:
            with self.at(node):
                loop = copy(node)
                loop.iter = Known(node.iter, walked := self.walkable(self.ev(node.iter)))
                plain = not node.orelse and all(isinstance(n, ast.Return) for n in jumps(node.body))
                keeps = self._is_dynamic(walked) and self.place(node) not in self.unroll
                statements = desugar(loop) if keeps or not plain else self._passes(node, walked)
        except Unsupported as error:
            self.note(error, node)
            return (Poison(""),) if returns(node) else self.block(rest)
        return self.block([*statements, *rest])

    def _items(self, walked: Any) -> list[Any]:
        """Written-out passes; arrays beside a list give as many items as it has."""
        if isinstance(walked, Iteration) and walked.kind == "zip":
            known = [len(self._items(p)) for p in walked.parts if not self._is_dynamic(p)]
            parts = [
                self._first(p, min(known)) if known and isinstance(p, Value) else self._items(p) for p in walked.parts
            ]
            return [tuple(items) for items in zip(*parts)]
        if isinstance(walked, Iteration) and walked.kind == "enumerate":
            start = self.number(walked.start) if walked.start is not None else 0
            return [(Const(start + i), item) for i, item in enumerate(self._items(walked.parts[0]))]
        return self.iterate(walked)

    def _first(self, array: Value, count: int) -> list[Any]:
        assert isinstance(array.type, Array)
        if array.type.ndim and self.facts.require(">=", array.type.axes[0], as_dim(count)):
            return [self.apply(named("getitem"), [array], {"index": i}, "operator") for i in range(count)]
        return self.iterate(array)

    def bind_item(self, target: ast.expr, item: Any) -> None:
        """A loop variable: numbers of a written-out loop stay numbers, without a line of their own."""
        if isinstance(target, ast.Name) and isinstance(item, Const):
            self.frame.env[target.id] = item
        elif isinstance(target, (ast.Tuple, ast.List)) and not isinstance(item, Value):
            if any(isinstance(each, ast.Starred) for each in target.elts):
                return self.bind_target(target, item)
            for each, part in zip(target.elts, self.unpack(item, len(target.elts))):
                self.bind_item(each, part)
        else:
            self.bind_target(target, item)
        return None

    # for

    def _loop(self, node: ast.For, walked: Any) -> None:
        """A loop of the output: range bounds, carried variables, body."""
        inside = self._changed(node.body)
        targets = assigned([ast.For(node.target, node.iter, [], [])])
        later = self._read_later(node.body, targets)
        names = self._with_values((inside - targets) | (targets & later))
        loop = self.place(node) if self._may_unroll(walked) else None

        def body(index: Value) -> None:
            self.bind_item(node.target, self.item_of(walked, index))
            self.block(node.body)

        counter = index_name(node.target, walked)
        with self._late_names(exposed(node.body) - targets), self._keeping_walked(walked):
            self._counted(walked, names, body, counter, inside | targets, loop, later & (inside | targets), node.body)

    @contextmanager
    def _keeping_walked(self, walked: Any) -> Iterator[None]:
        """The loop holds the arrays that it walks over, whatever becomes of the variables that name them."""
        arrays = [part for part in self._walked_parts(walked) if self.is_array(part)]
        names = [f" walked {len(self.frame.env)} {number}" for number in range(len(arrays))]
        self.frame.env.update(zip(names, arrays))
        try:
            yield
        finally:
            for name in names:
                self.frame.env.pop(name, None)

    def _walked_parts(self, walked: Any) -> Iterator[Any]:
        if isinstance(walked, Iteration):
            for part in walked.parts:
                yield from self._walked_parts(part)
        else:
            yield walked

    def _counted(
        self,
        walked: Any,
        names: list[str],
        body: Callable[[Value], None],
        counter: str | None,
        inside: set[str],
        loop: Any = None,
        later: Set[str] = frozenset(),
        statements: Sequence[ast.stmt] = (),
    ) -> None:
        start, stop, step, backwards = self._bounds(walked)
        bounds = [self.atom(b) for b in (start, stop, step)]
        if self.maybe_number(step) == 0:
            raise Unsupported("range() arg 3 must not be zero")
        faults = len(self.faults)
        with self.filling((start, stop, step, backwards)) as filling:
            carried = self.carry(names)
            carried.candidates = {name for name in later if name not in self.frame.env}
            while True:
                del self.faults[faults:]  # an earlier reading may have complained about types that have changed since
                index = self._index(counter, bounds)
                params, ops, results = self.read_pass(carried, [index], partial(self._pass, filling, body, index))
                if self._may_begin(carried, results, bounds) and begun(self, carried, results):
                    continue
                if self.settled(carried, params, ops, results):
                    break
            check_starts(self, carried, params, ops, statements)
            if carried.stop is not None and filling.rows:
                raise Unsupported("`break` in a loop that fills a list", "Use an array, and count what it holds.")
        inits, ends = self.converted(carried, results, ops)
        types = self.types_behind(carried, params)
        attrs: dict[str, Any] = {"carried": len(params), "reverse": backwards}
        if carried.stop is not None:
            attrs["stops"], ends = "last", [*ends, carried.stop]
            types.append(replace(INT, dim=self.facts.fresh("passes")))
            if backwards:
                bounds, attrs["reverse"] = self._turned(bounds), False
                attrs["partial"] = True
        region = Region((index, *params), tuple(ops), tuple(ends))
        outputs = self.builder.append(named("for"), [*bounds, *inits], types, attrs, regions=(region,))
        segments = _segments(walked)
        if segments is not None:
            into_segments(self, self.builder.ops.pop(), segments)
        if carried.stop is not None:
            outputs[-1].hint = "passes"
            outputs = outputs[:-1]
        self.leave(carried, results, outputs, inside, loop, partial(self._makes_a_pass, bounds))

    def alike_types(self, one: Value, other: Value) -> bool:
        a, b = one.type, other.type
        return a == b if not isinstance(a, Array) else isinstance(b, Array) and self.facts.same_axes(a.axes, b.axes)

    def _may_begin(self, carried: Carried, results: Sequence[Any], bounds: Sequence[Any]) -> bool:
        """Whether a number may become an array in the loop: where a pass is made for certain."""
        ndims = [(t.ndim, a.type.ndim) for t, a in zip(carried.types, results) if isinstance(t, Array)]
        return any(start == 0 < end for start, end in ndims) and self._makes_a_pass(bounds)

    def _makes_a_pass(self, bounds: Sequence[Any]) -> bool:
        """Whether a range is not empty, in every call of this compilation."""
        start, stop, step = bounds
        stride = self.maybe_number(step)
        if not isinstance(stride, int):
            return False
        length = self.dim(stop) - self.dim(start) if stride > 0 else self.dim(start) - self.dim(stop)
        return self.facts.require(">=", length, as_dim(1))

    def _pass(self, filling: Filling, body: Callable[[Value], None], index: Value) -> None:
        self.begin_pass(filling, index)
        body(index)

    def _turned(self, bounds: Sequence[Any]) -> list[Any]:
        """The bounds of a range that is walked from its end."""
        start, stop, step = bounds
        if self.maybe_number(step) != 1:
            raise Unsupported(
                "`break` in a loop over a reversed range with a step", "Write its bounds out: range(9, 0, -2)."
            )
        last, before = (self.binary(ast.Sub, bound, Const(1), ast.Sub()) for bound in (stop, start))
        return [self.atom(bound) for bound in (last, before, Const(-1))]

    def _index(self, name: str | None, bounds: Sequence[Any]) -> Value:
        """A loop's counter; where it lies decides how long slices up to it are."""
        number = self.facts.fresh("i")
        start, stop, step = bounds
        stride = self.maybe_number(step)
        if number.symbol is not None and isinstance(stride, int) and stride != 0:
            first, beyond = self.dim(start), self.dim(stop)
            self.facts.bounds[number.symbol] = (first, beyond - 1) if stride > 0 else (beyond + 1, first)
        return Value(replace(INT, dim=number), name)

    # Bounds and items

    def _bounds(self, walked: Any) -> tuple[Any, Any, Any, bool]:
        if isinstance(walked, Iteration):
            if walked.kind == "reversed":
                start, stop, step, backwards = self._bounds(walked.parts[0])
                return start, stop, step, not backwards
            if walked.kind == "enumerate":
                return self._counting(walked.parts[0], "enumerate")
            return self._zip_bounds(walked)
        if isinstance(walked, RangeValue):
            return walked.start, walked.stop, walked.step, False
        if not isinstance(walked.type, Array) or not walked.type.ndim:
            raise Unsupported("a loop over a number", "Loop over range(n), or an array.")
        return Const(0), self.length(walked, 0, "len"), Const(1), False

    def _counting(self, walked: Any, what: str, either_way: bool = False) -> tuple[Any, Any, Any, bool]:
        """Bounds of a part whose items are counted from zero, or down to it."""
        start, stop, step, backwards = self._bounds(walked)
        if (backwards and not either_way) or self.maybe_number(start) != 0 or self.maybe_number(step) != 1:
            raise Unsupported(
                f"{what} over reversed or stepped sequences cannot be differentiated yet",
                "Loop over indices.",
            )
        return start, stop, step, backwards

    def _zip_bounds(self, walked: Iteration) -> tuple[Any, Any, Any, bool]:
        """zip stops at the shortest: the lengths must be provably equal. All parts go the same way."""
        bounds = [self._counting(part, "zip", either_way=True) for part in walked.parts]
        if len({backwards for *_, backwards in bounds}) > 1:
            raise Unsupported("zip over sequences of which some go backwards", "Loop over indices.")
        first = self.dim(bounds[0][1])
        for each in bounds[1:]:
            other = self.dim(each[1])
            if not (self.facts.same(first, other) or self.facts.require("==", first, other)):
                raise Unsupported(
                    "zip over sequences of different lengths cannot be differentiated",
                    "Slice them to one length.",
                )
        return bounds[0]

    def item_of(self, walked: Any, index: Value) -> Any:
        """What the loop variable stands for in one pass."""
        if isinstance(walked, Iteration):
            if walked.kind == "zip":
                return tuple(self.item_of(part, index) for part in walked.parts)
            if walked.kind == "enumerate":
                count: Any = index
                if walked.start is not None and self.maybe_number(walked.start) != 0:
                    count = self.binary(ast.Add, index, walked.start, ast.Add())
                return (count, self.item_of(walked.parts[0], index))
            return self.item_of(walked.parts[0], index)
        if isinstance(walked, RangeValue):
            return index
        return self.apply(named("getitem"), [walked, index], {"index": Slot(1)}, "iteration")

    # sum(... for ...)

    def sum_of(self, node: ast.Call, items: ast.GeneratorExp | ast.ListComp) -> Any:
        """sum() of a generator is a loop that adds; over lists it is written out."""
        first = items.generators[0]
        walked = self.walkable(self.ev(first.iter))
        if len(items.generators) > 1 or len(node.args) > 2 or node.keywords or not self._is_dynamic(walked):
            method: Any = self._ev_ListComp if isinstance(items, ast.ListComp) else self._ev_GeneratorExp
            rest = self.elements(node.args[1:])
            kwargs = {str(k.arg): self.ev(k.value) for k in node.keywords}
            return self.invoke(sum, [method(items), *rest], kwargs, "sum")
        start = self.ev(node.args[1]) if len(node.args) > 1 else Const(0)
        env = self.frame.env
        self.frame.env = {**env, _TOTAL: start}
        add = ast.AugAssign(ast.Name(_TOTAL, ast.Store()), ast.Add(), items.elt)
        body: ast.stmt = ast.fix_missing_locations(ast.copy_location(add, items.elt))
        for test in reversed(first.ifs):
            body = ast.fix_missing_locations(ast.copy_location(ast.If(test, [body], []), test))
        try:
            self._sum_loop(first.target, walked, body)
            return self.name(_TOTAL)
        finally:
            self.frame.env = env

    def _sum_loop(self, target: ast.expr, walked: Any, body: ast.stmt) -> None:
        statement = self.frame.statement

        def add(index: Value) -> None:
            outer, self.frame.comprehending = self.frame.comprehending, True
            try:
                self.bind_item(target, self.item_of(walked, index))
                self.statement(body)
            finally:
                self.frame.comprehending = outer

        self._counted(walked, [_TOTAL], add, index_name(target, walked), {_TOTAL})
        self.frame.statement = statement

    def statement(self, node: ast.stmt) -> Returned:
        raise NotImplementedError

    # while

    def read_while(self, node: ast.While) -> None:
        inside = self._changed([*node.body, ast.Expr(node.test)])
        carried = self.carry(self._with_values(inside))
        whole = [ast.Expr(node.test), *node.body]
        later = self._read_later(whole)
        carried.candidates = {name for name in later & inside if name not in self.frame.env}
        self.open_loops.append(None)
        faults = len(self.faults)
        try:
            with self._late_names(exposed(whole)):
                while True:
                    del self.faults[faults:]
                    heads, test_ops, test = self._test(carried, node)
                    params, ops, results = self.read_pass(carried, [], lambda: self._while_body(node))
                    if self.settled(carried, params, ops, results):
                        break
        finally:
            self.open_loops.pop()
        inits, ends = self.converted(carried, results, ops)
        regions = (
            Region(tuple(heads), tuple(test_ops), (test,)),
            Region(tuple(params), tuple(ops), (*ends, *([] if carried.stop is None else [carried.stop]))),
        )
        attrs = {"carried": len(params), **({} if carried.stop is None else {"stops": "last"})}
        types = [*self.types_behind(carried, params), replace(INT, dim=self.facts.fresh("passes"))]
        outputs = self.builder.append(named("while"), inits, types, attrs, regions=regions)
        outputs[-1].hint = "passes"
        self.leave(carried, results, outputs[:-1], inside, None)

    def _while_body(self, node: ast.While) -> None:
        self.block(node.body)

    def _test(self, carried: Carried, node: ast.While) -> tuple[list[Value], list[Any], Any]:
        """The condition, read on parameters of its own."""
        heads = carried.params()
        with self.region() as ops:
            self.enter(carried, heads, [])
            entered, before = dict(self.current), self.stores()
            test = self.ev(node.test)
            endless = not any(isinstance(n, ast.Break) for n in jumps(node.body))
            if endless and self.maybe_truth(test) is True and not is_number(test):
                raise Unsupported("a `while` that never ends", "Give it a condition, or a `break`.")
            test = self.latest(self.atom(self.condition(test)))
        self.frame.env = dict(carried.before)
        if any(new is not entered.get(array) for array, new in self.writes(ops).items()) or ops.stores != before:
            raise Unsupported("the condition of a `while` changes a value", "Change it before and inside the loop.")
        return heads, ops, test


def _segments(walked: Any) -> Segments | None:
    """How the loop is checkpointed."""
    if isinstance(walked, RangeValue):
        return walked.segments
    if isinstance(walked, Iteration) and any(_segments(part) for part in walked.parts):
        raise Unsupported(f"`{walked.kind}` of a checkpointed range", "Loop over checkpointed(range(n)) itself.")
    return None
