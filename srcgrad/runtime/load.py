"""Generated text becomes functions that tracebacks, debuggers, profilers and `inspect` can show.

The text lies in a file of the cache folder, so that a debugger can set a breakpoint in it and coverage can report it.
Where no file can be written, it has a name in angle brackets, and `linecache` alone knows its lines.
"""

from __future__ import annotations

import hashlib
import io
import linecache
import re
from collections.abc import Mapping
from contextlib import suppress
from types import TracebackType
from typing import Any

from .cache import DISK

_NOTE = "srcgrad: "


def load(text: str, name: str, namespace: dict[str, Any] | None = None) -> dict[str, Any]:
    """Execute `text` in a fresh namespace that starts as a copy of `namespace`, and return it.

    name : what the text defines, as in `loss_grad`; shown in tracebacks
    namespace : names that the text finds defined; a `__name__` in it becomes the functions' module
    Raises what compiling or executing `text` raises. Threads may load at once, the same text or others.
    """
    file = file_of(text, name)
    # dont_inherit: the `from __future__` import above is this file's, not the text's
    code = compile(text, file, "exec", dont_inherit=True)
    _remember(file, text)
    loaded = {"__name__": f"srcgrad.generated.{_plain(name)}", **(namespace or {})}
    exec(code, loaded)
    return loaded


def file_of(text: str, name: str) -> str:
    """The file that `load(text, name)` compiles under, written if need be; the same in every process.

    In angle brackets, so that nobody looks for it, where no file can be kept.
    """
    file = DISK.source_file(_plain(name), text)
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]
    return str(file) if file is not None else f"<srcgrad {_plain(name)}-{digest}>"


def explain_failure(error: BaseException, lines: Mapping[int, str], file: str) -> None:
    """Add a note to `error` that names the user's line behind the generated line that failed; only one.

    lines : generated line number -> "model.py:12: source text", for each line of a long statement; several of the
        user's lines that went into one are separated by newlines
    file : the generated file that `lines` describes, as `file_of` names it
    Adds nothing where no generated line failed or `lines` does not know it: better no note than a wrong one.
    """
    place = _failing_place(error.__traceback__, file)
    # an exception that forbids new attributes (a frozen dataclass) must still reach the user as it is
    with suppress(Exception):
        if place is not None and place[1] in lines and not _explained(error):
            error.add_note(_note(*place, lines[place[1]]))


def _failing_place(trace: TracebackType | None, file: str) -> tuple[str, int] | None:
    """File and line of the innermost frame of a file."""
    place = None
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if name == file:
            place = name, trace.tb_lineno
        trace = trace.tb_next
    return place


def _note(file: str, line: int, origin: str) -> str:
    # quoted, since before 3.13 the interpreter's own traceback shows no lines of files that are not on disk
    source = linecache.getline(file, line).strip()
    return f"{_NOTE}generated line {line}, `{source}`, comes from {' and '.join(origin.splitlines())}"


def _explained(error: BaseException) -> bool:
    # the first note came from nearest to the failure; callers further out would only be vaguer
    return any(note.startswith(_NOTE) for note in getattr(error, "__notes__", ()))


def _plain(name: str) -> str:
    """`name` fit to stand within angle brackets and dotted names: `<lambda>` becomes `lambda`."""
    return re.sub(r"[^\w.]+", "_", name).strip("_") or "text"


def _remember(file: str, text: str) -> None:
    """Give `linecache` the text for as long as the process lives, `checkcache` notwithstanding."""
    # StringIO ends lines where Python's tokenizer does; splitlines would also break at \f and U+2028
    lines = io.StringIO(text, newline=None).readlines()
    # a modification time of None tells checkcache that there is no file to compare with
    linecache.cache[file] = (len(text), None, lines, file)
