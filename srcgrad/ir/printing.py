"""IR as text, for `SRCGRAD_DUMP` and for reading a failing stage."""

from __future__ import annotations

from collections.abc import Iterator

from .nodes import Atom, Const, Function, Op, Region, Undefined, Value


def to_text(function: Function) -> str:
    """The whole function, one op a line, values numbered in order of definition."""
    names: dict[Value, str] = {}
    params = ", ".join(f"{_define(names, p.value)}: {p.value.type}" for p in function.params)
    lines = [f"def {function.name}({params}):"]
    lines += _region(function.body, names, "    ", result="return")
    return "\n".join(lines)


def _define(names: dict[Value, str], value: Value) -> str:
    names[value] = f"%{value.hint or ''}.{len(names)}"
    return names[value]


def _read(names: dict[Value, str], atom: Atom) -> str:
    if isinstance(atom, Value):
        return names.get(atom, f"%undefined<{atom.hint}>")
    return repr(atom) if isinstance(atom, (Const, Undefined)) else str(atom)


def _region(region: Region, names: dict[Value, str], indent: str, result: str = "yield") -> Iterator[str]:
    for op in region.ops:
        yield from _op(op, names, indent)
    yield f"{indent}{result} " + ", ".join(_read(names, atom) for atom in region.results)


def _op(op: Op, names: dict[Value, str], indent: str) -> Iterator[str]:
    inputs = ", ".join(_read(names, atom) for atom in op.inputs)
    attrs = "".join(f" {key}={value!r}" for key, value in op.attrs.items())
    body = []
    for region in op.regions:
        params = ", ".join(f"{_define(names, p)}: {p.type}" for p in region.params)
        body.append(f"{indent}  ({params}):")
        body += _region(region, names, indent + "    ")
    outputs = ", ".join(f"{_define(names, value)}: {value.type}" for value in op.outputs)
    where = f"  # line {op.origin.line}" if op.origin.line else ""
    yield f"{indent}{outputs} = {op.prim.name}({inputs}){attrs}{where}"
    yield from body
