"""Functions as users write them, each beside the gradient a careful person would write by hand."""

import ast


def lines_of_code(function_source):
    """Lines of the body: no blank lines, comments or docstring."""
    (function,) = (n for n in ast.parse(function_source).body if isinstance(n, ast.FunctionDef))
    text = function_source.splitlines()[function.body[0].lineno - 1 :]
    return sum(1 for line in text if line.strip() and not line.strip().startswith("#"))
