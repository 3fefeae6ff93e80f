"""The training style and `vjp`: compiled halves, Parameters inside containers, frozen ones, no_grad."""

import numpy as np
import pytest
from referee import numerical_gradient

from srcgrad import CompileError, GradTypeError, Parameter, grad, no_grad, set_grad_enabled, vjp

pytestmark = pytest.mark.quick

RNG = np.random.default_rng(5)
X, W, B = RNG.standard_normal((4, 3)), RNG.standard_normal((3, 2)), RNG.standard_normal(2)


@grad
def loss(params, x, s=1.0):
    return np.sum(np.tanh(x @ params["w"] + params["layers"][0]) ** 2) * s


def parameters(**frozen):
    return {"w": Parameter(W.copy()), "layers": [Parameter(B.copy(), requires_grad=not frozen.get("b", False))]}


def expected(name):
    def value(w, b):
        return loss.function({"w": w, "layers": [b]}, X)

    return numerical_gradient(value, (W, B), 0 if name == "w" else 1)


def test_parameters_inside_containers_get_their_gradients():
    params = parameters()
    out = loss.forward(params, X)
    assert out.item() == pytest.approx(loss.function({"w": W, "layers": [B]}, X))
    out.backward()
    np.testing.assert_allclose(params["w"].grad, expected("w"), rtol=1e-6)
    np.testing.assert_allclose(params["layers"][0].grad, expected("b"), rtol=1e-6)
    loss.forward(params, X).backward()
    np.testing.assert_allclose(params["w"].grad, 2 * expected("w"), rtol=1e-6)


def test_a_frozen_parameter_gets_none_and_costs_nothing():
    params = parameters(b=True)
    loss.forward(params, X).backward()
    np.testing.assert_allclose(params["w"].grad, expected("w"), rtol=1e-6)
    assert params["layers"][0].grad is None
    assert "d_w" in loss.backward_source or "return (x.T" in loss.backward_source
    assert "sum(axis=0)" not in loss.backward_source
    params["layers"][0].requires_grad = True
    loss.forward(params, X).backward()
    assert params["layers"][0].grad is not None
    assert "axis=0" in loss.backward_source


def test_nothing_is_recorded_without_gradients():
    params = parameters()
    with no_grad():
        assert not loss.forward(params, X).requires_grad
    with set_grad_enabled(False):
        out = loss.forward(params, X)
    assert not out.requires_grad
    assert out.item() == pytest.approx(loss.function({"w": W, "layers": [B]}, X))
    for each in (params["w"], params["layers"][0]):
        each.requires_grad = False
    assert not loss.forward(params, X).requires_grad


def test_one_parameter_in_two_places():
    p = Parameter(B.copy())
    grad(lambda x, y: np.sum(x * y)).forward(p, p).backward()
    np.testing.assert_allclose(p.grad, 2 * B)
    q = Parameter(B.copy())
    grad(lambda xs: np.sum(xs[0] * xs[1])).forward([q, q]).backward()
    np.testing.assert_allclose(q.grad, 2 * B)


def test_plain_arguments_give_their_gradients_back():
    out = grad(lambda x, y: np.sum(x * y) * 3, (0, 1)).forward(B, B + 1.0)
    dx, dy = out.backward()
    np.testing.assert_allclose(dx, 3 * B + 3)
    np.testing.assert_allclose(dy, 3 * B)


def test_array_results_take_a_gradient():
    p = Parameter(B.copy())
    out = grad(lambda x: x * x).forward(p)
    with pytest.raises(RuntimeError, match="scalar outputs"):
        out.backward()
    out.backward(np.array([1.0, 10.0]))
    np.testing.assert_allclose(p.grad, 2 * B * [1, 10])


def test_the_halves_share_nothing_with_the_parameters():
    p = Parameter(B.copy())
    grad(lambda x: x).forward(p).backward(np.ones(2))
    p.grad += 5.0
    np.testing.assert_array_equal(p.data, B)
    constant = Parameter(B.copy())
    grad(lambda x: 2.0).forward(constant).backward()
    np.testing.assert_array_equal(constant.grad, [0, 0])


def test_a_parameter_read_from_outside_is_refused():
    hidden = Parameter(B.copy())
    with pytest.raises(CompileError, match=r"`hidden` is a Parameter.*\n.*\n.*\n.*Pass it as an argument"):
        grad(lambda x: np.sum(x * hidden))(B)


def test_grad_takes_parameters_as_their_arrays():
    np.testing.assert_allclose(grad(lambda x: np.sum(x**2))(Parameter(B.copy())), 2 * B)


# vjp


def test_vjp_of_an_array_valued_function():
    value, pullback = vjp(lambda x, w: x @ w, X, W)
    np.testing.assert_allclose(value, X @ W)
    seed = RNG.standard_normal((4, 2))
    dx, dw = pullback(seed)
    np.testing.assert_allclose(dx, seed @ W.T)
    np.testing.assert_allclose(dw, X.T @ seed)
    again = pullback(seed)
    assert not np.shares_memory(again[0], dx)


def test_vjp_of_some_positions():
    value, pullback = vjp(lambda x, n: np.sum(x) * n, B, 3, argnums=0)
    assert value == pytest.approx(3 * np.sum(B))
    np.testing.assert_allclose(pullback(2.0)[0], [6, 6])
    with pytest.raises(GradTypeError, match="`n`, which is a number of type int"):
        vjp(lambda x, n: np.sum(x) * n, B, 3)
    with pytest.raises(ValueError, match="no position 5"):
        vjp(lambda x: x, B, argnums=5)
    with pytest.raises(GradTypeError, match="returns None, which has no derivative"):
        vjp(lambda x: None, B)


def test_vjp_of_a_structure_takes_a_cotangent_of_that_structure():
    value, pullback = vjp(lambda x, w: {"out": x @ w, "sizes": [np.sum(x), 2.0 * w[0, 0]]}, X, W)
    np.testing.assert_allclose(value["out"], X @ W)
    seed = RNG.standard_normal((4, 2))
    dx, dw = pullback({"out": seed, "sizes": [1.0, 3.0]})
    np.testing.assert_allclose(dx, seed @ W.T + 1.0)
    expected = X.T @ seed
    expected[0, 0] += 6.0
    np.testing.assert_allclose(dw, expected)
    with pytest.raises(ValueError, match=r"a cotangent must be a dict with the keys 'out', 'sizes'"):
        pullback(seed)
    with pytest.raises(ValueError, match=r"a cotangent\['sizes'\] must be a list of 2"):
        pullback({"out": seed, "sizes": [1.0]})
    with pytest.raises(ValueError, match=r"a cotangent\['out'\] of shape \(4,\) for a value of shape \(4, 2\)"):
        pullback({"out": seed[:, 0], "sizes": [1.0, 1.0]})


def test_a_cotangent_has_the_values_shape_and_kind():
    _, pullback = vjp(lambda x: x * 2.0, B.astype(np.float32))
    (d,) = pullback([1, 2])
    assert d.dtype == np.float32
    np.testing.assert_allclose(d, [2, 4])
    for shape in ((), (1,), (3,), (1, 2)):
        with pytest.raises(ValueError, match="a cotangent of shape"):
            pullback(np.ones(shape))
    with pytest.raises(TypeError, match="a cotangent of dtype complex128"):
        pullback(np.ones(2) * 1j)


def test_the_pullback_of_the_identity_gives_no_memory_away():
    seed = np.ones(2)
    _, pullback = vjp(lambda x: x, B)
    (d,) = pullback(seed)
    assert not np.shares_memory(d, seed)


def test_failures_in_the_backward_half_name_the_users_line():
    def fragile(m):
        return np.linalg.inv(m)[0, 0]

    with pytest.raises(np.linalg.LinAlgError) as caught:
        vjp(fragile, np.zeros((2, 2)))
    assert any("test_forward_backward.py" in note for note in caught.value.__notes__)
