"""Splitting the joint function into a forward and a backward half at the values that the latter needs."""

from __future__ import annotations

from ..ir.nodes import Function, Value


def split(function: Function, seed: Value, name: str) -> tuple[Function, Function]:
    raise NotImplementedError
