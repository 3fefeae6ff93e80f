"""The state of a file on disk, and the worker for it: killed and started anew when the file changes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

_POLL = 0.15  # seconds between looks at the files
_PATIENCE = 60.0  # seconds that importing or compiling may take


class Watch:
    """Follows one file: `version` counts its states, `ask` asks the worker of the newest."""

    def __init__(self, file: Path):
        self.file = file
        self.version = 0
        self.changed = threading.Condition()
        self.closed = False
        self._asking = threading.Lock()
        self._worker: subprocess.Popen[str] | None = None
        self._imported = 0  # the version that the worker has
        self._about: dict[str, Any] = {}
        self._files = [str(file.resolve())]
        self._seen = self._stamps()
        threading.Thread(target=self._follow, daemon=True).start()

    def ask(self, question: dict[str, str] | None = None) -> dict[str, Any]:
        """What the file is (`functions`, or what is wrong with it), or the answer to a question about a function."""
        with self._asking:
            version = self.version
            if self._worker is None or self._worker.poll() is not None or self._imported != version:
                self._reap()
                self._start()
                self._imported = version
            if question is None or self._about.get("failed"):
                return {**self._about, "version": version}
            answer = self._exchange(json.dumps(question))
            return {**answer, "version": version, "stale": self.version != version}

    def close(self) -> None:
        """End the worker and whoever waits."""
        with self.changed:
            self.closed = True
            self.changed.notify_all()
        if self._worker is not None:
            self._worker.kill()
        with self._asking:
            self._reap()

    def _start(self) -> None:
        command = [sys.executable, "-m", "srcgrad.cli.explorer.worker", str(self.file)]
        self._worker = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", start_new_session=True
        )
        self._about = self._exchange("")
        self._files = self._about.get("files", self._files)
        self._seen = {**self._stamps(), **self._seen}  # what changed while it was imported is still a change

    def _exchange(self, question: str) -> dict[str, Any]:
        worker = self._worker
        assert worker is not None
        assert worker.stdin is not None
        assert worker.stdout is not None
        timer = threading.Timer(_PATIENCE, worker.kill)
        timer.start()
        began = time.monotonic()
        try:
            if question:
                worker.stdin.write(question + "\n")
                worker.stdin.flush()
            line = worker.stdout.readline()
        except (OSError, ValueError):
            line = ""
        finally:
            timer.cancel()
        if line:
            found: dict[str, Any] = json.loads(line)
            return found
        if time.monotonic() - began >= _PATIENCE:
            return {"failed": True, "message": f"{self.file} has run for {_PATIENCE:.0f} seconds, and was stopped"}
        return {"failed": True, "message": f"importing {self.file} ended the process"}

    def _reap(self) -> None:
        worker, self._worker = self._worker, None
        if worker is not None:
            worker.kill()
            with suppress(OSError):
                worker.communicate()

    def _follow(self) -> None:
        while not self.closed:
            time.sleep(_POLL)
            now = self._stamps()
            if all(self._seen.get(name, stamp) == stamp for name, stamp in now.items()):
                continue
            time.sleep(0.05)  # an editor may still be writing
            self._seen, old = self._stamps(), self._worker
            with self.changed:
                self.version += 1
                self.changed.notify_all()
            if old is not None:
                old.kill()  # whoever waits for its answer gets none

    def _stamps(self) -> dict[str, tuple[int, int]]:
        """When each file was written, and how long it is; a file that is gone has neither."""
        stamps = {}
        for name in self._files:
            try:
                status = os.stat(name)
                stamps[name] = status.st_mtime_ns, status.st_size
            except OSError:
                stamps[name] = 0, 0
        return stamps
