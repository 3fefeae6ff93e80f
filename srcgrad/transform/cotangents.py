"""Cotangents: accumulated where a value is read several times, each of exactly its primal's type."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..errors import Unsupported
from ..ir.nodes import Atom, Const, Undefined, Value
from ..ir.primitive import named
from ..ir.symbolic import Sym, cast
from ..ir.types import Array, Saved, Tape
from ..ir.words import word_for
from .tapes import Scope, Tapes


class Cotangents(Tapes):
    def accumulate(self, scope: Scope, target: Atom, contribution: Atom) -> None:
        """Add to a value's cotangent: the first contribution is it, later ones are added."""
        if not isinstance(target, Value) or target not in self.active:
            return
        if isinstance(target.type, (Tape, Saved)):
            return self._accumulate_whole(scope, target, contribution)
        assert isinstance(target.type, Array)
        contribution = self._conform(contribution, target.type)
        known = self.current(scope, target)
        if known is not None:
            (contribution,) = self.builder.apply(
                named("np.add"), [known, contribution], style="operator", hint=cotangent_name(target)
            )
        elif isinstance(contribution, Value) and contribution.hint is None:
            contribution.hint = cotangent_name(target)
            contribution.word = contribution.word or self.cotangent_word(target)
        scope.cotangents[target] = contribution

    def _accumulate_whole(self, scope: Scope, whole: Value, contribution: Atom) -> None:
        """A tape is read by one loop only, in the scope that has it, so its cotangent has one contribution.

        So is what a forward half has saved, by one call.
        """
        if whole in scope.cotangents or (whole not in scope.inside and scope.kind == "loop"):
            raise Unsupported("a recording that two loops read cannot be differentiated again")
        scope.cotangents[whole] = contribution

    def cotangent_word(self, value: Value) -> str | None:
        """The cotangent of a value without a name is called after what makes it."""
        made = self.made.get(value)
        return None if made is None or value.hint is not None else f"d_{word_for(made, self.made)}"

    def current(self, scope: Scope, target: Value) -> Atom | None:
        """The cotangent so far; inside a backward loop an outer value gets an accumulator carried by the loop."""
        if target in scope.cotangents:
            return scope.cotangents[target]
        if target in scope.inside or scope.kind == "root":
            return None
        if scope.kind == "loop":
            if target not in scope.sums:
                scope.sums[target] = Value(target.type, cotangent_name(target))
            return scope.sums[target]
        assert scope.parent is not None
        return self.current(scope.parent, target)

    def _conform(self, contribution: Atom, type: Array) -> Atom:
        """A cotangent has the dtype and axes of its primal."""
        d = Sym(self.builder, contribution)
        if d.dtype.kind == "c" and type.dtype.kind != "c":
            d = d.real
        if d.dtype != type.dtype:
            d = cast(d, type.dtype) if d.const is None else Sym(self.builder, constant(d.const, type))
        if not self.facts.same_axes(d.type.axes, type.axes):
            from ..rules.internal import broadcast, unbroadcast

            d = unbroadcast(d, Sym(self.builder, Value(type)))
            d = broadcast(d, type.axes)
        return d.atom

    def final(self, scope: Scope, value: Value) -> Atom:
        """The finished cotangent, zeros where nothing reached the value."""
        atom = scope.cotangents.get(value)
        return self.zeros(value) if atom is None else atom

    def zeros(self, value: Value) -> Atom:
        if isinstance(value.type, (Tape, Saved)):  # of a branch that was not taken
            return Undefined(value.type)
        assert isinstance(value.type, Array)
        type = value.type
        if not type.axes:
            return constant(0.0, type)
        (zeros,) = self.builder.apply(
            named("zeros"), [], {"shape": type.axes, "dtype": type.dtype}, hint=cotangent_name(value)
        )
        return zeros


def constant(number: Any, type: Array) -> Const:
    """A constant of exactly this dtype, as a Python number where that is the same."""
    typed = type.dtype.type(number)
    return Const(typed.item() if type.dtype in (np.dtype(float), np.dtype(complex)) else typed)


def cotangent_name(value: Value) -> str | None:
    return None if value.hint is None else f"d_{value.hint}"
