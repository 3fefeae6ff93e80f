"""`MODULE_OR_FILE:FUNCTION`, as typed, to the function."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

from ..api import Gradient
from .errors import CommandError


def find_target(text: str) -> types.FunctionType | Gradient[..., Any]:
    """The function, or the gradient that decorates it, behind `package.module:function` or `folder/file.py:function`.

    A method is `...:Class.method`. The module is imported with the current folder on the path, as `python -m` does.
    Raises CommandError.
    """
    place, colon, name = text.rpartition(":")
    if not colon or not place or not name:
        raise CommandError(f"{text!r} names no function: write MODULE:FUNCTION or FILE.py:FUNCTION")
    thing: Any = _module(place)
    for part in name.split("."):
        try:
            thing = getattr(thing, part)
        except AttributeError:
            raise CommandError(f"{place} has no `{name}`; {_offer(thing)}") from None
    if not isinstance(thing, (types.FunctionType, Gradient)):
        raise CommandError(f"`{name}` of {place} is a {type(thing).__name__}, not a Python function")
    return thing


def _module(place: str) -> types.ModuleType:
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    try:
        return load_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    except CommandError:
        raise
    except ImportError as error:
        raise CommandError(f"{place} cannot be imported: {error}") from error
    except Exception as error:
        raise CommandError(f"importing {place} raised {type(error).__name__}: {error}") from error


def load_file(file: Path) -> types.ModuleType:
    """Execute a file as a module. Raises CommandError where there is none, and what the file raises."""
    if not file.is_file():
        raise CommandError(f"there is no file {file}")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(file.stem, module)
    if str(file.parent) not in sys.path:
        sys.path.insert(0, str(file.parent))  # what lies beside the file can be imported from it
    spec.loader.exec_module(module)
    return module


def _offer(thing: Any) -> str:
    found = [n for n, v in vars(thing).items() if isinstance(v, (types.FunctionType, Gradient)) and n[0] != "_"]
    return f"it has {', '.join(sorted(found))}" if found else "it has no functions"
