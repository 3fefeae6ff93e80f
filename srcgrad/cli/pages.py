"""The commands that make pages: a report as a file, and the explorer, which is a page that follows a file."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .commands import _gradient
from .errors import CommandError


def report(options: argparse.Namespace) -> int:
    """Write a page about a function and its gradient."""
    gradient, values = _gradient(options)
    try:
        page = gradient.report(*values, measure=options.measure)
    except ImportError as error:
        raise CommandError(str(error)) from None
    try:
        page.save(options.output)
    except OSError as error:
        raise CommandError(f"{options.output} cannot be written: {error.strerror}") from None
    print(f"{options.output} written: open it in a browser", file=sys.stderr)
    return 0


def explore(options: argparse.Namespace) -> int:
    """Serve the explorer until Ctrl-C."""
    from .explorer import explore as serve  # a server is imported by this command alone

    name, colon, function = options.file.rpartition(":")
    if not colon or options.file.endswith(".py"):
        name, function = options.file, ""
    start = {"function": function, "wrt": options.wrt, "args": options.args}
    serve(Path(name), start, options.port, options.open)
    return 0
