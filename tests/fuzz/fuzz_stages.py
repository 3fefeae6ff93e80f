"""Every stage's IR as the pipeline makes it."""

from __future__ import annotations

from typing import Any

from srcgrad import pipeline


class Recorder:
    """Keeps the IR of every stage while it is entered, repeated stages too."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, Any]] = []

    def __enter__(self) -> None:
        seen, plain = self.seen, pipeline.Trace

        class Trace(plain):  # type: ignore[misc,valid-type]
            def run(self, name: str, stage: Any, facts: Any = None) -> Any:
                self.stages.pop(name, None)
                result = super().run(name, stage, facts)
                if name in self.stages:
                    seen.append((name, self.stages[name]))
                return result

        self.plain, pipeline.Trace = plain, Trace

    def __exit__(self, *_: object) -> None:
        pipeline.Trace = self.plain
