"""What the commands do."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path
from typing import Any

from ..api import Gradient
from ..dispatch import DISK
from ..inspect.export import export_text
from ..inspect.stages import stage_text
from ..runtime.source import find_source
from .arguments import example_arguments
from .errors import CommandError
from .target import find_target
from .terminal import show_source, side_by_side

MODES = ("grad", "value_and_grad", "forward", "backward")


def show(options: argparse.Namespace) -> int:
    """Print the gradient's source, or the IR after a stage."""
    gradient, values = _gradient(options)
    if options.stage:
        try:
            print(stage_text(gradient._grad, values, options.stage))
        except KeyError as error:
            raise CommandError(error.args[0]) from None
        return 0
    text = _source(gradient, values, options)
    if options.side_by_side:
        text = side_by_side(textwrap.dedent(find_source(gradient._python).text), text)
    show_source(text, options.plain)
    return 0


def _source(gradient: Gradient[..., Any], values: list[Any], options: argparse.Namespace) -> str:
    if options.mode == "grad":
        return gradient.source_for(*values, annotate=options.annotate)
    if options.annotate:
        raise CommandError("--annotate goes with --mode grad")
    if options.mode == "value_and_grad":
        gradient.value_and_grad(*values)
        return gradient.source
    gradient.forward(*values)
    return gradient.forward_source if options.mode == "forward" else gradient.backward_source


def explain(options: argparse.Namespace) -> int:
    """Print what the gradient stores, computes again, and finds zero."""
    gradient, values = _gradient(options)
    print(gradient.explain(*values), end="")
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
        show_source(text, plain=not sys.stdout.isatty())
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
            functions = [line[4:].partition("(")[0] for line in entry.text.splitlines() if line.startswith("def ")]
            print(key, *functions)
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


def gradient_of(
    target: Any, wrt: str | None, args: str | None, python: bool = True
) -> tuple[Gradient[..., Any], list[Any]]:
    """The gradient of a function with respect to what is named, and arguments for it. Raises CommandError.

    python : whether Python in `args` is run
    """
    if isinstance(target, Gradient) and not wrt:
        return target, example_arguments(target._python, args, python=python)
    function = target._python if isinstance(target, Gradient) else target
    names = tuple(name.strip() for name in wrt.split(",")) if wrt else None
    try:
        gradient: Gradient[..., Any] = Gradient(function, wrt=names[0] if names and len(names) == 1 else names)
    except ValueError as error:
        raise CommandError(f"--wrt: {error}") from None
    return gradient, example_arguments(function, args, python=python)
