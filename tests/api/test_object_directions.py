"""Objects as directions: data classes, modules, lists of layers and what is nested in them, in `jvp` and `hvp`."""

import dataclasses

import numpy as np
import pytest

from srcgrad import Parameter, grad, hessian, hvp, jvp, nn
from srcgrad.errors import GradTypeError

RNG = np.random.default_rng(0)
X = RNG.normal(size=(4, 3))


@dataclasses.dataclass
class Layer:
    w: np.ndarray
    b: np.ndarray
    scale: float = 1.0
    name: str = "layer"


@dataclasses.dataclass
class Net:
    layers: list
    out: dict


class Cell:
    def __init__(self, w, b):
        self.w, self.b = w, b

    def __call__(self, x):
        return np.tanh(x @ self.w + self.b)


def layer_loss(p, x):
    return np.sum(np.tanh(x @ p.w + p.b) ** 2) * p.scale


def net_loss(net, x):
    for layer in net.layers:
        x = np.tanh(x @ layer.w + layer.b) * layer.scale
    return np.sum((x @ net.out["v"]) ** 2)


def cell_loss(cell, x):
    return np.sum(cell(x) ** 2)


def normal(*shape):
    return RNG.normal(size=shape)


def layer():
    return Layer(normal(3, 3), normal(3), float(RNG.normal()))


def net():
    return Net([layer(), layer()], {"v": normal(3)})


CASES = {
    "a data class": (layer_loss, layer),
    "layers in a list in an object": (net_loss, net),
    "an object of a plain class": (cell_loss, lambda: Cell(normal(3, 2), normal(2))),
}


def arrays(thing):
    """The floats of a structure, as one vector."""
    if isinstance(thing, (np.ndarray, float, np.floating)):
        return np.ravel(thing)
    if isinstance(thing, str):
        return np.zeros(0)
    items = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, list) else vars(thing).values()
    return np.concatenate([arrays(item) for item in items])


def moved(thing, direction, step):
    if isinstance(thing, (np.ndarray, float, np.floating)):
        return thing + step * direction
    if isinstance(thing, str):
        return thing
    if isinstance(thing, dict):
        return {key: moved(item, direction[key], step) for key, item in thing.items()}
    if isinstance(thing, list):
        return [moved(item, d, step) for item, d in zip(thing, direction, strict=True)]
    made = object.__new__(type(thing))
    vars(made).update({key: moved(item, vars(direction)[key], step) for key, item in vars(thing).items()})
    return made


@pytest.mark.parametrize("name", CASES)
def test_along_an_object(name):
    loss, make = CASES[name]
    at, along = make(), make()
    value, tangent = jvp(loss, (at, X), (along, None))
    assert value == loss(at, X)
    expected = (loss(moved(at, along, 1e-6), X) - loss(moved(at, along, -1e-6), X)) / 2e-6
    assert tangent == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("name", CASES)
def test_a_hessian_times_an_object(name):
    loss, make = CASES[name]
    at, along = make(), make()
    product = hvp(loss)(at, X, along)
    assert type(product) is type(at)
    ahead, behind = (arrays(grad(loss)(moved(at, along, step), X)) for step in (1e-6, -1e-6))
    np.testing.assert_allclose(arrays(product), (ahead - behind) / 2e-6, rtol=1e-6, atol=1e-6)


def test_a_gradient_is_a_direction():
    p = layer()
    gradient = grad(layer_loss)(p, X)
    _, slope = jvp(layer_loss, (p, X), (gradient, None))
    assert slope == pytest.approx(float(np.sum(arrays(gradient) ** 2)), rel=1e-12)


def test_what_is_no_float_is_kept():
    product = hvp(layer_loss)(layer(), X, layer())
    assert product.name == "layer"


def test_modules_with_parameters():
    model, along = nn.Linear(3, 2), nn.Linear(3, 2)

    def loss(model, x):
        return np.sum(np.tanh(model(x)) ** 2)

    _, tangent = jvp(loss, (model, X), (along, None))
    plain = Cell(model.weight.data, model.bias.data), Cell(along.weight.data, along.bias.data)

    def unrolled(cell, x):
        return np.sum(np.tanh(x @ cell.w.T + cell.b) ** 2)

    assert tangent == pytest.approx(jvp(unrolled, (plain[0], X), (plain[1], None))[1], rel=1e-6)


def test_arrays_may_stand_for_parameters():
    cell = Cell(Parameter(normal(3, 2)), Parameter(normal(2)))
    along = Cell(normal(3, 2), normal(2))
    _, tangent = jvp(cell_loss, (cell, X), (along, None))
    plain = Cell(cell.w.data, cell.b.data)
    assert tangent == jvp(cell_loss, (plain, X), (along, None))[1]


def test_the_direction_is_read_as_a_tuple():
    product = hvp(cell_loss)
    product(Cell(normal(3, 2), normal(2)), X, Cell(normal(3, 2), normal(2)))
    assert "def cell_loss_hvp(cell, x, t_cell):" in product.source


def test_errors():
    p = layer()
    with pytest.raises(ValueError, match=r"the tangent of `p` has no \.b"):
        jvp(layer_loss, (p, X), (type("Half", (), {"w": p.w})(), None))
    with pytest.raises(ValueError, match=r"the tangent of `p`\.w of shape \(2, 2\)"):
        jvp(layer_loss, (p, X), (Layer(np.ones((2, 2)), p.b), None))
    with pytest.raises(GradTypeError, match="holds objects"):
        hessian(layer_loss)(p, X)
