"""The explorer's compiler: a fresh process for each state of the file, which imports it and then answers questions.

Started as `python -m srcgrad.cli.explorer.worker FILE`. It writes one line of JSON about the file, and then one for
each line of JSON that it reads, until its input ends. What the file prints goes to the terminal.
"""

from __future__ import annotations

import inspect
import json
import os
import sys
import traceback
import types
from pathlib import Path
from typing import Any, TextIO

from ...api import Gradient
from ...errors import CompileError, Fault, Origin
from ..errors import CommandError
from ..target import load_file
from .views import build, source_only


def main(name: str) -> None:
    """Answer questions about one file."""
    file = Path(name)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    module: types.ModuleType | None = None
    try:
        module = load_file(file)
        about: dict[str, Any] = {"functions": functions(module, file)}
    except Exception as error:
        about = {"functions": [], **failure(file, error)}
    about["files"] = files_beside(file)
    _answer(answers, about)
    offered = {each["name"] for each in about["functions"]}
    for line in sys.stdin:
        question = json.loads(line)
        try:
            assert module is not None
            if question["function"] not in offered:
                raise CommandError(f"{file.name} has no function `{question['function']}`")
            result = build(module, file, **question)
        except Exception as error:
            result = failure(file, error)
        _answer(answers, result)


def _answer(answers: TextIO, result: dict[str, Any]) -> None:
    answers.write(json.dumps(result) + "\n")
    answers.flush()


def functions(module: types.ModuleType, file: Path) -> list[dict[str, Any]]:
    """The functions that the file itself defines, in its order."""
    found = []
    for name, thing in vars(module).items():
        function = thing._python if isinstance(thing, Gradient) else thing
        if not isinstance(function, types.FunctionType) or not _same(function.__code__.co_filename, file):
            continue
        wrt = ", ".join(dict.fromkeys(n for n, _ in thing.wrt)) if isinstance(thing, Gradient) else ""
        signature = str(inspect.signature(function))
        found.append({"name": name, "line": function.__code__.co_firstlineno, "signature": signature, "wrt": wrt})
    return sorted(found, key=lambda each: (each["line"], each["name"]))


def files_beside(file: Path) -> list[str]:
    """The file, and the modules in its folder that it has imported: a change of any of them is a change."""
    folder = file.resolve().parent
    found = {str(file.resolve())}
    for module in list(sys.modules.values()):
        place = getattr(module, "__file__", None)
        if place and Path(place).resolve().is_relative_to(folder) and "site-packages" not in place:
            found.add(str(Path(place).resolve()))
    return sorted(found)


def failure(file: Path, error: Exception) -> dict[str, Any]:
    """What went wrong, at the user's line where it is one of the file's."""
    if isinstance(error, CompileError):
        return source_only(file, error.faults)
    if isinstance(error, CommandError) and isinstance(error.__cause__, Exception):
        error = error.__cause__
    if isinstance(error, CommandError):
        return {**source_only(file, ()), "message": str(error)}
    if isinstance(error, SyntaxError) and error.lineno and error.filename and _same(error.filename, file):
        column = max(0, (error.offset or 1) - 1)
        end = (error.end_offset or column + 2) - 1 if error.end_lineno == error.lineno else column + 1
        place = Origin(str(file), error.lineno, column, max(end, column + 1), (error.text or "").rstrip("\n"))
        return source_only(file, [Fault(place, f"{type(error).__name__}: {error.msg}")])
    text = f"{type(error).__name__}: {error}".rstrip(": ")
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if _same(frame.filename, file) and frame.lineno:
            column, end = frame.colno or 0, frame.end_colno or 10_000
            return source_only(file, [Fault(Origin(str(file), frame.lineno, column, end, frame.line or ""), text)])
    return {**source_only(file, ()), "message": text}


def _same(name: str, file: Path) -> bool:
    return Path(name).resolve() == file.resolve()


if __name__ == "__main__":
    main(sys.argv[1])
