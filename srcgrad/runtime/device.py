"""`device`: where arrays live, "cpu" or "cuda:0"."""

from __future__ import annotations

import re


class device:
    """A place for arrays: device("cpu"), device("cuda"), device("cuda:1"), device("cuda", 1). Equal by value.

    type : "cpu" or "cuda"
    index : which of several; None for the current one
    Raises RuntimeError for other names, as PyTorch does.
    """

    __slots__ = ("index", "type")

    def __init__(self, name: str | device, index: int | None = None) -> None:
        if isinstance(name, device):
            index, name = name.index, name.type
        matched = re.fullmatch(r"(cpu|cuda)(?::(\d+))?", name) if isinstance(name, str) else None
        if matched is None or (index is not None and matched[2] is not None):
            raise RuntimeError(f"a device is 'cpu', 'cuda' or 'cuda:0' (with another number perhaps), not {name!r}")
        self.type: str = matched[1]
        self.index: int | None = int(matched[2]) if matched[2] else index

    def __eq__(self, other: object) -> bool:
        return isinstance(other, device) and (self.type, self.index) == (other.type, other.index)

    def __hash__(self) -> int:
        return hash((self.type, self.index))

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return (
            f"device(type={self.type!r})" if self.index is None else f"device(type={self.type!r}, index={self.index})"
        )
