"""`MODULE_OR_FILE:FUNCTION`, as typed, to the function."""

from __future__ import annotations

import contextlib
import difflib
import importlib
import importlib.util
import sys
import traceback
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ..api.bound import Bound
from ..api.derivative import Derivative
from ..runtime.source import short_name
from .errors import CommandError

Target = types.FunctionType | types.MethodType | Derivative | Bound


def find_target(text: str) -> Target:
    """What stands behind `package.module:function` or `folder/file.py:function`: a function, method or derivative.

    A method is `...:Class.method`, or `...:object.method` of an object that the module has made. The module is imported
    with the current folder on the path, as `python -m` does; what it prints goes to stderr. Raises CommandError.
    """
    place, name = _split(text)
    thing: Any = _module(place)
    for part in name.split("."):
        try:
            thing = getattr(thing, part)
        except AttributeError:
            raise CommandError(f"{place} has no `{name}`; {_offer(thing, part)}") from None
    if not isinstance(thing, (types.FunctionType, types.MethodType, Derivative, Bound)):
        call = vars(type(thing)).get("__call__")
        if isinstance(thing, type) or not isinstance(call, types.FunctionType):
            raise CommandError(f"`{name}` of {place} is a {type(thing).__name__}, not a Python function")
        return types.MethodType(call, thing)
    if isinstance(thing, types.MethodType) and not isinstance(thing.__func__, types.FunctionType):
        raise CommandError(f"`{name}` of {place} is no method that was written in Python")
    return thing


def opened(target: Target) -> tuple[types.FunctionType | Derivative, list[Any]]:
    """The function or derivative itself, and the object that a method is called on."""
    if isinstance(target, (types.MethodType, Bound)):
        function: Any = target.__func__
        return function, [target.__self__]
    return target, []


def load_file(file: Path) -> types.ModuleType:
    """Execute a file as a module. Raises CommandError where there is none, and what the file raises."""
    if not file.is_file():
        raise CommandError(f"there is no file {file}")
    folder, names = file.absolute().parent, [file.stem]
    while (folder / "__init__.py").is_file():  # a module of a package, which may import from beside it
        folder, names = folder.parent, [folder.name, *names]
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))  # what lies beside the file can be imported from it
    if len(names) > 1:
        return importlib.import_module(".".join(names).removesuffix(".__init__"))
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules.setdefault(file.stem, module)
    spec.loader.exec_module(module)
    return module


def _split(text: str) -> tuple[str, str]:
    """The module or file, and the name in it."""
    place, colon, name = text.rpartition(":")
    if colon and place and name:
        return place, name
    place = text.rstrip(":")
    if place.endswith(".py") and Path(place).is_file():
        raise CommandError(f"{text!r} names no function: write {place}:FUNCTION; {_offer(_module(place))}")
    guess = ":".join(text.rpartition(".")[::2]) if "." in text.strip(".") and not place.endswith(".py") else ""
    hint = f", as in {guess}" if guess else ""
    raise CommandError(f"{text!r} names no function: write MODULE:FUNCTION or FILE.py:FUNCTION{hint}")


def _module(place: str) -> types.ModuleType:
    if "" not in sys.path and str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    if not place.endswith(".py") and Path(f"{place}.py").is_file() and not place.replace(".", "").isidentifier():
        raise CommandError(f"{place!r} is no module: write {place}.py for the file")
    try:
        with _as_a_script(place):
            return load_file(Path(place)) if place.endswith(".py") else importlib.import_module(place)
    except CommandError:
        raise
    except SyntaxError as error:
        raise CommandError(f"{error.filename}:{error.lineno}: {error.msg}\n    {(error.text or '').strip()}") from error
    except ImportError as error:
        raise CommandError(f"{place} cannot be imported: {error}") from error
    except SystemExit as error:
        way_out = "put what is to run into `if __name__ == '__main__':`"
        raise CommandError(f"importing {place} ended the program: {way_out}") from error
    except Exception as error:
        last = traceback.extract_tb(error.__traceback__)[-1]
        where = f"{short_name(last.filename)}:{last.lineno}"
        raise CommandError(f"importing {place} raised {type(error).__name__}: {error}, at {where}") from error


@contextlib.contextmanager
def _as_a_script(place: str) -> Iterator[None]:
    """The module sees no arguments of ours, and what it prints is kept apart from our answer."""
    arguments = sys.argv
    sys.argv = [place]
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        sys.argv = arguments


def _offer(thing: Any, wanted: str = "") -> str:
    known = vars(thing) if hasattr(thing, "__dict__") else {}
    found = sorted(name for name, each in known.items() if name[0] != "_" and _is_users(each))
    close = difflib.get_close_matches(wanted, found, 1, 0.6)
    if close:
        return f"did you mean `{close[0]}`?"
    return f"it has {', '.join(found)}" if found else "it has no functions"


def _is_users(thing: Any) -> bool:
    own = not (getattr(thing, "__module__", None) or "").startswith("srcgrad.")
    return own and isinstance(thing, (types.FunctionType, Derivative))
