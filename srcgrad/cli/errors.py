"""What goes wrong on the command line, as one sentence for the person who typed it."""

from __future__ import annotations


class CommandError(Exception):
    """Bad input to a command: printed without a traceback, exit status 2."""


class Failed(Exception):
    """The answer is no, or the user's function failed: printed without a traceback, exit status 1."""
