"""A computation graph as DOT text, from IR: what is computed from what, in torchviz's colours.

Arguments are blue where they are differentiated and white where not, operations grey, results green. A loop or branch
is a box around its operations; a dashed line is what one pass of a loop hands to the next. A thick orange border is
round what is stored for the backward sweep, where that is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from ..ir.calls import CALL
from ..ir.custom import CUSTOM, custom_of
from ..ir.dims import Dim
from ..ir.nodes import Atom, Const, Function, Op, Param, Region, Value
from ..ir.types import Array, Tape
from .call import leaf_text

Path = tuple[object, ...]
Length = Callable[[Dim], str]
Where = Callable[[Op], str]

_TRIVIAL = {"shape_of", "dim", "constant"}
_SAVED = ", color=orange, penwidth=3"
_COLOURS = {
    "wrt": "lightblue",
    "argument": "white",
    "op": "lightgrey",
    "adjoint": "orange",
    "result": "darkolivegreen1",
}


@dataclass
class _Drawing:
    """Lines of DOT so far, and the node that each value comes from."""

    length: Length
    where: Where
    saved: Collection[Value] = ()
    lines: list[str] = field(default_factory=list)
    node: dict[Value, str] = field(default_factory=dict)
    edges: dict[tuple[str, str, str], None] = field(default_factory=dict)
    count: int = 0

    def add(
        self,
        label: str,
        kind: str,
        indent: str,
        shape: str = "box",
        values: Sequence[Value] = (),
        op: Op | None = None,
    ) -> str:
        """A node that stands for `values`, made by `op`; its name."""
        name = f"n{self.count}"
        self.count += 1
        place = self.where(op) if op is not None else ""
        more = f', class="{_quoted(place)}"' if place else ""
        more += _SAVED if any(value in self.saved for value in values) else ""
        self.lines.append(f'{indent}{name} [label="{_quoted(label)}", shape={shape}, fillcolor={_COLOURS[kind]}{more}]')
        return name

    def shape(self, atom: Atom) -> str:
        if isinstance(atom.type, Array):
            axes = [self.length(dim) for dim in atom.type.axes]
            return f"({', '.join(axes)}{',' if len(axes) == 1 else ''})"
        return str(atom.type)

    def edge(self, source: Atom, target: str, style: str = "") -> None:
        if isinstance(source, Value) and source in self.node and self.node[source] != target:
            self.edges[self.node[source], target, style] = None


def dot_text(
    function: Function,
    results: Sequence[int],
    names: Mapping[tuple[str, Path], str],
    length: Length,
    title: str = "",
    where: Where = lambda op: "",
    saved: Collection[Value] = (),
) -> str:
    """DOT source of the graph of some of a function's results.

    results : numbers of the results to draw
    names : what differentiated leaves are called, by parameter and path
    length : a symbolic length's text, its number where that is known
    where : the `class` of an operation's node, which SVG keeps; nothing where it is empty
    saved : values whose nodes get a thick border
    """
    drawing = _Drawing(length, where, saved)
    shown = _needed(function, results)
    for param in function.params:
        if param.value in shown:
            label = names.get((param.name, param.path))
            text = f"{label or _leaf(param)}\n{drawing.shape(param.value)}"
            drawing.node[param.value] = drawing.add(text, "wrt" if label else "argument", "  ")
    _region(drawing, function.body, shown, "  ")
    for number in results:
        atom = function.body.results[number]
        text = f"{_hint(atom) or 'result'}\n{drawing.shape(atom)}"
        drawing.edge(atom, drawing.add(text, "result", "  "))
    head = ['digraph "' + _quoted(title or function.name) + '" {', "  rankdir=TB"]
    head.append('  node [style=filled, fontname=monospace, fontsize=10, height=0.2, margin="0.1,0.05"]')
    edges = [f"  {a} -> {b}{f' [style={style}]' if style else ''}" for a, b, style in drawing.edges]
    return "\n".join([*head, *drawing.lines, *edges, "}"]) + "\n"


def _needed(function: Function, results: Sequence[int]) -> set[Value]:
    """Every value that the results are computed from."""
    found = {a for n in results if isinstance(a := function.body.results[n], Value)}
    _collect(function.body.ops, found)
    return found


def _collect(ops: Sequence[Op], found: set[Value]) -> None:
    for op in reversed(ops):
        if not found & set(op.outputs):
            continue
        found.update(a for a in op.inputs if isinstance(a, Value))
        for region in op.regions:
            found.update(a for a in region.results if isinstance(a, Value))
        for _ in op.regions:  # what one pass hands to the next may be needed through several values
            for region in op.regions:
                found.update(region.params)
                _collect(region.ops, found)


def _region(drawing: _Drawing, region: Region, shown: set[Value], indent: str) -> None:
    for op in region.ops:
        if not shown & set(op.outputs):
            continue
        if op.regions:
            _control(drawing, op, shown, indent)
            continue
        if op.prim.name in _TRIVIAL or not any(isinstance(a, Value) and a in drawing.node for a in op.inputs):
            continue  # lengths and constants
        node = drawing.add(_operation(op), "op" if op.role == "primal" else "adjoint", indent, "box", op.outputs, op)
        for atom in op.inputs:
            drawing.edge(atom, node)
        drawing.node.update(dict.fromkeys(op.outputs, node))


def _control(drawing: _Drawing, op: Op, shown: set[Value], indent: str) -> None:
    """A loop or a branch, as a box."""
    for half, region in enumerate(op.regions):
        if op.prim.name == "while" and half == 0:
            continue
        title = ("if", "else")[half] if op.prim.name == "if" else op.prim.name
        drawing.lines.append(f"{indent}subgraph cluster_{drawing.count} {{")
        drawing.lines.append(f'{indent}  label="{title}, line {op.origin.line}"; style=rounded; fontsize=9')
        drawing.count += 1
        if op.prim.name == "if":
            _region(drawing, region, shown, indent + "  ")
        else:
            _loop(drawing, op, region, shown, indent + "  ")
        drawing.lines.append(f"{indent}}}")
    if op.prim.name == "if":
        _join(drawing, op, indent)


def _loop(drawing: _Drawing, op: Op, body: Region, shown: set[Value], indent: str) -> None:
    first = 3 if op.prim.name == "for" else 0
    params = body.params[1:] if first else body.params
    for param, start in zip(params, op.inputs[first:]):
        if param in shown and isinstance(param.type, (Array, Tape)):
            drawing.node[param] = drawing.add(param.hint or "value", "op", indent, "ellipse", [param])
            drawing.edge(start, drawing.node[param])
    _region(drawing, body, shown, indent)
    for param, result, output in zip(params, body.results, op.outputs[: op.attrs["carried"]]):
        if param in drawing.node and isinstance(result, Value) and result in drawing.node:
            drawing.edge(result, drawing.node[param], "dashed")
            drawing.node[output] = drawing.node[result]
    for result, output in zip(body.results[op.attrs["carried"] :], op.outputs[op.attrs["carried"] :]):
        if isinstance(result, Value) and result in drawing.node:
            drawing.node[output] = drawing.node[result]


def _join(drawing: _Drawing, op: Op, indent: str) -> None:
    """One node for each value that either half of a branch gives."""
    for number, output in enumerate(op.outputs):
        sources = [region.results[number] for region in op.regions]
        if any(isinstance(a, Value) and a in drawing.node for a in sources):
            drawing.node[output] = drawing.add(output.hint or "either", "op", indent, "diamond", [output])
            for atom in (*sources, op.inputs[0]):
                drawing.edge(atom, drawing.node[output])


def _operation(op: Op) -> str:
    name = _name(op)
    hint = _hint(op.outputs[0])
    constants = [repr(a) for a in op.inputs if isinstance(a, Const)]
    text = f"{name}({', '.join(constants)})" if constants else name
    return f"{text}\n{hint}" if hint else text


def _name(op: Op) -> str:
    """What is done: for a call, what is called."""
    if op.prim is CALL:
        return str(op.attrs["procedure"].name)
    return custom_of(op).name if op.prim is CUSTOM else op.prim.name.removeprefix("np.")


def _hint(atom: Atom) -> str | None:
    """The user's name for a value; the compiler's own for a result without one says nothing."""
    return atom.hint if isinstance(atom, Value) and atom.hint != "value" else None


def _leaf(param: Param) -> str:
    return leaf_text(param.name, param.path)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
