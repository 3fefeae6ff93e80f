"""A derivative that a function takes while it runs, such as `grad(f)(x)`: its ops, in place of the call."""

from __future__ import annotations

from collections.abc import Sequence

from .between import between, settled
from .errors import Unsupported
from .ir.custom import expand, without_parts
from .ir.dims import Facts
from .ir.nodes import Function, Param, Region, Value, region_free_values
from .optimize.fresh import own_results
from .transform.forward import push_forward
from .transform.reverse import differentiate


def derivative_within(
    region: Region, count: int, wrt: Sequence[Value], tangents: Sequence[Value] | None, facts: Facts
) -> Region:
    """The region, and behind its results gradients of the first one, or the tangents of the first `count`.

    `wrt` and `tangents` stand for what the region is given; all else that it reads from around it is constant. Without
    tangents, the result must be one real number. Gradients and tangents are memory of their own.
    Raises Unsupported, at the line that has no derivative.
    """
    given = dict.fromkeys([*wrt, *(tangents or ())])
    given.update(region_free_values(region))
    params = tuple(Param(value, value.hint or "value") for value in given)
    function = Function("derivative", params, region, None)
    if tangents is None:
        made = differentiate(function, [0], wrt, facts)
    else:
        function = expand(function, facts, without_parts)
        made = push_forward(function, range(count), wrt, tangents, facts)
    if made.faults:
        fault = made.faults[0]
        raise Unsupported(fault.message, fault.way_out, fault.origin)
    derived = between(settled(made.function), made.pairs, made.pushed, facts)
    new = range(len(region.results), len(derived.body.results))
    return settled(own_results(derived, facts, new)).body


__all__ = ["derivative_within"]
