"""Generated text in which every line says which of the user's lines it stems from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

_PLACE = re.compile(r"(.*?):(\d+): (.*)")


def annotated(text: str, places: Mapping[int, str], file: str) -> str:
    """`text` with a comment behind each line that is not the user's own.

    places : the user's places of a line, one a line as `file:number: statement`, by the line's number in `text`
    file : the function's own, which is not named
    """
    lines = text.splitlines()
    notes = {number: _note(lines[number - 1], found.splitlines(), file) for number, found in places.items()}
    width = max((len(lines[number - 1]) for number, note in notes.items() if note), default=0)
    return "".join(
        f"{line:<{width}}  # {notes[number]}\n" if notes.get(number) else f"{line}\n"
        for number, line in enumerate(lines, 1)
    )


def _note(line: str, places: Sequence[str], file: str) -> str:
    found = [match.groups() for match in map(_PLACE.fullmatch, places) if match]
    if any(_code(statement) == _code(line) for _, _, statement in found):
        return ""
    if len(found) == 1:
        statement = re.sub(r"\s+#[^'\"]*$", "", found[0][2])  # what can only be a comment
        return f"{_numbers(found, file)}: {statement}"
    return _numbers(found, file)


def _numbers(found: Sequence[Sequence[str]], file: str) -> str:
    """`line 12`, `lines 12, 14`, `helpers.py:3, lines 12, 14`."""
    own = sorted({int(number) for name, number, _ in found if name == file})
    others = sorted({(name, int(number)) for name, number, _ in found if name != file})
    parts = [f"{name}:{number}" for name, number in others]
    if own:
        parts.append(f"line{'s' if len(own) > 1 else ''} {', '.join(map(str, own))}")
    return ", ".join(parts)


def _code(line: str) -> str:
    return re.sub(r"\s+", "", line.partition("#")[0])
