"""What is known when compiling: strings, sets, truth values, and the builtins that look at them."""

from collections import namedtuple

import numpy as np
import pytest
from agreement import check

from srcgrad import CompileError, grad

pytestmark = pytest.mark.quick

X, Y = np.array([0.7, -1.3, 2.1]), np.array([1.1, 0.4, -0.6])
Layer = namedtuple("Layer", "w b")


class Point:
    def __init__(self, x, y):
        self.x, self.y = x, y

    def scaled(self, k):
        return type(self)(self.x * k, self.y * k)


def any_and_all(params):
    if all(p.ndim == 1 for p in params) and any(len(p) == 3 for p in params) and not any([]):
        return np.sum(params[0] * params[1])
    return 0.0


def filtered(params):
    kept = list(filter(lambda p: p.ndim == 1, params))
    return np.sum(kept[0] * kept[1]) * len(tuple(filter(None, [0, 1, 2])))


def keys_from_strings(params):
    named = {f"w{i}": p for i, p in enumerate(params)}
    text = "-".join(["w0", f"{1:02d}", f"{'w1'!r}"])
    return np.sum(named["w0"]) * np.sum(named["w1"] ** 2) * len(text)


def sets(params):
    kinds, more = {"a", "b"}, frozenset(["c"])
    scale = 2.0 if "a" in kinds and "c" not in kinds and "c" in more else 1.0
    return np.sum(params[0] ** 2) * scale * len(kinds) + (sorted(kinds) == ["a", "b"]) * params[1][0]


def named_tuples(params):
    layer = Layer(w=params[0] ** 2, b=params[1][0])
    changed = layer._replace(b=params[1][1])
    return np.sum(layer.w) * changed.b + sum(np.sum(v) for v in changed._asdict().values())


def types(params):
    point = Point(params[0], params[1]).scaled(2.0)
    return np.sum(point.x * point.y) * round(2.6) if type(params) is list and type(point) is Point else 0.0


@pytest.mark.parametrize("function", [any_and_all, filtered, keys_from_strings, sets, named_tuples, types])
def test_static_values(function):
    check(function, [X, Y])


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: x[0] if any(v > 0 for v in (x[0], x[1])) else x[1], r"any\(\) of conditions"),
        (lambda x: x[0] if all(x > 0) else x[1], r"all\(\) of conditions"),
        (lambda x: round(x[0]) * x[1], r"round\(\) of a number"),
        (lambda x: sum(x[i] for i in {0, 1}), "no order"),
        (lambda x: x[0] if f"{x[0]}" == "1" else x[1], "must be known when compiling"),
        (lambda x: type(x)(3), r"type\(\) of a value"),
    ],
)
def test_what_is_known_only_while_running_is_refused(function, said):
    with pytest.raises(CompileError, match=said):
        grad(function)(X)
