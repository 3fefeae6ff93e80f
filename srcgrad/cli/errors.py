"""What goes wrong on the command line, as one sentence for the person who typed it."""

from __future__ import annotations


class CommandError(Exception):
    """Bad input to a command: printed without a traceback, exit status 2."""
