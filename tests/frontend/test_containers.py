"""Lists, tuples, dicts and objects: as parameters, with gradients of the same structure, and inside functions."""

import numpy as np
import pytest
from agreement import check
from referee import numerical_gradient

from srcgrad import GradTypeError, grad

pytestmark = pytest.mark.quick

RNG = np.random.default_rng(3)
X, Y, M = RNG.standard_normal(3), RNG.standard_normal(3), RNG.standard_normal((3, 2))


def test_the_gradient_has_its_parameters_structure():
    def loss(pair, table):
        return np.sum(pair[0] * pair[1]) * table["a"] + np.sum(table["b"][0]) * table["b"][1][0] * table["b"][1][1]

    check(loss, [X, Y], {"a": 2.0, "b": (M, [1.0, np.array(2.0)])})
    d = grad(loss, argnums=1)([X, Y], {"a": 2.0, "b": (M, [1.0, np.array(2.0)])})
    assert list(d) == ["a", "b"]
    assert isinstance(d["b"], tuple)
    assert isinstance(d["b"][1], list)


def test_layers():
    def net(layers, x):
        for i, layer in enumerate(layers):
            x = x @ layer["w"] + layer["b"]
            if i < len(layers) - 1:
                x = np.tanh(x)
        return np.sum(x**2)

    square = RNG.standard_normal((3, 3))
    check(net, [{"w": square, "b": X}, {"w": square.T, "b": Y}, {"w": M, "b": Y[:2]}], X)
    check(lambda ws, x: np.sum(np.tanh(np.tanh(x @ ws[0]) @ ws[1])), (square, M), X)


def test_walking_over_a_dict():
    def loss(params):
        total = 0.0
        for key, value in params.items():
            total = total + np.sum(value**2) * (2.0 if key == "w" else 1.0)
        for value in params.values():
            total = total + np.sum(value)
        for key in params:
            total = total + np.sum(params[key] ** 3)
        return total * len(params) + np.sum(params.get("none", 0.0))

    check(loss, {"w": X, "b": 2.0})


def test_numbers_in_lists():
    check(lambda xs: sum(v * v for v in xs), [1.0, 2.0, 3.0])
    check(lambda xs: xs[0][0] * xs[0][1] * xs[1][0], ((1.0, 2.0), (3.0,)))


def test_keys_of_several_kinds():
    check(
        lambda d: d[0] * d["it's"] * d["d"] * d[""] * d["class"],
        {0: 2.0, "it's": 3.0, "d": 4.0, "": 5.0, "class": 6.0},
    )


def test_lists_and_dicts_made_inside():
    def loss(x):
        parts, table = [x], {"a": x[0]}
        parts.append(x * 2)
        parts += [x**2]
        parts.insert(0, x * 3)
        last = parts.pop()
        table["b"] = x[1] * x[2]
        table.update(c=x[2], a=table["a"] * 2)
        parts[0] = parts[1] * parts[2]
        copied = {**table, "d": 2.0} | {"e": 3.0}
        more = [*parts, last, x]
        return sum(np.sum(p) for p in more[1:]) * copied["a"] * copied["d"] + copied["b"] * copied["e"] + more[-1][0]

    check(loss, X)


def test_membership_and_equality():
    def loss(x, mode):
        options = ["a", "b"]
        if mode in options and mode != "b" and (1, "z") == (1, "z") and [1, 2] != [1]:
            return np.sum(x**2)
        return np.sum(x) * options.index("b")

    check(loss, X, "a")
    check(loss, X, "b")


def test_arrays_from_lists():
    def loss(x):
        a = np.array([x[0], 2.0, x[1] * x[2]]) + np.array([[1.0], [2.0]])
        return np.sum(a**2) + np.sum(np.stack([x, x * x]) ** 2) + np.sum(x * [1.0, 2.0, 3.0]) + np.dot(x, (1, 2, 3))

    check(loss, X)


class Model:
    """What users write: arrays and numbers in attributes, methods that read them."""

    gain = 3.0

    def __init__(self):
        self.w, self.b, self.n, self.mode, self.act = Y.copy(), 2.0, 2, "tanh", np.tanh
        self.layers = [M, {"scale": 0.5}]

    def hidden(self, x):
        return self.act(x) * self.w**self.n

    def __call__(self, x):
        if self.mode == "tanh":
            return self.hidden(x) @ self.layers[0] * self.layers[1]["scale"]
        return self.hidden(x) @ self.layers[0]

    @grad(wrt="x")
    def loss(self, x):
        return np.sum(self(x) ** 2) * self.b * self.gain


class Louder(Model):
    gain = 4.0

    def hidden(self, x):
        return x * self.w


def test_attributes_and_methods_of_an_object_are_read_at_each_call():
    def agrees(model):
        expected = numerical_gradient(lambda x: Model.loss.function(model, x), (X,), 0)
        np.testing.assert_allclose(model.loss(X), expected, rtol=1e-6)

    model = Model()
    agrees(model)
    compiled = len(Model.loss.specializations)
    model.w, model.b = model.w * 2, 5.0
    agrees(model)
    agrees(Model())
    assert len(Model.loss.specializations) == compiled  # the same kinds of data: nothing to compile
    model.n = 3
    agrees(model)
    model.mode, model.act = "none", np.sin
    agrees(model)
    model.w = 2.0
    agrees(model)
    agrees(Louder())
    assert "w = self.w\n" in Model.loss.source


def test_an_object_outside_is_read_at_each_call():
    model = Model()
    gradient = check(lambda x: np.sum(model(x)) + model.b * x[0], X)
    model.w, model.b = model.w * 3, 7.0
    check(gradient.function, X)
    before = gradient(X)
    model.b = 8.0
    np.testing.assert_allclose(gradient(X)[0] - before[0], [1.0, 0.0, 0.0], atol=1e-12)


def test_an_object_without_floats_cannot_be_differentiated():
    class Empty:
        name = "empty"

    with pytest.raises(GradTypeError, match=r"`self`, which is .*Empty, not a number or an array"):
        grad(lambda self, x: np.sum(x))(Empty(), X)
