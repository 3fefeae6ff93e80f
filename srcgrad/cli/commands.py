"""What the commands do that print source, explain, export, and look after the cache."""

from __future__ import annotations

import argparse
import datetime
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..api import Gradient, hessian, hvp, jacobian, jvp
from ..api.derivative import Derivative
from ..api.gradient import ValueAndGrad
from ..dispatch import DISK
from ..errors import SrcgradError
from ..inspect.explain import explain as explanation
from ..inspect.export import export_text
from ..inspect.stages import stage_text
from ..runtime.source import find_source
from .arguments import example_arguments
from .errors import CommandError, Failed
from .target import find_target, opened
from .terminal import show_beside, show_source

_TAKE: dict[str, Callable[..., Any]] = {
    "grad": Gradient, "value_and_grad": ValueAndGrad, "forward": Gradient, "backward": Gradient,
    "jvp": jvp, "hvp": hvp, "jacobian": jacobian, "hessian": hessian,
}  # fmt: skip
MODES = tuple(_TAKE)


def show(options: argparse.Namespace) -> int:
    """Print a derivative's source, or the IR after a stage."""
    derivative, values = _derivative(options)
    if options.stage:
        try:
            show_source(stage_text(*derivative.like(values), options.stage), options.color, options.plain, "text")
        except KeyError as error:
            raise CommandError(error.args[0]) from None
        return 0
    text = _source(derivative, values, options)
    if options.side_by_side:
        show_beside(textwrap.dedent(find_source(derivative._python).text), text, options.color, options.plain)
    else:
        show_source(text, options.color, options.plain)
    return 0


def _source(derivative: Derivative, values: list[Any], options: argparse.Namespace) -> str:
    if isinstance(derivative, Gradient) and options.mode in ("forward", "backward"):
        pair = derivative.pair_for(values).find(values)
        return derivative.shown(pair, options.annotate, int(options.mode == "backward"))
    dispatcher, values = derivative.like(values)
    return derivative.shown(dispatcher.find(values), options.annotate)


def explain(options: argparse.Namespace) -> int:
    """Print what the gradient stores, computes again, and finds zero."""
    derivative, values = _derivative(options)
    title = derivative.title
    dispatcher, values = derivative.like(values)
    print(_of_user(derivative, lambda: explanation(dispatcher, values, title)), end="")
    return 0


def export(options: argparse.Namespace) -> int:
    """Write the gradient as a module, or say whether the file is what would be written."""
    gradient, values = _gradient(options)
    text = export_text(gradient, values)
    if options.check:
        if options.output is None:
            raise CommandError("--check compares with a file: say which with -o FILE")
        file = Path(options.output)
        if file.is_file() and file.read_text(encoding="utf-8") == text:
            return 0
        print(f"srcgrad: {file} is not up to date; write it anew without --check", file=sys.stderr)
        return 1
    if options.output is None:
        show_source(text)
        return 0
    try:
        Path(options.output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{options.output} cannot be written: {error.strerror}") from None
    return 0


def cache(options: argparse.Namespace) -> int:
    """The folder's path, its entries, one entry, or an empty folder."""
    if options.action == "path":
        print(DISK.folder)
    elif options.action == "list":
        for key, entry in DISK.entries():
            when = datetime.datetime.fromtimestamp(DISK.path_of(key).stat().st_mtime)
            function, signature = entry.meta.get("function", "?"), entry.meta.get("signature", "")
            print(f"{key[:12]}  {when:%Y-%m-%d %H:%M}  {'/'.join(entry.meta['names'])}  {function}({signature})")
    elif options.action == "clear":
        print(f"{DISK.clear()} entries deleted from {DISK.folder}")
    else:
        found = [(key, entry) for key, entry in DISK.entries() if options.key and key.startswith(options.key)]
        if len(found) != 1:
            raise CommandError(f"{len(found)} entries start with {options.key!r}; `srcgrad cache list` lists them")
        show_source(found[0][1].text)
    return 0


def _gradient(options: argparse.Namespace) -> tuple[Gradient[..., Any], list[Any]]:
    return gradient_of(find_target(options.target), options.wrt, options.args)


def _derivative(options: argparse.Namespace) -> tuple[Derivative, list[Any]]:
    return derivative_of(find_target(options.target), options.wrt, options.args, getattr(options, "mode", "grad"))


def gradient_of(
    target: Any, wrt: str | None, args: str | None, seed: int = 0, python: bool = True
) -> tuple[Gradient[..., Any], list[Any]]:
    """The gradient of a function with respect to what is named, and arguments for it; as `derivative_of`."""
    made, values = derivative_of(target, wrt, args, seed=seed, python=python)
    if not isinstance(made, Gradient):
        raise CommandError(f"{made!r} is a derivative of another kind; name the function that it is of")
    return made, values


def derivative_of(
    target: Any, wrt: str | None, args: str | None, mode: str = "grad", seed: int = 0, python: bool = True
) -> tuple[Derivative, list[Any]]:
    """A function's derivative of some kind with respect to what is named, and arguments for it. Raises CommandError.

    wrt : names between commas; None for what a decorator names, else the first argument
    args : as `runtime.examples` reads it; seed : of the random numbers in them
    python : whether Python in `args` is run
    """
    thing, first = opened(target)
    function = thing._python if isinstance(thing, Derivative) else thing
    bound = function.__get__(first[0]) if first else function
    values = [*first, *example_arguments(bound, args, seed, python)]
    names: Any = tuple(name.strip() for name in wrt.split(",")) if wrt else None
    if isinstance(thing, Derivative):
        if names is None and (mode in ("grad", "forward", "backward") or not isinstance(thing, Gradient)):
            return thing, values
        if names is None and isinstance(thing, Gradient) and mode != "jvp":
            names = tuple(name for name, _ in thing.wrt)
    try:
        return _TAKE[mode](function, wrt=names[0] if names and len(names) == 1 else names), values
    except ValueError as error:
        raise CommandError(f"--wrt: {error}") from None


def _of_user(derivative: Derivative, run: Callable[[], Any]) -> Any:
    """Run something that runs the user's function; what that raises is its own, and no traceback of ours helps."""
    try:
        return run()
    except SrcgradError:
        raise
    except Exception as error:
        notes = "".join(f"\n{note}" for note in getattr(error, "__notes__", ()))
        raise Failed(f"`{derivative.__name__}` raised {type(error).__name__}: {error}{notes}") from error
