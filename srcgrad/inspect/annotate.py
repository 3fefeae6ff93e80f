"""Generated text in which every line says which of the user's lines it stems from."""

from __future__ import annotations

import re
from collections.abc import Mapping

_PLACE = re.compile(r".*?:(\d+): (.*)")


def annotated(text: str, places: Mapping[int, str]) -> str:
    """`text` with a comment behind each line that is not the user's own.

    places : the user's place of a line, as `file:number: statement`, by the line's number in `text`
    """
    lines = text.splitlines()
    notes = {number: _note(lines[number - 1], place) for number, place in places.items()}
    width = max((len(lines[number - 1]) for number, note in notes.items() if note), default=0)
    return "".join(
        f"{line:<{width}}  # {notes[number]}\n" if notes.get(number) else f"{line}\n"
        for number, line in enumerate(lines, 1)
    )


def _note(line: str, place: str) -> str:
    found = _PLACE.fullmatch(place)
    if found is None or _code(found[2]) == _code(line):
        return ""
    return f"line {found[1]}: {found[2]}"


def _code(line: str) -> str:
    return re.sub(r"\s+", "", line.partition("#")[0])
