"""Every name that users of NumPy expect, with every keyword of its signature: differentiated, or refused and why."""

import ast
import inspect
import re

import numpy as np
import pytest
from expected_names import NAMES, NO_EXAMPLE, UFUNC_KEYWORDS, function_of, keywords_of
from named_calls import CALLS, VALUES, loss

from srcgrad import GradTypeError, SrcgradError, grad, hvp, jvp, value_and_grad

pytestmark = pytest.mark.filterwarnings("ignore")
RNG = np.random.default_rng(1)
WORKING = [call for call in CALLS if not call.refused]


def direction(value):
    drawn = RNG.uniform(-1.0, 1.0, np.shape(value))
    if np.asarray(value).dtype.kind == "c":
        drawn = drawn + 1j * RNG.uniform(-1.0, 1.0, np.shape(value))
    return drawn if np.ndim(value) else np.asarray(drawn).item()


def slope(function, args, active, directions, h=5e-5):
    """Central differences of fourth order along a direction, of a number or of an array."""

    def at(step):
        moved = [np.copy(arg) if np.ndim(arg) else arg for arg in args]
        for k, along in zip(active, directions):
            moved[k] = moved[k] + step * along
        return function(*moved)

    return (8 * (at(h) - at(-h)) - at(2 * h) + at(-2 * h)) / (12 * h)


@pytest.mark.parametrize("call", WORKING, ids=str)
def test_derivatives(call):
    """The value bit for bit, both modes against finite differences, gradients like their arguments, which stay."""
    function, args, active = loss(call), call.arguments(), call.active
    directions = [direction(args[k]) for k in active]
    value, gradients = value_and_grad(function, active)(*args)
    plain = function(*call.arguments())
    assert value == plain
    assert np.asarray(value).dtype == np.asarray(plain).dtype
    for arg, before in zip(args, call.arguments()):
        np.testing.assert_array_equal(arg, before)
    along = 0.0
    for k, gradient, v in zip(active, gradients, directions):
        assert np.shape(gradient) == np.shape(args[k])
        assert np.asarray(gradient).dtype == np.asarray(args[k]).dtype
        along += np.sum(np.real(np.asarray(gradient * v))[~np.isnan(args[k])])
    exact = call.in_double()
    expected = slope(loss(exact), exact.arguments(), active, directions)
    tolerance = (1e-7 if exact is call else 1e-5) * max(1.0, abs(expected))
    assert abs(along - expected) <= tolerance
    _, forward = jvp(function, tuple(args), tuple(directions), argnums=active)
    assert abs(forward - expected) <= tolerance


@pytest.mark.parametrize("call", WORKING, ids=str)
def test_second_derivatives(call):
    """The Hessian along a direction against finite differences of the gradient; it is like the arguments too."""
    call = call.in_double()
    function, args, active = loss(call), call.arguments(), call.active
    gradient, directions = grad(function, active), [direction(args[k]) for k in active]
    along = hvp(function, active)(*args, tuple(directions))
    for which, (k, product) in enumerate(zip(active, along, strict=True)):
        assert np.shape(product) == np.shape(args[k])
        assert np.asarray(product).dtype == np.asarray(args[k]).dtype
        expected = slope(lambda *moved, which=which: gradient(*moved)[which], args, active, directions, 5e-6)
        there = ~np.isnan(args[k])
        tolerance = 1e-7 * max(1.0, np.max(np.abs(expected), initial=0.0, where=there))
        assert np.all(np.abs(product - expected) <= tolerance, where=there)


@pytest.mark.parametrize("call", [call for call in CALLS if call.refused], ids=str)
def test_refused(call):
    """With the user's line, and what is the matter."""
    with pytest.raises((SrcgradError, GradTypeError), match=call.refused):
        value_and_grad(loss(call), call.active)(*call.arguments())


@pytest.mark.parametrize("ufunc", sorted(UFUNC_KEYWORDS), ids=str)
def test_keywords_of_a_ufunc(ufunc):
    """Each ufunc of one result takes out=, where=, dtype=, casting=, order= and subok=, as NumPy does."""
    args = ", ".join(["v", "w"][: getattr(np, ufunc).nin]).replace(
        "v", "v + 1.0" if ufunc in ("acosh", "arccosh") else "v"
    )
    for options in UFUNC_KEYWORDS[ufunc]:
        call = WORKING[0].of(f"np.{ufunc}({args}, {options})")
        test_derivatives(call)


@pytest.mark.parametrize("area", NAMES)
def test_every_name_has_a_call(area):
    there = {call.name for call in CALLS if call.area in NAMES[area][0]}
    missing = [name for name in NAMES[area][1].split() if name not in there]
    assert not missing


@pytest.mark.parametrize(("area", "name"), sorted({(call.area, call.name) for call in CALLS if call.area != "complex"}))
def test_every_keyword_has_a_call(area, name):
    """Nothing is silently ignored: what NumPy's signature names is in a call above, which works or is refused."""
    function = function_of(area, name)
    wanted = keywords_of(function)
    given = set()
    for call in CALLS:
        if (call.area, call.name) == (area, name):
            given |= given_in(call.tree, name.split(".")[-1], function, area == "methods")
    assert wanted - given <= NO_EXAMPLE.get(name, set())


def given_in(tree, name, function, method):
    """The parameters that some call of `name` in an expression fills."""
    found = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or getattr(node.func, "attr", None) != name:
            continue
        found |= {keyword.arg for keyword in node.keywords}
        try:
            parameters = [*inspect.signature(function).parameters]
        except (TypeError, ValueError):
            continue
        found |= {*parameters[1 if method else 0 :][: len(node.args)]}
    return found


def test_values_are_read():
    used = {name for call in CALLS for name in call.operands}
    assert used == set(VALUES), "a value that no call is about"


def test_names_are_counted():
    """What the page on coverage says of itself."""
    assert len({(call.area, call.name) for call in CALLS}) > 300
    assert not [call for call in CALLS if re.search(r"\bTODO\b", call.text)]
