"""The `srcgrad` command: show, explain and export gradients, and look after the cache."""

from .main import main

__all__ = ["main"]
