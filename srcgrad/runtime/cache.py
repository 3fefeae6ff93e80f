"""The disk cache of generated source: one readable, self-checking `.py` file per entry.

A file is three comment lines and then the source itself, so that a person can open, run and diff it:

    # srcgrad cache 1, checked when read, safe to delete
    # sha256 5f0c...
    # meta {"wrt": ["w"]}
    def loss_grad(w, x):
        ...

The hash covers the key, the meta line and the source. It finds corruption and files of another key; it does
not stop an attacker who can write to the folder. That is what the checks of owner and mode are for.

In `sources` lie the texts alone, as `loss_grad-5f0c....py`: what debuggers, profilers and coverage open. They are
written and shown, never executed: code is compiled from the text in memory.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import stat
import threading
import warnings
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

FORMAT = b"# srcgrad cache 1, checked when read, safe to delete"
MAX_BYTES = 16 << 20  # far beyond any generated source: a stray huge file is not worth reading

_KEY = re.compile(r"[0-9a-f]{16,64}")
_LEFTOVER = re.compile(r"\.[0-9a-f]{16,64}-.*\.tmp")
_SOURCES = "sources"
_SOURCE = re.compile(r"[\w.]+-[0-9a-f]{12}\.py|\.[\w.]+-[0-9a-f]{12}-.*\.tmp")  # or what a killed writer has left
# O_NONBLOCK: opening a FIFO that lies in the entry's place must not hang. Each flag is missing somewhere.
_READ = os.O_RDONLY | sum(getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_BINARY"))


class CacheWarning(UserWarning):
    """The cache folder cannot be trusted, so nothing is read from it or written to it."""


@dataclass(frozen=True)
class Entry:
    """One generated source text, and what else must be known about it as plain JSON."""

    text: str
    meta: dict[str, Any] = field(default_factory=dict)


class DiskCache:
    """Generated source by key, on disk; any doubt about a file or the folder counts as a miss.

    folder : where to keep it; else SRCGRAD_CACHE_DIR, else the user's cache folder
    SRCGRAD_CACHE=0 turns `get`, `put` and `entries` off. Threads and processes may share a folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._given = folder

    @cached_property
    def folder(self) -> Path:
        """Where the entries lie, settled at first use; relative only where no home folder is known."""
        folder = _default_folder() if self._given is None else Path(self._given)
        with suppress(RuntimeError):  # no home folder: the path keeps its "~", and `_enabled` says no
            folder = folder.expanduser().absolute()
        return folder

    def path_of(self, key: str) -> Path:
        """The file of `key`, there or not; ValueError unless `key` is 16 to 64 lower-case hex digits."""
        if not _KEY.fullmatch(key):
            raise ValueError(f"a cache key is 16 to 64 lower-case hex digits, not {key!r}")
        return self.folder / f"{key}.py"

    def get(self, key: str) -> Entry | None:
        """Exactly what was put under `key`, or None."""
        path = self.path_of(key)
        blob = _read(path) if self._enabled() and self._trusted() else None
        return None if blob is None else _decode(key, blob)

    def put(self, key: str, entry: Entry) -> bool:
        """Store `entry`, whole or not at all; False where the settings, the folder or the disk forbid it.

        Raises TypeError or ValueError where `entry.meta` is not plain JSON with text keys.
        """
        path, blob = self.path_of(key), _encode(key, entry)
        if blob is None or not self._enabled():
            return False
        with suppress(OSError):
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
        return self._trusted() and _write(path, blob)

    def source_file(self, name: str, text: str) -> Path | None:
        """The path of a file that holds `text`, written if need be; None where settings, folder or disk forbid it.

        name : what the text defines, as in `loss_grad`; letters, digits, underscores and dots
        """
        try:
            blob = text.encode()
            path = self.folder / _SOURCES / f"{name[:100]}-{hashlib.sha256(blob).hexdigest()[:12]}.py"
            if not self._enabled() or not _SOURCE.fullmatch(path.name):
                return None
            os.makedirs(self.folder, mode=0o700, exist_ok=True)
            if not self._trusted():
                return None
            os.makedirs(path.parent, mode=0o700, exist_ok=True)
        except (UnicodeEncodeError, OSError):
            return None
        return path if _read(path) == blob or _write(path, blob) else None

    def remove(self, key: str) -> bool:
        """Delete the file of `key`; whether there was one. Works with SRCGRAD_CACHE=0, too."""
        path = self.path_of(key)
        return self._trusted() and _unlink(path)

    def clear(self) -> int:
        """Delete all entries, sound or not, their texts, and what killed writers left; the number of entries deleted.

        Files of other names stay. Works with SRCGRAD_CACHE=0, too.
        """
        for name in self._names():
            if _LEFTOVER.fullmatch(name):
                _unlink(self.folder / name)
        with suppress(OSError):
            for name in os.listdir(self.folder / _SOURCES) if self._trusted() else ():
                if _SOURCE.fullmatch(name):
                    _unlink(self.folder / _SOURCES / name)
            os.rmdir(self.folder / _SOURCES)
        return sum(self.remove(key) for key in self._keys())

    def entries(self) -> Iterator[tuple[str, Entry]]:
        """Every sound entry with its key, ordered by key."""
        for key in self._keys():
            entry = self.get(key)
            if entry is not None:
                yield key, entry

    def _keys(self) -> list[str]:
        keys = (name.removesuffix(".py") for name in self._names() if name.endswith(".py"))
        return [key for key in keys if _KEY.fullmatch(key)]

    def _names(self) -> list[str]:
        try:
            return sorted(os.listdir(self.folder)) if self._trusted() else []
        except OSError:
            return []

    def _enabled(self) -> bool:
        """Not turned off, and not in a relative folder, which would litter wherever a program is started."""
        wish = os.environ.get("SRCGRAD_CACHE", "").strip().lower()
        return wish not in ("0", "off", "false", "no") and self.folder.is_absolute()

    def _trusted(self) -> bool:
        """Whether the folder is there and only we can write to it; warns once where others can.

        Asked at every access: a folder can be replaced or opened up beneath a long-lived process.
        """
        try:
            danger = _danger(self.folder, os.lstat(self.folder))
        except OSError:  # not there (yet)
            return False
        if danger is not None:
            _warn_once(self.folder, danger)
        return danger is None


DISK = DiskCache()  # the one that the process uses


def _default_folder() -> Path:
    chosen = os.environ.get("SRCGRAD_CACHE_DIR")
    if chosen:
        return Path(chosen)
    from platformdirs import user_cache_path  # 10 ms of import that only this needs

    return user_cache_path("srcgrad", appauthor=False)


# --- who may write there ------------------------------------------------------------------------------------


def _danger(folder: Path, info: os.stat_result) -> str | None:
    """Why code should not be loaded from `folder`, with the way out, or None."""
    if stat.S_ISLNK(info.st_mode):
        return f"is a symbolic link; set SRCGRAD_CACHE_DIR to {os.path.realpath(folder)}"
    if not stat.S_ISDIR(info.st_mode):
        return "is not a folder; move it away"
    if not _ours(info):
        return f"belongs to another user (uid {info.st_uid}); set SRCGRAD_CACHE_DIR to a folder of your own"
    if _open_to_others(info):
        return f"can be written to by others; run: chmod go-w {shlex.quote(str(folder))}"
    return None


def _ours(info: os.stat_result) -> bool:
    return not hasattr(os, "geteuid") or info.st_uid == os.geteuid()


def _open_to_others(info: os.stat_result) -> bool:
    # Windows has no such bits: Python makes them up there from the read-only flag
    return hasattr(os, "geteuid") and bool(info.st_mode & (stat.S_IWGRP | stat.S_IWOTH))


_warned: set[Path] = set()
_warning = threading.Lock()


def _warn_once(folder: Path, danger: str) -> None:
    with _warning:
        if folder in _warned:
            return
        _warned.add(folder)
    message = f"srcgrad keeps no cache on disk: {folder} {danger}, or silence this with SRCGRAD_CACHE=0"
    warnings.warn(message, CacheWarning, stacklevel=4)


# --- an entry as bytes --------------------------------------------------------------------------------------


def _encode(key: str, entry: Entry) -> bytes | None:
    """The file's content; None for what no file could give back (lone surrogates, sheer size)."""
    meta = json.dumps(entry.meta, allow_nan=False)
    if json.loads(meta) != entry.meta:  # a tuple, or an int as a key: a hit would differ from a miss
        raise ValueError(f"meta must be plain JSON with text keys, not {entry.meta!r}")
    try:
        body = f"# meta {meta}\n{entry.text}".encode()
    except UnicodeEncodeError:
        return None
    blob = b"\n".join((FORMAT, _seal(key, body), body))
    return blob if len(blob) <= MAX_BYTES else None


def _decode(key: str, blob: bytes) -> Entry | None:
    """The entry that `_encode` wrote under this very key, or None."""
    try:
        head, seal, body = blob.split(b"\n", 2)
        if head != FORMAT or seal != _seal(key, body):
            return None
        meta, _, text = body.decode().partition("\n")
        return Entry(text, _meta(meta))
    except (ValueError, RecursionError):  # too few lines, not UTF-8, not JSON, JSON nested without end
        return None


def _seal(key: str, body: bytes) -> bytes:
    return b"# sha256 " + hashlib.sha256(key.encode() + b"\n" + body).hexdigest().encode()


def _meta(line: str) -> dict[str, Any]:
    meta = json.loads(line.removeprefix("# meta "))
    if not isinstance(meta, dict):
        raise ValueError("meta is not a JSON object")
    return meta


# --- bytes on disk ------------------------------------------------------------------------------------------


def _read(path: Path) -> bytes | None:
    """The content of a regular file that only we can write to, not through a link; else None."""
    try:
        handle = os.open(path, _READ)
    except OSError:
        return None
    try:
        info = os.fstat(handle)
        # one read is enough: were it cut short, the hash would tell
        return os.read(handle, info.st_size) if _sound(info) else None
    except OSError:
        return None
    finally:
        os.close(handle)


def _sound(info: os.stat_result) -> bool:
    regular = stat.S_ISREG(info.st_mode) and info.st_size <= MAX_BYTES
    return regular and _ours(info) and not _open_to_others(info)


def _write(path: Path, blob: bytes) -> bool:
    """Put `blob` at `path` in one step, mode 0600, so that a reader sees the old file or the new one.

    No fsync: a file that a power cut truncates fails its hash and is written anew.
    """
    import tempfile  # 6 ms of import that only a miss needs

    try:
        handle, temporary = tempfile.mkstemp(".tmp", f".{path.stem}-", path.parent)
    except OSError:
        return False
    try:
        with open(handle, "wb") as file:
            file.write(blob)
        os.replace(temporary, path)
        return True
    except OSError:
        return False
    finally:
        _unlink(temporary)  # gone by now if all went well; also on Ctrl-C


def _unlink(path: str | Path) -> bool:
    try:
        os.unlink(path)
    except OSError:
        return False
    return True
