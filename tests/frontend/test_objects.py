"""Objects as parameters: their floats are differentiated, and the gradient is an object of the same class."""

import copy
import dataclasses
from collections import namedtuple
from typing import NamedTuple

import numpy as np
import pytest
from agreement import check
from referee import numerical_gradient

from srcgrad import GradTypeError, grad

pytestmark = pytest.mark.quick

RNG = np.random.default_rng(11)
X, Y, M = RNG.standard_normal(3), RNG.standard_normal(3), RNG.standard_normal((3, 2))


class Layer:
    def __init__(self, w, b, name="layer"):
        self.w, self.b, self.name, self.width = w, b, name, len(b)

    def __call__(self, x):
        return np.tanh(x @ self.w + self.b)


class Net:
    def __init__(self):
        self.layers = [Layer(RNG.standard_normal((3, 3)), X.copy()), Layer(M.copy(), Y[:2].copy(), "last")]
        self.scale = 2.0
        self.unused = np.ones((2, 2), dtype=np.float32)
        self.training = True

    def __call__(self, x):
        for layer in self.layers:
            x = layer(x)
        return x * self.scale if self.training else x


@dataclasses.dataclass(frozen=True)
class Weights:
    w: np.ndarray
    b: float
    steps: int = 3
    kind: str = "tanh"


@dataclasses.dataclass
class Guarded:
    w: np.ndarray
    inner: Weights

    def __post_init__(self):
        assert np.all(np.abs(self.w) < 10.0), "a gradient is no parameter, and is not checked like one"


class Slotted:
    __slots__ = ("b", "w")

    def __init__(self, w, b):
        self.w, self.b = w, b


Pair = namedtuple("Pair", "a b")


class Named(NamedTuple):
    w: np.ndarray
    pair: Pair
    label: str = "x"


def test_an_object_of_objects():
    def loss(net, x):
        return np.sum(net(x) ** 2)

    check(loss, Net(), X, wrt=(0,))
    net = Net()
    d = grad(loss)(net, X)
    assert type(d) is Net
    assert [type(layer) for layer in d.layers] == [Layer, Layer]
    assert d.layers is not net.layers
    assert d.layers[0] is not net.layers[0]
    assert (d.training, d.layers[1].name, d.layers[0].width) == (True, "last", 3)
    assert (d.unused.dtype, d.unused.shape, d.unused.any()) == (np.float32, (2, 2), False)


def test_init_is_not_run_again():
    class Counted:
        made = 0

        def __init__(self, w):
            Counted.made += 1
            self.w = w

    d = grad(lambda model, x: np.sum(model.w * x))(Counted(Y), X)
    np.testing.assert_array_equal(d.w, X)
    assert Counted.made == 1


def test_a_frozen_data_class():
    def loss(p, x):
        for _ in range(p.steps):
            x = np.tanh(p.w * x) if p.kind == "tanh" else p.w * x
        return np.sum(x) * p.b

    check(loss, Weights(Y, 0.5), X, wrt=(0,))
    gradient = grad(loss)
    d = gradient(Weights(Y, 0.5), X)
    assert "return dataclasses.replace(p, w=d_w, b=" in gradient.source
    assert (type(d), d.steps, d.kind) == (Weights, 3, "tanh")


def test_a_data_class_that_checks_its_fields():
    def loss(p):
        return 100.0 * np.sum(p.w**2) * p.inner.b + np.sum(p.inner.w)

    check(loss, Guarded(X, Weights(Y, 2.0)))


def test_slots():
    def loss(p, x):
        return np.sum(np.sin(p.w * x)) * p.b

    p = Slotted(Y, 2.0)
    d = grad(loss)(p, X)
    assert type(d) is Slotted
    np.testing.assert_allclose(d.w, 2.0 * X * np.cos(Y * X))
    np.testing.assert_allclose(d.b, np.sum(np.sin(Y * X)))
    assert p.w is Y


def test_named_tuples():
    def loss(p):
        w, (a, b), _ = p
        return np.sum(w * a) * p.pair.b + p[1][1] ** 2 + b

    d = grad(loss)(Named(X, Pair(Y, 2.0)))
    check(lambda p: np.sum(p.a * p.b), Pair(X, Y))
    assert (type(d), type(d.pair), d.label) == (Named, Pair, "x")
    np.testing.assert_allclose(d.w, 2.0 * Y)
    np.testing.assert_allclose(d.pair.b, X @ Y + 5.0)


def test_objects_in_containers():
    layers = {"first": Layer(RNG.standard_normal((3, 3)), X.copy()), "rest": [Layer(M.copy(), Y[:2].copy())]}

    def loss(layers, x):
        x = layers["first"](x)
        for layer in layers["rest"]:
            x = layer(x)
        return np.sum(x)

    d = grad(loss)(layers, X)
    assert list(d) == ["first", "rest"]
    expected = numerical_gradient(
        lambda b: float(loss({"first": Layer(layers["first"].w, b), "rest": layers["rest"]}, X)), [X], 0
    )
    np.testing.assert_allclose(d["first"].b, expected, rtol=1e-6, atol=1e-8)


def test_what_is_no_float_is_carried_along():
    def loss(params, x):
        total = np.sum(params["w"] * x)
        return total if params["kind"] == "plain" else total**2

    d = grad(loss)({"w": Y, "kind": "plain", "mask": None, "act": np.tanh}, X)
    assert (d["kind"], d["mask"], d["act"]) == ("plain", None, np.tanh)
    np.testing.assert_array_equal(d["w"], X)


@pytest.mark.parametrize("leaf", [3, True, np.arange(3)])
def test_integers_and_bools_in_containers_are_refused_by_name(leaf):
    with pytest.raises(GradTypeError, match=r"`params\['n'\]`"):
        grad(lambda params: np.sum(params["w"]))({"w": X, "n": leaf})


def test_the_same_array_twice_has_two_gradients():
    d = grad(lambda pair: np.sum(pair[0] * pair[1] * X))([Y, Y])
    np.testing.assert_allclose(d[0], X * Y)
    np.testing.assert_allclose(d[1], X * Y)
    assert not np.shares_memory(*d)


def test_an_object_reached_in_two_ways_is_one_object():
    class Tied:
        def __init__(self, layer):
            self.encoder, self.decoder = layer, layer

    def loss(model, x):
        return np.sum(model.decoder.b * x) + np.sum(model.encoder.b**2)

    model = Tied(Layer(M, X.copy()))
    d = grad(loss)(model, Y)
    np.testing.assert_allclose(d.encoder.b, Y + 2 * X)
    model.decoder = Layer(M, Y.copy())  # tied no more: compiled anew
    d = grad(loss)(model, Y)
    np.testing.assert_allclose(d.encoder.b, 2 * X)
    np.testing.assert_allclose(d.decoder.b, Y)


def test_what_changes_between_calls_is_noticed():
    gradient = grad(lambda net, x: np.sum(net(x) ** 2))
    net = Net()
    first = gradient(net, X).layers[1].b
    net.training = False
    np.testing.assert_allclose(gradient(net, X).layers[1].b, first / 4)
    net.layers.append(Layer(RNG.standard_normal((2, 2)), Y[:2].copy()))
    assert len(gradient(net, X).layers) == 3
    net.layers[2].w = 3.0 * np.eye(2)
    np.testing.assert_allclose(gradient(net, X).layers[2].b, 2 * (1 - net(X) ** 2) * net(X), rtol=1e-12)


def test_a_method_that_is_redefined_is_noticed():
    class Model:
        def __init__(self):
            self.w = Y.copy()

        def score(self, x):
            return np.sum(self.w * x)

    gradient, model = grad(lambda model, x: model.score(x)), Model()
    np.testing.assert_allclose(gradient(model, X).w, X)

    def doubled(self, x):
        return 2.0 * np.sum(self.w * x)

    Model.score = doubled
    np.testing.assert_allclose(gradient(model, X).w, 2 * X)


def test_a_method_hidden_by_an_attribute_is_noticed():
    class Model:
        def __init__(self):
            self.w = Y.copy()

        def act(self, x):
            return x * self.w

    gradient, model = grad(lambda model, x: np.sum(model.act(x))), Model()
    np.testing.assert_allclose(gradient(model, X).w, X)
    model.act = np.tanh
    np.testing.assert_array_equal(gradient(model, X).w, np.zeros(3))


def test_the_callers_object_is_as_one_call_leaves_it():
    class Cell:
        def __init__(self):
            self.h, self.w, self.calls, self.mode = np.zeros(3), Y.copy(), 0, "fresh"

        def step(self, x):
            self.h = np.tanh(self.w * x + self.h)
            self.calls += 1
            self.mode = "used"
            return self.h

    def loss(cell, x):
        return np.sum(cell.step(x) * cell.step(2.0 * x)) + np.sum(cell.h)

    plain, differentiated = Cell(), Cell()
    value = loss(plain, X)
    got, d = grad(loss).value_and_grad(differentiated, X)
    np.testing.assert_allclose(got, value)
    np.testing.assert_array_equal(differentiated.h, plain.h)
    assert (differentiated.calls, differentiated.mode) == (2, "used")
    np.testing.assert_array_equal(differentiated.w, Y)

    def fresh(w):
        cell = Cell()
        cell.w = w
        return float(loss(cell, X))

    np.testing.assert_allclose(d.w, numerical_gradient(fresh, [Y], 0), rtol=1e-6, atol=1e-8)
    again = grad(loss)(differentiated, X)  # which starts from the state that the first call left
    assert differentiated.calls == 4
    copied = copy.copy(plain)
    loss(copied, X)
    np.testing.assert_allclose(differentiated.h, copied.h)
    assert again.w.shape == (3,)


def test_an_attribute_of_the_callers_object_changes_in_every_pass():
    class Cell:
        def __init__(self):
            self.h = np.zeros(3)

    def loss(cell, xs):
        for x in xs:
            cell.h = np.tanh(x + cell.h)
        return np.sum(cell.h)

    xs = M.T @ np.ones((3, 3))
    plain, differentiated = Cell(), Cell()
    loss(plain, xs)
    d = grad(loss, argnums=1)(differentiated, xs)
    np.testing.assert_allclose(d, numerical_gradient(lambda v: loss(Cell(), v), [xs], 0), rtol=1e-6)
    np.testing.assert_allclose(differentiated.h, plain.h)
