"""The two sides as HTML: lines that can be focused, each knowing the lines of the other side that belong to it.

An identity is `u0-12` for the user's line 12 in block 0, `g0-5` for line 5 of generated text 0. Only generated lines
say what they belong to (`data-to`); the page's script turns that around.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping, Sequence
from functools import partial
from html import escape

from ...errors import Fault, Origin
from ...ir.nodes import Op, Value
from ...ir.types import Tape
from ..explanation import Explanation
from .highlight import highlighted
from .measure import Measured, amount
from .places import Block, Generated, Sources, relations

_COLOURS = 8
_FAULT_WIDTH = 72


def generated_pane(
    generated: Generated,
    number: int,
    known: Sources,
    kept: Mapping[Value, str],
    measured: Measured | None = None,
) -> str:
    """One generated text as a list of lines; `kept` says of the values stored for the backward sweep what they are."""
    names = generated.emitted.names
    tapes = {names[v]: said for v, said in kept.items() if isinstance(v.type, Tape) and v in names}
    marks = {n: _stored(generated.ops(n), names, kept) for n in range(1, len(generated.lines) + 1)}

    def mark(line: int, column: int, name: str, kind: str) -> str:
        if not kind.startswith("n"):
            return ""
        made, read = marks.get(line, ({}, {}))
        if name in tapes and generated.lines[line - 1].startswith(".append(", column + len(name)):
            return tapes[name]
        equals = re.search(r"(?<![=<>!])=(?!=)", generated.lines[line - 1])
        left = equals is not None and column < equals.start()
        return made.get(name) or read.get(name, "") if left else read.get(name) or made.get(name, "")

    belongs = relations(generated, known)
    items = []
    for n, html in enumerate(highlighted(generated.emitted.text, mark), 1):
        to, sweep = belongs.get(n, []), generated.sweep(n)
        label = f"{sweep}, from {_lines_text(to, known)}" if to else sweep
        code = _code(html, generated.lines[n - 1], _shapes(measured, n))
        items.append(
            f'<li id="g{number}-{n}" class="line {sweep}" role="option" aria-selected="false" tabindex="-1" '
            f'data-to="{" ".join(to)}">{_gutter(n, to, known)}{_time(measured, n)}{code}'
            f'<span class="to" title="{escape(label)}">{_numbers(to, known)}</span></li>'
        )
    return _list(items, f"generated lines of {generated.emitted.name}")


def plain_pane(lines: Sequence[str], to: Sequence[Sequence[str]], known: Sources) -> str:
    """Text that is no Python, and the lines of the user's that each of its lines belongs to."""
    items = [
        f'<li id="g0-{n}" class="line" role="option" aria-selected="false" tabindex="-1" data-to="{" ".join(ids)}">'
        f"{_gutter(n, ids, known)}<code>{escape(line) or ' '}</code></li>"
        for n, (line, ids) in enumerate(zip(lines, to), 1)
    ]
    return _list(items, "lines")


def user_panes(
    known: Sources,
    explanation: Explanation | None,
    measured: Mapping[str, tuple[float, float]],
    faults: Sequence[Fault] = (),
) -> str:
    """The user's functions, one list of lines for each block.

    measured : seconds forward and backward, by line; faults : shown below the lines they are about
    """
    wrong: dict[str, str] = {}
    for number, fault in enumerate(faults):
        identity = known.identity(fault.origin)
        wrong[identity] = wrong.get(identity, "") + _fault(number, fault)
    parts = []
    for number, block in enumerate(known.blocks):
        mark = partial(_kept, explanation, block) if explanation is not None else None
        items = []
        for line, (text, html) in enumerate(zip(block.lines, highlighted(block.text, mark)), block.first):
            identity = f"u{number}-{line}"
            items += [_user_line(identity, html, text, known, measured), wrong.get(identity, "")]
        parts.append(
            f'<h3><code>{escape(block.title)}</code> <span class="file">{escape(block.file)}:{block.first}</span></h3>'
            + _list(items, f"lines of {block.title}")
        )
    return "\n".join(parts)


def reference(origin: Origin, known: Sources) -> str:
    """A link to a line of the user's, where the page shows it."""
    identity = known.identity(origin)
    if not identity:
        return escape(f"{origin.file}:{origin.line}")
    number = _numbers([identity], known)
    return f'<a class="ref" href="#{identity}">{"line " if number.isdigit() else ""}{number}</a>'


def _user_line(
    identity: str,
    html: str,
    text: str,
    known: Sources,
    measured: Mapping[str, tuple[float, float]],
) -> str:
    number = identity.partition("-")[2]
    mapped = [identity] if identity in known.colours else []
    forward, backward = (amount(each) if each else "" for each in measured.get(identity, (0.0, 0.0)))
    times = (
        f'<span class="times"><span class="time" title="forward">{forward}</span>'
        f'<span class="time back" title="backward">{backward}</span></span>'
        if measured
        else ""
    )
    return (
        f'<li id="{identity}" class="line{"" if mapped else " unmapped"}" role="option" aria-selected="false" '
        f'tabindex="-1">{_gutter(number, mapped, known)}{times}{_code(html, text)}</li>'
    )


def _fault(number: int, fault: Fault) -> str:
    """The error below its line: the carets, what is wrong, what to do instead."""
    origin = fault.origin
    width = max(1, min(origin.end_column, len(origin.text) or origin.column + 1) - origin.column)
    caret = " " * origin.column + "^" * width
    indent = " " * (len(origin.text) - len(origin.text.lstrip()))
    said = [each for line in (fault.message, fault.way_out) for each in textwrap.wrap(line, _FAULT_WIDTH)]
    text = escape("\n".join([caret, *(indent + each for each in said)]))
    return (
        f'<li id="e{number}" class="line fault" role="option" aria-selected="false" tabindex="-1">'
        f'<span class="number"></span><span class="bars"></span><code>{text}</code></li>'
    )


def _code(html: str, text: str, behind: str = "") -> str:
    """A line of code; what does not fit goes on below it, four columns further in than the line begins."""
    indent = len(text) - len(text.lstrip())
    style = f' style="--in:{indent}"' if indent else ""
    return f"<code{style}>{html or ' '}{behind}</code>"


def _list(items: Sequence[str], label: str) -> str:
    return f'<ol class="lines" role="listbox" aria-label="{escape(label)}">{"".join(items)}</ol>'


def _gutter(number: int | str, to: Sequence[str], known: Sources) -> str:
    colours = [known.colours[each] % _COLOURS for each in to if each in known.colours]
    bars = "".join(f'<i class="hue{colour}"></i>' for colour in colours[:4])
    return f'<span class="number" aria-hidden="true">{number}</span><span class="bars" aria-hidden="true">{bars}</span>'


def _numbers(to: Sequence[str], known: Sources) -> str:
    """The user's line numbers, with the function's name where it is not the main one."""
    texts = []
    for each in to:
        block, _, line = each[1:].partition("-")
        texts.append(line if block == "0" else f"{known.blocks[int(block)].title}:{line}")
    return escape(" ".join(texts))


def _lines_text(to: Sequence[str], known: Sources) -> str:
    return ("line " if len(to) == 1 else "lines ") + ", ".join(_numbers([each], known) for each in to)


def _time(measured: Measured | None, line: int) -> str:
    if measured is None:
        return ""
    found = measured.lines.get(line)
    if found is None:
        return '<span class="time"></span>'
    passes = f"{found.passes} passes, " if found.passes > 1 else ""
    share = found.seconds / measured.total if measured.total else 0.0
    title = f"{passes}{share:.0%} of the run"
    return f'<span class="time heat{min(4, int(share * 10))}" title="{title}">{amount(found.seconds)}</span>'


def _shapes(measured: Measured | None, line: int) -> str:
    """What the line was seen to assign; types alone where it assigns one name."""
    found = measured.lines.get(line) if measured is not None else None
    if found is None or not found.shapes:
        return ""
    kinds = {name: " or ".join(each) for name, each in found.shapes.items()}
    text = ", ".join(kinds.values() if len(kinds) == 1 else (f"{name} {kind}" for name, kind in kinds.items()))
    return f'<span class="shape">{escape(text)}</span>'


def _stored(
    ops: Sequence[Op], names: Mapping[Value, str], kept: Mapping[Value, str]
) -> tuple[dict[str, str], dict[str, str]]:
    """The names of stored values that a line makes and that it reads, each with what is said of it."""
    made = {names[v]: kept[v] for op in ops for v in op.outputs if v in kept and v in names}
    read = {names[v]: kept[v] for op in ops for v in op.inputs if isinstance(v, Value) and v in kept and v in names}
    return made, read


def _kept(explanation: Explanation, block: Block, line: int, column: int, token: str, kind: str) -> str:
    """What is said of a piece of the user's text that makes a stored value."""
    number, start = block.first + line - 1, column + block.indent
    said = [
        each.summary
        for each in explanation.stored
        if block.holds(each.where) and each.where.line == number
        if each.where.column <= start and start + len(token) <= each.where.end_column
    ]
    return f"stored for the backward sweep: {'; '.join(said)}" if said and not kind.startswith("c") else ""
