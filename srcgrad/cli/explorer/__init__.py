"""The live explorer: a file's functions, the gradient beside each, built anew whenever the file is saved.

`server` answers the browser on loopback, `watch` sees that the file has changed, `worker` is a process of its own that
imports the file and compiles. Each save starts a fresh worker, so that nothing of the old file is left over.
"""

from .server import explore

__all__ = ["explore"]
