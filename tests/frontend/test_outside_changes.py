"""Globals, closure cells, defaults and helpers are what they are at each call, whatever they were at the first."""

import numpy as np
import pytest

from srcgrad import CompileError, GradTypeError, grad

pytestmark = pytest.mark.quick

X, M = np.array([0.5, -1.5, 2.0]), np.array([[1.0, 5.0], [2.0, 3.0], [0.0, 4.0]])
G, AXIS = 2.0, 0
OPTIONS = {"axis": 0, "mode": "max", "names": ["a"]}
MODE_ONLY = {"mode": "max"}


def helper(v):
    return v * 2


@grad
def loss(x):
    return np.sum(helper(x)) * G


@pytest.fixture(autouse=True)
def as_before(monkeypatch):
    for name in ("G", "AXIS", "OPTIONS", "MODE_ONLY", "helper"):
        value = globals()[name]
        monkeypatch.setitem(globals(), name, dict(value) if isinstance(value, dict) else value)


def test_a_global_changes_value_and_type():
    for value in (
        2.0,
        3.0,
        3,
        np.array(5.0),
        np.float32(4.0),
        True,
        False,
        2.0,
        np.int64(2),
        np.array([[2.0]])[0, 0],
    ):
        globals()["G"] = value
        np.testing.assert_allclose(loss(X), np.full(3, 2.0 * value))
    globals()["G"] = X
    with pytest.raises(GradTypeError, match="returns an array"):
        loss(X)
    globals()["G"] = "two"
    with pytest.raises(CompileError, match="a string"):
        loss(X)
    del globals()["G"]
    with pytest.raises(CompileError, match="name `G` is not defined"):
        loss(X)
    globals()["G"] = 1.0
    np.testing.assert_allclose(loss(X), np.full(3, 2.0))


def test_a_helper_is_defined_again():
    np.testing.assert_allclose(loss(X), [4, 4, 4])
    globals()["helper"] = lambda v: v * 7
    np.testing.assert_allclose(loss(X), [14, 14, 14])
    globals()["helper"] = np.sin
    np.testing.assert_allclose(loss(X), 2 * np.cos(X))
    globals()["helper"] = np.cumsum  # a library's function under a user's name
    np.testing.assert_allclose(loss(X), [6, 4, 2])
    globals()["helper"] = make(3.0)
    np.testing.assert_allclose(loss(X), [6, 6, 6])
    globals()["helper"] = make(4.0)  # the same text, another closure
    np.testing.assert_allclose(loss(X), [8, 8, 8])


def make(factor):
    def scaled(v):
        return v * factor

    return scaled


def test_a_closure_changes():
    a, array, n = 2.0, np.ones(3), 2

    @grad
    def inner(x):
        return np.sum(x**n * array) * a

    np.testing.assert_allclose(inner(X), 4 * X)
    a, array, n = 3.0, np.full(3, 2.0), 3
    np.testing.assert_allclose(inner(X), 18 * X**2)
    a, array, n = 3, np.ones((2, 1)), 2.0
    np.testing.assert_allclose(inner(X), 12 * X)
    array[:] = 5.0  # in place
    np.testing.assert_allclose(inner(X), 60 * X)


def expected_max(m, axis):
    out = np.zeros_like(m)
    if axis is None or isinstance(axis, tuple):
        out[m == m.max()] = 2 * m.max()
    else:
        out[m == m.max(axis=axis, keepdims=True)] = 1
        out *= 2 * m
    return out


def test_an_integer_that_must_be_known_gets_a_specialisation_for_each_value():
    @grad
    def by_argument(m, axis=0):
        return np.sum(np.max(m, axis=axis) ** 2)

    @grad
    def by_global(m):
        return np.sum(np.max(m, axis=AXIS) ** 2)

    @grad
    def by_dict(m, options):
        return np.sum(np.max(m, axis=options["axis"]) ** 2)

    for axis in (0, 1, -1, 0, None, (0, 1), np.int64(1), 0):
        globals()["AXIS"] = axis
        expected = expected_max(M, axis)
        np.testing.assert_allclose(by_argument(M, axis), expected)
        np.testing.assert_allclose(by_argument(M, axis=axis), expected)
        np.testing.assert_allclose(by_global(M), expected)
        np.testing.assert_allclose(by_dict(M, {"axis": axis}), expected)
    assert len(by_argument.specializations) == 6


def test_a_global_dict_of_options():
    @grad
    def configured(m):
        if OPTIONS["mode"] == "max":
            return np.sum(np.max(m, axis=OPTIONS["axis"]) ** 2)
        return np.sum(m) * len(OPTIONS["names"])

    np.testing.assert_allclose(configured(M), expected_max(M, 0))
    OPTIONS["axis"] = 1
    np.testing.assert_allclose(configured(M), expected_max(M, 1))
    OPTIONS["mode"] = "sum"
    np.testing.assert_allclose(configured(M), np.ones((3, 2)))
    OPTIONS["names"] = ["a", "b"]
    np.testing.assert_allclose(configured(M), np.full((3, 2), 2.0))
    globals()["OPTIONS"] = None
    with pytest.raises(CompileError):
        configured(M)


def test_a_global_dict_without_numbers():
    @grad
    def configured(x):
        return np.sum(x) if MODE_ONLY["mode"] == "max" else 2 * np.sum(x)

    np.testing.assert_allclose(configured(X), [1, 1, 1])
    MODE_ONLY["mode"] = "other"
    np.testing.assert_allclose(configured(X), [2, 2, 2])


def test_a_changed_default():
    def inner(x, k=2.0):
        return np.sum(x) * k

    gradient = grad(inner)
    np.testing.assert_allclose(gradient(X, 3.0), [3, 3, 3])

    @grad
    def outer(x):
        return inner(x)

    np.testing.assert_allclose(outer(X), [2, 2, 2])
    inner.__defaults__ = (5.0,)
    np.testing.assert_allclose(outer(X), [5, 5, 5])


def test_a_module_attribute_changes(monkeypatch):
    import other_module

    @grad
    def inner(x):
        return np.sum(x) * other_module.SCALE + other_module.weighted(x, 0.0)

    np.testing.assert_allclose(inner(X), [2, 2, 2])
    monkeypatch.setattr(other_module, "SCALE", 4)
    np.testing.assert_allclose(inner(X), [4, 4, 4])
    monkeypatch.setattr(other_module, "weighted", lambda v, s: np.sum(v))
    np.testing.assert_allclose(inner(X), [5, 5, 5])
    monkeypatch.setattr(other_module.Constants, "gain", 2.0)
