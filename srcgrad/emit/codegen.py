"""Statements to Python's own syntax tree: assignments, writes in place, loops, branches, the function around them."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..errors import Origin
from ..ir.indexing import covers, is_basic
from ..ir.nodes import Atom, Const, Function, Op, Path, Undefined, Value, along, walk
from ..ir.primitive import Primitive
from ..ir.types import Array, Tape
from ..rules.effects import fill_template
from .expressions import Expressions, at_path, call, constant, dotted, name
from .leaving import is_literally_true, tested_values
from .liveness import Memory
from .returning import Returning
from .spelled import folded, mark, mark_all
from .statements import Block, Statement

_AUGMENTED: dict[str, type[ast.operator]] = {
    "np.add": ast.Add, "np.subtract": ast.Sub, "np.multiply": ast.Mult, "np.divide": ast.Div, "np.power": ast.Pow,
    "np.matmul": ast.MatMult, "np.floor_divide": ast.FloorDiv, "np.remainder": ast.Mod,
}  # fmt: skip


def store(text: str) -> ast.Name:
    return ast.Name(text, ast.Store())


def assign(target: str, value: ast.expr) -> ast.Assign:
    return ast.Assign([store(target)], value)


@dataclass
class Leaving:
    """The loop being printed, if it may stop."""

    flags: frozenset[Value]  # what `break` takes the place of
    targets: Sequence[tuple[Value, Atom]]  # variables that are read after the loop, and what a pass makes of them
    pending: Block = field(default_factory=list)  # what its body would record after the statement being printed
    path: Path = ()  # the branches around that statement
    branches: Sequence[Op] = ()  # those of the loop's body, in the order in which they run

    @property
    def to_the_end(self) -> Path:
        """The branches on the way from a `break` to the end of the pass: it decides what those behind it ask."""
        path, around = self.path, {op for op, _ in self.path}
        for op in self.branches:
            test = Const(True) if op.inputs[0] in self.flags else along(op.inputs[0], path)
            if op not in around and isinstance(test, Const):
                path = (*path, (op, 0 if test.value else 1))
        return path


class Codegen:
    """Knows names and memory; every method gives syntax for one kind of statement."""

    def __init__(self, function: Function, expressions: Expressions, memory: Memory):
        self.function, self.e, self.memory = function, expressions, memory
        self.names = expressions.names
        self.recorded: set[Value] = set()
        self.leaving: Leaving | None = None
        self.tested = tested_values(function, self.names)

    def block(self, block: Block) -> list[ast.stmt]:
        self.recorded |= {item for s in block if s.kind == "record" for item in s.items}
        self.recorded |= {value for s in block if s.kind == "return" for value in s.reads}
        return [node for statement in block for node in self.statement(statement)]

    def loop_body(self, statement: Statement, block: Block, end: Sequence[Atom]) -> list[ast.stmt]:
        """What one pass does, and its `break`."""
        op = statement.op
        assert op is not None
        params, outputs = self._carried(op), op.outputs
        copies = self.copies(zip(params, end))
        if "stops" not in op.attrs:
            return self.block(block) + copies
        targets = [(p, a) for p, a, out in zip(params, end, outputs) if out in statement.live_out]
        branches = [each for each in walk(op.regions[-1].ops) if each.prim.name == "if"]
        outer, self.leaving = self.leaving, Leaving(statement.flags, targets, branches=branches)
        nodes: list[ast.stmt] = []
        self.recorded |= {item for s in block if s.kind == "record" for item in s.items}
        for position, each in enumerate(block):
            if op.attrs["stops"] == "last":  # the pass that stops early is not recorded
                self.leaving.pending = [s for s in block[position + 1 :] if s.kind == "record"]
            nodes += self.statement(each)
        if not statement.flags:
            nodes += self._leave_at_end(op.regions[-1].results[-1])
        self.leaving = outer
        return nodes if nodes and isinstance(nodes[-1], ast.Break) else nodes + self.copies(zip(params, end))

    def _leave_at_end(self, stop: Atom) -> list[ast.stmt]:
        """`if stopped: break`, where the flag cannot be spelled as a jump."""
        leave = self._leave()
        return leave if is_literally_true(stop) else [ast.If(self.e.atom(stop), leave, [])]

    def _leave(self) -> list[ast.stmt]:
        """`break`, after what is still to be recorded and handed over."""
        leaving = self.leaving
        assert leaving is not None
        around, leaving.path = leaving.path, leaving.to_the_end
        records = [node for s in leaving.pending for node in self._record(s)]
        copies = self.copies([(target, along(atom, leaving.path)) for target, atom in leaving.targets])
        leaving.path = around
        return [*records, *copies, ast.Break()]

    def statement(self, statement: Statement) -> list[ast.stmt]:
        nodes = getattr(self, f"_{statement.kind}")(statement)
        op = statement.op
        mark_all(nodes, statement, self.function.body.results, self.e.folding)
        if op is not None and nodes and statement.kind != "tape":
            nodes[-1].origin = op.origin
            named = not op.outputs or any(v.hint is not None for v in op.outputs)
            if op.role == "primal" and statement.kind == "op" and named:
                nodes[-1].comment = op.origin.comment
                nodes[0].leading = op.origin.leading
            elif op.role == "primal" and statement.kind != "op":
                nodes[-1].comment = op.origin.comment
        return list(nodes)

    # Simple statements

    def _leaf(self, statement: Statement) -> list[ast.stmt]:
        param = next(p for p in self.function.params if p.value is statement.item)
        return [assign(self.names[param.value], at_path(name(param.name), param.path))]

    def _unpack(self, statement: Statement) -> list[ast.stmt]:
        read = statement.live_out
        targets: list[ast.expr] = [store(self.names[v] if v in read else "_") for v in statement.writes]
        package = next(p.name for p in self.function.params if p.value is statement.writes[0])
        return [ast.Assign([ast.Tuple(targets, ast.Store())], name(package))]

    def _tape(self, statement: Statement) -> list[ast.stmt]:
        return [assign(self.names[statement.writes[0]], ast.List([], ast.Load()))]

    def _record(self, statement: Statement) -> list[ast.stmt]:
        (tape,) = statement.head
        path = self.leaving.path if self.leaving is not None else ()
        items = [self._recorded_item(along(item, path)) for item in statement.items]
        append = ast.Attribute(name(self.names[tape]), "append", ast.Load())
        return [ast.Expr(call(append, items if len(items) == 1 else [ast.Tuple(items, ast.Load())]))]

    def _recorded_item(self, item: Atom) -> ast.expr:
        return ast.Constant(None) if isinstance(item, Undefined) else self.e.atom(item)

    def _count(self, statement: Statement) -> list[ast.stmt]:
        if statement.writes:
            return [assign(self.names[statement.writes[0]], ast.Constant(0))]
        return [ast.AugAssign(store(self.names[statement.head[0]]), ast.Add(), ast.Constant(1))]

    def _op(self, statement: Statement) -> list[ast.stmt]:
        op = statement.op
        assert op is not None
        if op.prim.name in ("index_add", "index_set"):
            return self._write_in_place(statement, op)
        if op.prim.name == "effect" and isinstance(op.attrs["template"], ast.stmt):
            return [fill_template(op.attrs["template"], [self.e.atom(a) for a in op.inputs])]
        unread = op.prim.kind == "impure" and not any(value in statement.live_out for value in op.outputs)
        if unread or not op.outputs:
            return [ast.Expr(self.e.op(op))]
        augmented = self._augmented(statement, op)
        if augmented is not None:
            return augmented
        targets: list[ast.expr] = [store(self._target(v, statement)) for v in op.outputs]
        target = targets[0] if len(targets) == 1 else ast.Tuple(targets, ast.Store())
        return [ast.Assign([target], self.e.op(op))]

    def _target(self, value: Value, statement: Statement) -> str:
        dead = len(statement.writes) > 1 and value not in statement.live_out
        return "_" if dead else self.names[value]

    def _augmented(self, statement: Statement, op: Op) -> list[ast.stmt] | None:
        """`a += b` where the result takes the place of `a` and nobody else sees `a`'s memory."""
        if op.prim.name not in _AUGMENTED or len(op.outputs) != 1:
            return None
        if op.style != "augmented" and not (op.role != "primal" and op.prim.name in ("np.add", "np.subtract")):
            return None
        out = op.outputs[0]
        if op.role != "primal":
            return self._accumulation(statement, op)
        first = op.inputs[0]
        if not isinstance(first, Value) or first in self.e.folding.inline:
            return None
        if self.names[first] != self.names[out] or not isinstance(out.type, Array):
            return None
        if out.type.has_memory and (first.type != out.type or not self._owned(first, statement)):
            return None
        return [ast.AugAssign(store(self.names[out]), _AUGMENTED[op.prim.name](), self.e.atom(op.inputs[1]))]

    def _accumulation(self, statement: Statement, op: Op) -> list[ast.stmt] | None:
        """`a = a + b - c` as `a += b - c`: the terms of the sum but for the first, which is the accumulator."""
        out, terms = op.outputs[0], self._terms(op)
        first = terms[0][1]
        if not isinstance(first, Value) or first in self.e.folding.inline or not isinstance(out.type, Array):
            return None
        if self.names[first] != self.names[out]:
            return None
        if out.type.has_memory and (first.type != out.type or not self._owned(first, statement)):
            return None
        sign = terms[1][0]
        value = self.e.atom(terms[1][1])
        for positive, atom in terms[2:]:
            operator: ast.operator = ast.Add() if positive == sign else ast.Sub()
            value = ast.BinOp(value, operator, self.e.atom(atom))
        return [ast.AugAssign(store(self.names[out]), ast.Add() if sign else ast.Sub(), value)]

    def _terms(self, op: Op) -> list[tuple[bool, Atom]]:
        """A folded sum's terms with their signs, from the left."""
        inner = self.e.folding.op(op.inputs[0])
        same = inner is not None and inner.role != "primal" and inner.prim.name in ("np.add", "np.subtract")
        start = self._terms(inner) if inner is not None and same else [(True, op.inputs[0])]
        return [*start, (op.prim.name == "np.add", op.inputs[1])]

    def _owned(self, value: Value, statement: Statement) -> bool:
        live = set(statement.live_out) - set(statement.writes)
        return value not in live and self.memory.owned(value, live)

    def _write_in_place(self, statement: Statement, op: Op) -> list[ast.stmt]:
        base, d, out = op.inputs[0], op.inputs[1], op.outputs[0]
        nodes: list[ast.stmt] = []
        own = isinstance(base, Value) and self._owned(base, statement)
        given = self._given_out(op, own) if op.style == "out" else None
        if given is not None:
            return [given]
        if not own:
            nodes.append(assign(self.names[out], call(ast.Attribute(self.e.atom(base), "copy", ast.Load()), [])))
        elif self.names[base] != self.names[out]:  # type: ignore[index]
            nodes.append(assign(self.names[out], self.e.atom(base)))
        index = self.e.index(op, 2)
        target = ast.Subscript(name(self.names[out]), index, ast.Store())
        if op.prim.name == "index_set":
            nodes.append(self._item_augmented(op, target) or ast.Assign([target], self.e.atom(d)))
        elif is_basic(op.attrs["index"], [a.type for a in op.inputs[2:]]):
            made = self.e.folding.op(d)
            if isinstance(d, Const) and d.text is None and not isinstance(d.value, complex) and d.value < 0:
                nodes.append(ast.AugAssign(target, ast.Sub(), constant(-d.value)))
            elif made is not None and made.prim.name == "np.negative":
                nodes.append(ast.AugAssign(target, ast.Sub(), self.e.atom(made.inputs[0])))
            else:
                nodes.append(ast.AugAssign(target, ast.Add(), self.e.atom(d)))
        else:
            if isinstance(index, ast.Tuple) and any(isinstance(e, ast.Slice) for e in index.elts):
                index = ast.Subscript(dotted("np.s_"), index, ast.Load())
            nodes.append(ast.Expr(call("np.add.at", [name(self.names[out]), index, self.e.atom(d)])))
        return nodes

    def _given_out(self, op: Op, own: bool) -> ast.stmt | None:
        """`np.add(a, b, out=a)`, or a new array where the old one is still needed or no call fills it."""
        base, out = op.inputs[0], op.outputs[0]
        made = self.e.folding.op(op.inputs[1])
        if made is None or made.outputs[0].type != out.type or not covers(op.attrs["index"]):
            return None
        value = self.e.atom(op.inputs[1])
        same = isinstance(base, Value) and self.names.get(base) == self.names[out]
        fills = own and same and isinstance(made.prim.fn, np.ufunc)
        if fills and isinstance(value, ast.Call) and isinstance(value.func, ast.Attribute):
            value.keywords.append(ast.keyword("out", name(self.names[out])))
            return ast.Expr(value)
        return assign(self.names[out], value)

    def _item_augmented(self, op: Op, target: ast.Subscript) -> ast.AugAssign | None:
        """`a[i] += v`, as the user wrote it, where the sum is made for this place alone."""
        made = self.e.folding.op(op.inputs[1])
        if made is None or made.style != "augmented" or made.prim.name not in _AUGMENTED:
            return None
        old = self.e.folding.op(made.inputs[0])
        if old is None or old.prim.name != "getitem" or old.inputs != (op.inputs[0], *op.inputs[2:]):
            return None
        if old.attrs["index"] != op.attrs["index"]:
            return None
        return ast.AugAssign(target, _AUGMENTED[made.prim.name](), self.e.atom(made.inputs[1]))

    # Copies where control flow joins and names could not be shared

    def copies(self, pairs: Iterable[tuple[Value, Atom]]) -> list[ast.stmt]:
        """Assignments that happen at once; one after another where the order does not matter."""
        moves = [
            (self.names[target], self.e.atom(source), self._names_read(source), source)
            for target, source in pairs
            if target in self.names and self._needs_copy(target, source)
        ]
        targets = [target for target, _, _, _ in moves]
        if any(target in reads for i, (_, _, reads, _) in enumerate(moves) for target in targets[:i]):
            stores: list[ast.expr] = [store(target) for target in targets]
            at_once = ast.Assign([ast.Tuple(stores, ast.Store())], ast.Tuple([m[1] for m in moves], ast.Load()))
            return [mark(at_once, folded([m[3] for m in moves], self.e.folding))]
        return [mark(assign(target, value), folded([atom], self.e.folding)) for target, value, _, atom in moves]

    def _needs_copy(self, target: Value, source: Atom) -> bool:
        """A value that only the other branch defines is None here if a recording or a `return` will read it."""
        if isinstance(source, Undefined):
            return target in self.recorded or target in self.tested
        return not self._same_name(target, source)

    def _same_name(self, target: Value, source: Atom) -> bool:
        return isinstance(source, Value) and self.names.get(source) == self.names[target]

    def _names_read(self, atom: Atom) -> set[str]:
        return {n.id for n in ast.walk(self.e.atom(atom)) if isinstance(n, ast.Name)}

    # Control flow

    def _if(self, statement: Statement) -> list[ast.stmt]:
        op = statement.op
        assert op is not None
        test = self.e.atom(op.inputs[0])
        if len(op.outputs) == 1 and not any(statement.blocks) and op.style == "expression":
            return [assign(self.names[op.outputs[0]], self.e.op(op))]
        if self.leaving is not None and self.leaving.flags & set(op.outputs):
            return self._stopping_if(statement, op, test)
        for end in statement.ends:
            handed = zip(op.outputs, end)
            self.recorded |= {a for v, a in handed if v in self.recorded and isinstance(a, Value)}
        halves = [
            self.block(block) + self.copies(zip(op.outputs, end))
            for block, end in zip(statement.blocks, statement.ends)
        ]
        return _choice(test, halves)

    def _stopping_if(self, statement: Statement, op: Op, test: ast.expr) -> list[ast.stmt]:
        """A branch that may end the loop; what follows a `break` needs no `else`."""
        leaving = self.leaving
        assert leaving is not None
        handed = [(k, out) for k, out in enumerate(op.outputs) if out in statement.live_out - leaving.flags]
        halves, ends = [], []
        for half, (block, end) in enumerate(zip(statement.blocks, statement.ends)):
            self.recorded |= {a for k, v in handed if v in self.recorded and isinstance(a := end[k], Value)}
            around, leaving.path = leaving.path, (*leaving.path, (op, half))
            nodes = self.block(block)
            stops = any(is_literally_true(a) for a, out in zip(end, op.outputs) if out in leaving.flags)
            nodes += self._leave() if stops else self.copies((out, end[k]) for k, out in handed)
            leaving.path = around
            halves.append(nodes)
            ends.append(stops)
        if op.inputs[0] in leaving.flags:  # here nothing has stopped, or this were not reached
            return halves[1]
        if ends[0]:
            return [ast.If(test, halves[0], []), *halves[1]]
        if ends[1]:
            return [ast.If(_inverse(test), halves[1], []), *halves[0]]
        return _choice(test, halves)

    def _carried(self, op: Op) -> tuple[Value, ...]:
        params = op.regions[-1].params
        return params[1 : 1 + op.attrs["carried"]] if op.prim.name == "for" else params

    def _for(self, statement: Statement) -> list[ast.stmt]:
        op = statement.op
        assert op is not None
        params, carried = self._carried(op), op.attrs["carried"]
        nodes = self.copies(zip(params, op.inputs[3 : 3 + carried]))
        body = self.loop_body(statement, statement.blocks[0], statement.ends[0])
        loop = ast.For(*self._header(statement, op), body or [ast.Pass()], [])
        return [*nodes, loop]

    def _header(self, statement: Statement, op: Op) -> tuple[ast.expr, ast.expr]:
        """The loop's target and what it walks over."""
        index = op.regions[0].params[0]
        backwards = bool(op.attrs.get("reverse"))
        derived = bool(op.attrs.get("derived"))
        targets: list[ast.expr] = []
        walks: list[ast.expr] = []
        if statement.index_used or not statement.sequences:
            walks.append(_reversed(self._range(op), backwards and statement.index_used))
            targets.append(store(self.names[index] if statement.index_used else "_"))
        for sequence, items in statement.sequences:
            flip = derived if isinstance(sequence.type, Tape) else backwards
            walks.append(_reversed(self.e.atom(sequence), flip))
            stores: list[ast.expr] = [store(self.names[item]) for item in items]
            targets.append(stores[0] if len(stores) == 1 else ast.Tuple(stores, ast.Store()))
        if len(walks) == 1:
            return targets[0], walks[0]
        return ast.Tuple(targets, ast.Store()), call("zip", walks)

    def _range(self, op: Op) -> ast.expr:
        start, stop, step = op.inputs[:3]
        args = [self.e.atom(stop)]
        unit = isinstance(step, Const) and step.value == 1
        if not unit or not (isinstance(start, Const) and start.value == 0):
            args.insert(0, self.e.atom(start))
        if not unit:
            args.append(self.e.atom(step))
        return call("range", args)

    def _while(self, statement: Statement) -> list[ast.stmt]:
        op = statement.op
        assert op is not None
        params = self._carried(op)
        nodes = self.copies(zip(params, op.inputs))
        body = self.loop_body(statement, statement.blocks[1], statement.ends[1])
        test = self.e.atom(statement.ends[0][0])
        before = self.block(statement.blocks[0])
        if before:
            leave = ast.If(_inverse(test), [ast.Break()], [])
            return [*nodes, ast.While(ast.Constant(True), [*before, leave, *body], [])]
        return [*nodes, ast.While(test, body or [ast.Pass()], [])]

    def _return(self, statement: Statement) -> list[ast.stmt]:
        return Returning(self.function, self.e).statements()


def _choice(test: ast.expr, halves: Sequence[list[ast.stmt]]) -> list[ast.stmt]:
    """`if` with what its halves do; none of the two may be empty in Python."""
    then, other = halves
    if not then and not other:
        return []
    return [ast.If(test, then, other)] if then else [ast.If(_inverse(test), other, [])]


def _reversed(walk: ast.expr, flip: bool) -> ast.expr:
    return call("reversed", [walk]) if flip else walk


_OPPOSITE: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Eq: ast.NotEq, ast.NotEq: ast.Eq}


def _inverse(test: ast.expr) -> ast.expr:
    """`not test`; comparisons of order stay inside `not`, as nan makes `<` and `>=` both false."""
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        return test.operand
    if isinstance(test, ast.Compare) and type(test.ops[0]) in _OPPOSITE and len(test.ops) == 1:
        return ast.Compare(test.left, [_OPPOSITE[type(test.ops[0])]()], test.comparators)
    return ast.UnaryOp(ast.Not(), test)


def arguments(signature: Sequence[tuple[str, str, str | None]], captured: Sequence[str]) -> ast.arguments:
    """The parameter list: (name, kind, default's text); captured names follow as keyword-only ones."""
    node = ast.arguments([], [], None, [], [], None, [])
    for text, kind, default in signature:
        arg = ast.arg(text)
        value = None if default is None else ast.parse(default, mode="eval").body
        if kind == "keyword":
            node.kwonlyargs.append(arg)
            node.kw_defaults.append(value)
        elif kind == "sequence":
            node.vararg = arg
        else:
            (node.posonlyargs if kind == "positional" else node.args).append(arg)
            if value is not None:
                node.defaults.append(value)
            else:
                node.defaults.clear()
    for text in captured:
        node.kwonlyargs.append(ast.arg(text))
        node.kw_defaults.append(None)
    return node


__all__ = ["Codegen", "Origin", "Primitive", "arguments"]
