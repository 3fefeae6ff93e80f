"""`srcgrad check` and `srcgrad bench`: whether a gradient is right, and how fast it is."""

from __future__ import annotations

import argparse
import copy
import gc
import random
import time
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..api import Gradient, check_grads
from ..api.checking import is_floating
from ..runtime.leaves import unwrap
from ..runtime.trees import tree_leaves
from .commands import _of_user, gradient_of
from .errors import CommandError, Failed
from .peers import contenders
from .target import find_target

_ROUNDS = 11


def check(options: argparse.Namespace) -> int:
    """Compare derivatives with finite differences; 1, and the first wrong statement, where they disagree."""
    gradient, values = _opened(options)
    modes = ("fwd", "rev") if options.modes == "both" else (options.modes,)
    wrt = [name for name, _ in gradient.wrt] if _chosen(options) else None
    order = options.order
    if any(p.kind is p.KEYWORD_ONLY for p in gradient._signature.parameters.values()):
        raise CommandError(f"check takes no function with keyword-only parameters: wrap `{gradient.__name__}` in one")
    if wrt is None and not any(map(is_floating, values)):
        raise CommandError("no argument holds floats, so there is nothing to differentiate")
    result = _of_user(gradient, lambda: gradient._call_plain(copy.deepcopy(values)))
    if not all(np.all(np.isfinite(leaf)) for leaf in tree_leaves(result) if isinstance(leaf, (float, np.ndarray))):
        way_out = 'choose other arguments, as in --args "abs(f8[n])", or another --seed'
        raise Failed(f"`{gradient.__name__}` gives nan or inf at these arguments: {way_out}")
    _of_user(gradient, lambda: check_grads(gradient._python, *values, order=order, modes=modes, wrt=wrt))
    kinds = " and ".join({"fwd": "forward mode", "rev": "reverse mode"}[mode] for mode in modes)
    agree = "the derivative agrees" if order == 1 else f"derivatives up to order {order} agree"
    print(f"{gradient.__name__}({_signature(gradient, values)}): {agree} with finite differences, in {kinds}")
    return 0


def bench(options: argparse.Namespace) -> int:
    """Time the function, its gradient, the two halves, and peers that can run the function as it is."""
    gradient, values = _opened(options)
    calls = _of_user(gradient, lambda: _calls(gradient, values))
    others, reasons = contenders(gradient, values)
    times = _compare({**calls, **others}, options.seconds)
    base = times["function"]
    width = max(map(len, times))
    print(f"{gradient.__name__}({_signature(gradient, values)})")
    for name, seconds in times.items():
        print(f"  {name:<{width}}  {_amount(seconds):>9}  {seconds / base:6.2f} x the function")
    made = gradient.compiled("grad", values)
    lines = made.texts[0].strip().count("\n") + 1
    spent = f", compiled in {1e3 * sum(made.seconds.values()):.0f} ms" if made.seconds else ", read from disk"
    print(f"  the gradient has {lines} lines{spent}")
    for name, reason in reasons.items():
        print(f"  {name}: {reason}")
    return 0


def _opened(options: argparse.Namespace) -> tuple[Gradient[..., Any], list[Any]]:
    gradient, values = gradient_of(find_target(options.target), options.wrt, options.args, options.seed)
    return gradient, [unwrap(value) for value in values]


def _chosen(options: argparse.Namespace) -> bool:
    """Whether somebody has said what to differentiate: on the command line or in the decorator."""
    return bool(options.wrt) or isinstance(find_target(options.target), Gradient)


def _signature(gradient: Gradient[..., Any], values: list[Any]) -> str:
    return ", ".join(f"{name}: {spec}" for name, spec in gradient.dispatcher_for(values).describe(values).items())


def _calls(gradient: Gradient[..., Any], values: list[Any]) -> dict[str, Callable[[], Any]]:
    """What is timed, each called once before."""

    def pair() -> Any:
        return gradient.forward(*values).backward()

    calls = {
        "function": lambda: gradient._call_plain(values),
        "gradient": lambda: gradient(*values),
        "value and gradient": lambda: gradient.value_and_grad(*values),
        "forward": lambda: gradient.forward(*values),
        "forward, backward": pair,
    }
    for call in calls.values():
        call()
    return calls


def _compare(calls: Mapping[str, Callable[[], Any]], seconds: float) -> dict[str, float]:
    """The best seconds of one call each; every round runs all of them, in another order."""
    order, share = random.Random(0), seconds / _ROUNDS / len(calls)
    repeats = {name: max(1, int(share / max(_time(call, 1), 1e-9))) for name, call in calls.items()}
    times: dict[str, list[float]] = {name: [] for name in calls}
    for _ in range(_ROUNDS):
        for name in order.sample(list(calls), len(calls)):
            times[name].append(_time(calls[name], repeats[name]))
    return {name: min(each) for name, each in times.items()}


def _time(call: Callable[[], Any], repeats: int) -> float:
    was = gc.isenabled()
    gc.disable()
    try:
        start = time.perf_counter()
        for _ in range(repeats):
            call()
        return (time.perf_counter() - start) / repeats
    finally:
        if was:
            gc.enable()


def _amount(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-9:.3g} ns"
