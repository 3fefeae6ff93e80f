"""jacobian, jacfwd, jacrev and hessian: shapes as JAX's, values from finite differences and from each other."""

import importlib
import pickle
import pkgutil

import numpy as np
import pytest
import specimens
from referee import numerical_gradient

from srcgrad import CompileError, GradTypeError, hessian, hvp, jacfwd, jacobian, jacrev

RNG = np.random.default_rng(5)
X, W = RNG.standard_normal((4, 3)), RNG.standard_normal((3, 2))
MODES = jacobian, jacfwd, jacrev
each_mode = pytest.mark.parametrize("mode", MODES)


def layer(x, w):
    return np.tanh(x @ w)


@each_mode
def test_a_matrix_of_derivatives(mode):
    found = mode(layer, argnums=(0, 1))(X, W)
    slope = 1 - layer(X, W) ** 2
    by_x = np.einsum("ik,ij,lk->ikjl", slope, np.eye(4), W)
    by_w = np.einsum("ik,ij,lk->ikjl", slope, X, np.eye(2))
    assert isinstance(found, tuple)
    np.testing.assert_allclose(found[0], by_x, atol=1e-15)
    np.testing.assert_allclose(found[1], by_w, atol=1e-15)
    assert (found[0].shape, found[1].shape) == ((4, 2, 4, 3), (4, 2, 3, 2))


@each_mode
def test_against_finite_differences(mode):
    def f(x):
        y = np.cumsum(np.sin(x))
        for k in range(3):
            y = y * x + k
        return y[1:]

    x = RNG.standard_normal(4)
    expected = [numerical_gradient(lambda x, k=k: f(x)[k], [x], 0) for k in range(3)]
    np.testing.assert_allclose(mode(f)(x), expected, rtol=1e-7, atol=1e-8)


@each_mode
def test_numbers_and_arrays(mode):
    assert mode(lambda x: x**2)(3.0) == 6.0
    assert np.shape(mode(lambda x: x**2)(3.0)) == ()
    np.testing.assert_allclose(mode(lambda x: np.array([x, x**2]))(3.0), [1, 6])
    np.testing.assert_allclose(mode(lambda x: np.sum(x**2))(np.array([1.0, 2.0])), [2, 4])
    scalar = mode(lambda x: x * 3.0)(np.array(2.0))
    assert isinstance(scalar, np.ndarray)
    assert scalar == 3.0


@each_mode
def test_structures(mode):
    """The result's structure, and within it the argument's."""

    def f(params, t):
        return {"sum": params["a"] * t + params["b"][0], "pair": (np.sum(params["a"]), [t])}

    a = np.array([1.0, 2.0])
    found = mode(f, wrt=("params", "t"))({"a": a, "b": (3.0,)}, 2.0)
    np.testing.assert_allclose(found["sum"][0]["a"], 2 * np.eye(2))
    np.testing.assert_allclose(found["sum"][0]["b"][0], [1, 1])
    np.testing.assert_allclose(found["sum"][1], a)
    np.testing.assert_allclose(found["pair"][0][0]["a"], [1, 1])
    assert found["pair"][0][1] == 0.0
    assert found["pair"][1][0][1] == 1.0


@each_mode
@pytest.mark.parametrize("shape", [(0,), (2, 0)])
def test_nothing_to_differentiate(mode, shape):
    assert mode(lambda x: x * 2.0)(np.zeros(shape)).shape == (*shape, *shape)
    assert mode(lambda x: np.sum(x))(np.zeros(shape)).shape == shape


@each_mode
def test_single_precision(mode):
    found = mode(layer)(X.astype(np.float32), W.astype(np.float32))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, mode(layer)(X, W), atol=1e-5)


def test_the_mode_goes_by_the_sizes():
    tall, wide = jacobian(lambda x: x @ np.ones((2, 5))), jacobian(lambda x: np.ones((2, 5)) @ x)
    np.testing.assert_array_equal(tall(np.ones(2)), np.ones((5, 2)))
    np.testing.assert_array_equal(wide(np.ones(5)), np.ones((2, 5)))
    assert "t_x" in tall.source
    assert "_rows" in wide.source
    compiled = len(tall.specializations)
    tall(np.zeros(2))
    assert len(tall.specializations) == compiled


def test_effects_once_or_not_at_all(capsys):
    def talkative(x):
        print("called")
        return x * 2.0

    np.testing.assert_array_equal(jacrev(talkative)(np.ones(3)), 2 * np.eye(3))
    assert capsys.readouterr().out == "called\n"
    with pytest.raises(CompileError, match=r'(?s)columns of a Jacobian.*print\("called"\).*Use `jacrev`'):
        jacfwd(talkative)(np.ones(3))


def test_arguments_stay_and_results_are_fresh():
    x = np.ones(3)
    found = jacobian(lambda x: x)(x)
    np.testing.assert_array_equal(x, np.ones(3))
    found[0, 0] = 5.0
    np.testing.assert_array_equal(jacobian(lambda x: x)(x), np.eye(3))


def test_errors_name_the_argument():
    with pytest.raises(GradTypeError, match="`x`, which is an array of integers"):
        jacobian(lambda x: x * 2.0)(np.arange(3))
    with pytest.raises(GradTypeError, match="returns int64"):
        jacfwd(lambda x: np.argmax(x))(X)
    for mode in MODES:
        with pytest.raises(GradTypeError, match="complex arguments or results"):
            mode(lambda x: x * 2.0)(X * 1j)
        with pytest.raises(GradTypeError, match="complex arguments or results"):
            mode(lambda x: np.exp(1j * x))(X)
    with pytest.raises(ValueError, match="no parameter `z`"):
        jacobian(layer, wrt="z")
    with pytest.raises(RuntimeError, match="has not been called yet"):
        print(jacobian(layer).source)


def test_pickles():
    again = pickle.loads(pickle.dumps(jacfwd(layer, wrt="w")))
    np.testing.assert_array_equal(again(X, W), jacfwd(layer, 1)(X, W))
    assert "Jacobian of layer with respect to w" in repr(again)


# Hessians


def rosenbrock(x):
    return np.sum(100.0 * (x[1:] - x[:-1] ** 2) ** 2 + (1.0 - x[:-1]) ** 2)


def test_hessian_of_a_known_function():
    x = np.array([-1.2, 1.0])
    expected = [[1200 * x[0] ** 2 - 400 * x[1] + 2, -400 * x[0]], [-400 * x[0], 200]]
    np.testing.assert_allclose(hessian(rosenbrock)(x), expected)
    assert hessian(lambda x: x**3)(2.0) == 12.0


NAMES = sorted(module.name for module in pkgutil.iter_modules(specimens.__path__))


@pytest.mark.parametrize("name", NAMES)
def test_hessians_of_the_specimens(name):
    """Products with a vector, against finite differences of the gradient by hand; and rows of the whole matrix."""
    module, rng = importlib.import_module(f"specimens.{name}"), np.random.default_rng(0)
    args = module.arguments(rng)
    names = module.loss.__code__.co_varnames
    first = module.WRT[0]
    place = names.index(first)
    v = rng.standard_normal(np.shape(args[place]))
    v = v if v.ndim else float(v)
    v = v + v.T if name == "log_det_covariance" else v  # by hand, for symmetric matrices

    def along(step):
        moved = [*args[:place], args[place] + step * v, *args[place + 1 :]]
        return np.asarray(module.by_hand(*moved)[0])

    expected = (along(1e-6) - along(-1e-6)) / 2e-6
    product = hvp(module.loss, wrt=first)(*args, v)
    scale = max(1.0, np.max(np.abs(expected)))
    np.testing.assert_allclose(product, expected, atol=2e-6 * scale, rtol=1e-6)
    if np.size(args[place]) <= 30:
        matrix = hessian(module.loss, wrt=first)(*args)
        full = np.tensordot(matrix, v, axes=np.ndim(v)) if np.ndim(v) else matrix * v
        np.testing.assert_allclose(full, product, atol=1e-9 * scale, rtol=1e-9)
        flat = np.reshape(matrix, (np.size(args[place]), -1))
        np.testing.assert_allclose(flat, flat.T, atol=1e-9 * max(1.0, np.max(np.abs(flat))))


def test_hessian_blocks():
    found = hessian(lambda a, b: np.sum(a) * b**2, argnums=(0, 1))(np.ones(2), 3.0)
    np.testing.assert_array_equal(found[0][0], np.zeros((2, 2)))
    np.testing.assert_array_equal(found[0][1], [6, 6])
    np.testing.assert_array_equal(found[1][0], [6, 6])
    assert found[1][1] == 4.0
