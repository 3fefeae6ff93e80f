"""What has no derivative here is refused by name, and calls are sorted into operands and attributes as NumPy would."""

import numpy as np
import pytest
from symbolic_gradients import gradients

from srcgrad.errors import Unsupported
from srcgrad.ir.primitive import arguments, bind, find

pytestmark = pytest.mark.quick

X, SQUARE = np.array([1.0, 2.0, 4.0]), np.diag([1.0, 2.0, 3.0])

REFUSED = {
    "where=": (lambda x: np.exp(x, where=x > 1), X, "`where=`"),
    "out=": (lambda x: np.sum(x, out=x), X, "`out=`"),
    "too many arguments": (lambda x: x.sum(0, None, None, False, None, None, 1.0), X, "at most 7 positional"),
    "axis out of bounds": (lambda x: np.sum(x, axis=1), X, "axis 1 is out of bounds"),
    "axis twice": (lambda x: np.sum(x, axis=(0, -2)), SQUARE, "twice"),
    "lengths that differ": (lambda x: x @ np.zeros_like(x[1:]), X, "lengths n0 = 3 and n0 - 1 = 2 differ"),
    "number in a product": (lambda x: x @ np.sum(x), X, "matmul of a number"),
    "matrix that is not square": (lambda x: np.linalg.inv(x[1:]), SQUARE, "not square"),
    "subscripts that do not fit": (lambda x: np.einsum("ijk->", x), SQUARE, "does not fit"),
    "label in the result only": (lambda x: np.einsum("ij->k", x), SQUARE, "in the result only"),
    "two free lengths": (lambda x: x.reshape(-1, -1), X, "one unknown length only"),
    "unequal split": (lambda x: np.split(x, 2)[0], X, "do not divide into 2 equal parts"),
    "padding by chance": (lambda x: np.sum(np.pad(x, 1, mode="empty")), X, "mode='empty'"),
    "indices from where": (lambda x: np.where(x > 1), X, "np.nonzero"),
    "unknown function": (lambda x: np.sum(np.sort_complex(x)), X, "sort_complex has no rule"),
    "vectors of two": (lambda x: np.cross(x[1:], x[1:]), X, "vectors of three"),
}


@pytest.mark.parametrize(("loss", "x", "message"), REFUSED.values(), ids=REFUSED)
def test_refused(loss, x, message):
    with pytest.raises((Unsupported, AssertionError), match=message.replace("(", r"\(").replace("+", r"\+")):
        gradients(loss, x)


CALLS = [
    (np.clip, ("x", None, 1.0), {}, ["x", 1.0], {"a_min": None}),
    (np.clip, ("x", 0.0), {}, ["x", 0.0], {"a_max": None}),
    (np.clip, ("x",), {"max": "high"}, ["x", "high"], {"a_min": None}),
    (np.average, ("x", 0, "w"), {}, ["x", "w"], {"axis": 0}),
    (np.einsum, ("ij,jk", "a", "b"), {"optimize": True}, ["a", "b"], {"subscripts": "ij,jk", "optimize": True}),
    (np.concatenate, (["a", "b"], 1), {}, ["a", "b"], {"axis": 1}),
    (np.full, ((2, 3), "v"), {}, ["v"], {"shape": (2, 3)}),
    (np.sum, ("x", 0, None, None, True), {}, ["x"], {"axis": 0, "dtype": None, "keepdims": True}),
    (np.roll, ("x", (1, 2), (0, 1)), {}, ["x"], {"shift": (1, 2), "axis": (0, 1)}),
    (np.roll, ("x", 1), {}, ["x", 1], {}),
]


@pytest.mark.parametrize(("function", "args", "kwargs", "operands", "attrs"), CALLS)
def test_calls_are_sorted_and_spelled_again(function, args, kwargs, operands, attrs):
    prim = find(function)
    assert bind(prim, args, kwargs) == (operands, attrs)
    positional, keywords = arguments(prim, operands, attrs)
    assert bind(prim, positional, keywords) == (operands, attrs)
