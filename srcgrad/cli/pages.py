"""The commands that make pages: a report as a file, and the explorer, which is a page that follows a file."""

from __future__ import annotations

import argparse
import sys

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
