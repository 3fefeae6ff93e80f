"""Printing: the text parses back to its tree, whatever stands in it."""

import ast

import numpy as np
import pytest

from srcgrad.emit.expressions import constant
from srcgrad.emit.printer import print_module


def printed(node):
    module = ast.Module([ast.Assign([ast.Name("y", ast.Store())], node)], [])
    return print_module(module)[0]


@pytest.mark.quick
@pytest.mark.parametrize("value", [-2, -2.5, 3, 1e-300, np.float64(0.1), np.float32(0.1), True, 1 + 2j, -0.0])
def test_a_constant_comes_back_as_itself(value):
    scope = {"np": np}
    exec(printed(constant(value)), scope)
    assert scope["y"] == value
    assert np.asarray(scope["y"]).dtype.kind == np.asarray(value).dtype.kind


@pytest.mark.quick
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_constants_without_a_literal_are_spelled(value):
    scope = {"np": np}
    exec(printed(constant(value)), scope)
    np.testing.assert_equal(scope["y"], value)


@pytest.mark.quick
def test_a_negative_base_keeps_its_brackets():
    scope = {}
    exec(printed(ast.BinOp(constant(-2), ast.Pow(), constant(2))), scope)
    assert scope["y"] == 4


@pytest.mark.quick
def test_a_tuple_of_one_shows_as_a_tuple():
    function = ast.parse("def f(x):\n    return x,\n")
    assert "return (x,)" in print_module(function)[0]


@pytest.mark.quick
def test_comments_stand_where_they_stood_and_lines_know_their_statement():
    module = ast.parse("a = 1\nb = 2\n")
    module.body[1].comment = "the second"
    module.body[1].leading = ("above it",)
    text, lines = print_module(module)
    assert text == "a = 1\n# above it\nb = 2  # the second\n"
    assert lines == {1: module.body[0], 3: module.body[1]}


@pytest.mark.quick
def test_a_very_long_sum_is_printed():
    node = ast.Name("x", ast.Load())
    for _ in range(150):
        node = ast.BinOp(node, ast.Add(), ast.Name("x", ast.Load()))
    assert printed(node).count("x") == 151
