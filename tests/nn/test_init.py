"""Initial values: written in place, with the distribution that is asked for."""

import math

import numpy as np
import pytest

from srcgrad import Parameter
from srcgrad.nn import init

pytestmark = pytest.mark.quick


def weight(*shape):
    return Parameter(np.full(shape, np.nan, np.float32))


@pytest.mark.parametrize(
    ("fill", "deviation", "limit"),
    [
        (lambda w: init.uniform_(w, -2.0, 2.0, rng=0), 4 / math.sqrt(12), 2.0),
        (lambda w: init.normal_(w, 0.0, 0.5, rng=0), 0.5, math.inf),
        (lambda w: init.trunc_normal_(w, 0.0, 1.0, -1.0, 1.0, rng=0), 0.5396, 1.0),
        (lambda w: init.xavier_uniform_(w, rng=0), math.sqrt(2 / 500), math.sqrt(6 / 500)),
        (lambda w: init.xavier_normal_(w, gain=2.0, rng=0), 2 * math.sqrt(2 / 500), math.inf),
        (lambda w: init.kaiming_uniform_(w, rng=0), math.sqrt(2 / 300), math.sqrt(6 / 300)),
        (lambda w: init.kaiming_uniform_(w, a=math.sqrt(5), rng=0), 1 / math.sqrt(900), 1 / math.sqrt(300)),
        (lambda w: init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu", rng=0), 0.1, math.inf),
    ],
)
def test_distributions(fill, deviation, limit):
    w = weight(200, 300)
    memory = w.data
    assert fill(w) is w
    assert w.data is memory
    assert w.version == 1
    assert w.dtype == np.float32
    assert np.std(w.data) == pytest.approx(deviation, rel=0.01)
    assert np.mean(w.data) == pytest.approx(0.0, abs=0.02 * deviation)
    assert np.max(np.abs(w.data)) <= limit * (1 + 1e-6)


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 3, 2, 2)])
def test_orthogonal(shape):
    w = init.orthogonal_(np.empty(shape), gain=2.0, rng=0).reshape(shape[0], -1)
    product = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(product, 4.0 * np.eye(len(product)), atol=1e-12)


def test_a_seed_gives_the_same_again_and_a_generator_goes_on():
    first, again = (init.normal_(np.empty(3), rng=1) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    rng = np.random.default_rng(1)
    np.testing.assert_array_equal(init.normal_(np.empty(3), rng=rng), first)
    assert (init.normal_(np.empty(3), rng=rng) != first).all()


def test_constants():
    assert init.zeros_(weight(2)).data.tolist() == [0, 0]
    assert init.ones_(weight(2)).data.tolist() == [1, 1]
    assert init.constant_(weight(2), 0.5).data.tolist() == [0.5, 0.5]
    assert init.eye_(weight(2, 3)).data.tolist() == [[1, 0, 0], [0, 1, 0]]


def test_fans_count_the_kernel():
    assert init.fans(weight(6, 4, 3, 2)) == (24, 36)


@pytest.mark.peers
@pytest.mark.parametrize(
    ("name", "a"), [("linear", None), ("tanh", None), ("relu", None), ("leaky_relu", 0.3), ("selu", None)]
)
def test_gains_are_pytorchs(name, a):
    torch = pytest.importorskip("torch")
    assert init.calculate_gain(name, a) == pytest.approx(torch.nn.init.calculate_gain(name, a), rel=1e-15)


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: init.xavier_normal_(weight(3)), r"fan in and fan out need a weight of two axes .* shape \(3,\)"),
        (lambda: init.eye_(weight(3)), "eye_ need a weight of two axes"),
        (lambda: init.orthogonal_(weight(3)), "orthogonal_ need a weight"),
        (lambda: init.kaiming_normal_(weight(3, 3), mode="fan"), "Mode fan not supported"),
        (lambda: init.calculate_gain("swish"), "Unsupported nonlinearity swish"),
        (lambda: init.trunc_normal_(weight(3), 0.0, 1.0, 20.0, 21.0), "hardly any of the mass"),
    ],
)
def test_errors(attempt, message):
    with pytest.raises(ValueError, match=message):
        attempt()
