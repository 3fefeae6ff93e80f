"""What is refused: each at its own line and column, with a caret under it and a way out."""

import functools
import itertools
from pathlib import Path

import numpy as np
import pytest
import scipy.special

from srcgrad import CompileError, grad

pytestmark = pytest.mark.quick

X = np.array([0.5, -1.5, 2.0])
HERE = Path(__file__).name
SET, MATRIX, MASKED = {1, 2}, X.view(np.matrix), np.ma.masked_array([1.0, 2.0, 3.0], [0, 1, 0])
OBJECTS = np.array([1.0, None], dtype=object)


TABLE = np.ones(3)


def refusals(loss, *args):
    """The faults of a function; each must stand under its own caret."""
    with pytest.raises(CompileError) as caught:
        grad(loss)(*(args or (X,)))
    lines = Path(__file__).read_text().splitlines()
    for fault in caught.value.faults:
        origin = fault.origin
        assert origin.text == lines[origin.line - 1]
        head, source, carets, *rest = str(fault).splitlines()
        assert head.startswith(f"{origin.file}:{origin.line}:{origin.column + 1}: ")
        assert HERE in head
        start = carets.index("^")
        marked = source[start : start + carets.count("^")]
        assert marked.strip() == marked != ""
        assert rest, f"no way out: {fault}"
    return caught.value.faults


def marked(fault):
    """The text above the carets."""
    _, source, carets, *_ = str(fault).splitlines()
    return source[carets.index("^") : len(carets)]


def stream(x):
    yield from x


def test_generators():
    def loss(x):
        yield np.sum(x)

    (fault,) = refusals(loss)
    assert (fault.message, marked(fault)) == ("a generator cannot be differentiated", "yield np.sum(x)")
    (fault,) = refusals(lambda x: sum(w for w in stream(x)))
    assert marked(fault) == "yield from x"


EXPRESSIONS = [
    (lambda x: np.sum(scipy.special.zetac(x)), "scipy.special.zetac(x)", "no derivative rule"),
    (lambda x: itertools.accumulate(x), "itertools.accumulate(x)", "no derivative rule"),
    (lambda x: np.sum(eval("x")), 'eval("x")', "no derivative rule"),
    (lambda x: np.sum(np.vectorize(abs)(x)), "np.vectorize(abs)", "is not differentiated"),
    (
        lambda x: np.sum(np.sin(x, where=x > 0)),
        "np.sin(x, where=x > 0)",
        "leaves the other elements to chance",
    ),
    (lambda x: np.sum(np.sin(x, signature="d->d")), 'np.sin(x, signature="d->d")', "`signature="),
    (
        lambda x: np.sum(x * MATRIX),
        "MATRIX",
        "`MATRIX` is a numpy.matrix; a differentiated function cannot read it",
    ),
    (lambda x: np.sum(x * MASKED), "MASKED", "numpy.ma.MaskedArray"),
    (lambda x: np.sum(x) * OBJECTS[0], "OBJECTS", "dtype object"),
    (lambda x: np.sum(x) * len(SET), "SET", "`SET` is a set; a differentiated function cannot read it"),
    (lambda x: np.fromiter(x, float)[0], "np.fromiter(x, float)", "no derivative rule"),
    (
        lambda x: np.sum(x) if x > 0 else x[0],
        "np.sum(x) if x > 0 else x[0]",
        "truth value of an array is ambiguous",
    ),
    (lambda x: np.sum(x) if x[0] > 0 and x > 0 else x[0], "x[0] > 0 and x > 0", "truth value of an array is ambiguous"),
    (lambda x: np.sum(x) if x[0] > 0 or x > 0 else x[0], "x[0] > 0 or x > 0", "truth value of an array is ambiguous"),
    (lambda x: np.sum(np.pad(x, 1, lambda *line: None)), "np.pad(x, 1, lambda *line: None)", "a function for `mode=`"),
    (lambda x: np.sum(np.pad(x, 1, mode=print)), "np.pad(x, 1, mode=print)", "a function for `mode=`"),
    (lambda x: np.linalg.norm(x, ord=max), "np.linalg.norm(x, ord=max)", "a function for `ord=`"),
    (lambda x: np.sort(x, kind=min)[0], "np.sort(x, kind=min)", "a function for `kind=`"),
    (lambda x: x[x[0] :], "x[x[0] :]", "as an index"),
    (lambda x: [x, x][x[0]], "[x, x][x[0]]", "as the index of a list"),
    (lambda x: float(x), "float(x)", "float() of an array"),
    (lambda x: max(x, x), "max(x, x)", "max() of arrays"),
    (lambda x: x.item(), "x.item()", "more than one element"),
    (lambda x: sum(v for v in {1, 2}) * x[0], "{1, 2}", "a set"),
]


@pytest.mark.parametrize(("loss", "text", "message"), EXPRESSIONS, ids=[text for _, text, _ in EXPRESSIONS])
def test_expressions(loss, text, message):
    (fault,) = refusals(loss)
    assert message in fault.message
    assert text in marked(fault) or marked(fault) in text


def test_a_list_that_grows_in_some_passes():
    def loss(x):
        parts = [x[0]]
        for v in x:
            if v > 0.0:
                parts.append(v * v)
        return parts[0]

    (fault,) = refusals(loss)
    assert fault.message == "a list made outside a loop or branch changes inside it, in some passes only"
    assert "np.zeros" in fault.way_out


def test_containers_of_the_caller_are_not_changed():
    def loss(params):
        params["w"] = params["w"] * 2
        return np.sum(params["w"])

    (fault,) = refusals(loss, {"w": X})
    assert fault.message == "the dict `params` belongs to the caller, and is changed here"
    assert fault.way_out == "Make a new one: `params = dict(params)` before the change."

    def mended(params):
        params = dict(params)
        params["w"] = params["w"] * 2
        return np.sum(params["w"])

    np.testing.assert_allclose(grad(mended)({"w": X})["w"], [2, 2, 2])


def test_attributes_are_not_assigned():
    class Holder:
        w = 1.0

    holder = Holder()

    def loss(x):
        holder.w = np.sum(x)
        return holder.w

    fault = refusals(loss)[0]
    assert (fault.message, marked(fault)) == (
        "an object that is no argument is changed",
        "holder.w = np.sum(x)",
    )
    assert holder.w == 1.0


def test_all_faults_of_a_function_are_reported_together():
    def loss(x):
        a = scipy.special.zetac(x)
        b = undefined_thing + x  # noqa: F821
        c = a + b  # no fault of its own
        with open("f"):
            pass
        d = helper(x)
        TABLE[0] = 1.0
        return np.sum(c) + d

    def helper(x):
        return np.sum(np.sort(x, kind=SET))

    with pytest.raises(CompileError) as caught:
        grad(loss)(X)
    messages = [fault.message for fault in caught.value.faults]
    assert len(messages) == 5
    for part, message in zip(("zetac", "undefined_thing", "`with`", "`TABLE` is changed", "`SET`"), sorted(messages)):
        assert any(part in each for each in messages), (part, message)
    lines = [fault.origin.line for fault in caught.value.faults]
    assert lines == sorted(lines)


def test_a_decorated_nested_function():
    def loss(x):
        @functools.lru_cache
        def inner(v):
            return v * v

        return np.sum(inner(x[0]))

    fault = refusals(loss)[0]
    assert (fault.message, marked(fault)) == (
        "a decorated nested function cannot be differentiated",
        "functools.lru_cache",
    )


def test_carets_stand_under_what_they_mean_in_any_alphabet():
    def loss(x):
        λ, größe = x * 2, 3.0
        return np.sum(λ) * größe + np.sum(scipy.special.zetac(λ))

    (fault,) = refusals(loss)
    assert marked(fault) == "scipy.special.zetac(λ)"


def test_a_function_that_would_become_huge():
    def loss(x):
        parts = [x[0] * i for i in range(10**7)]
        return parts[0]

    (fault,) = refusals(loss)
    assert fault.message == "the function becomes too large when its loops and calls are written out"
