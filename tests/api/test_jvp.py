"""jvp: the value and its derivative along a direction, by forward mode."""

import importlib
import pickle
import pkgutil

import numpy as np
import pytest
import specimens

from srcgrad import CompileError, GradTypeError, Parameter, SourceNotFound, grad, jvp, vjp

NAMES = sorted(module.name for module in pkgutil.iter_modules(specimens.__path__))
RNG = np.random.default_rng(3)
X, W = RNG.standard_normal((4, 3)), RNG.standard_normal((3, 2))


def decay(rate, level, steps):
    for _ in range(steps):
        level = level - rate * level**2
    return level


def test_value_and_tangent():
    value, tangent = jvp(lambda x, w: np.tanh(x @ w), (X, W), (2.0 * X, W))
    np.testing.assert_array_equal(value, np.tanh(X @ W))
    np.testing.assert_allclose(tangent, (1 - value**2) * (3.0 * X @ W))
    assert (tangent.shape, tangent.dtype) == (value.shape, value.dtype)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(2))
def test_agrees_with_the_gradient_written_by_hand(name, seed):
    """<gradient, direction>, for every specimen; the arguments and the directions stay what they were."""
    module, rng = importlib.import_module(f"specimens.{name}"), np.random.default_rng(seed)
    args = module.arguments(rng)
    gradients = module.by_hand(*args)
    tangents = [rng.standard_normal(np.shape(g)) if np.ndim(g) else rng.standard_normal() for g in gradients]
    before = [np.copy(each) for each in (*args, *tangents)]
    value, tangent = jvp(module.loss, args, tangents, wrt=module.WRT)
    assert value == module.loss(*args)
    terms = [np.sum(g * t) for g, t in zip(gradients, tangents, strict=True)]
    np.testing.assert_allclose(tangent, np.sum(terms), rtol=1e-9, atol=1e-11 * np.sum(np.abs(terms)))
    for each, original in zip((*args, *tangents), before, strict=True):
        np.testing.assert_array_equal(each, original)


def test_none_holds_an_argument_constant():
    _, tangent = jvp(decay, (0.1, 3.0, 4), (1.0, None, None))
    assert tangent == pytest.approx(grad(decay)(0.1, 3.0, 4), rel=1e-12)
    with pytest.raises(GradTypeError, match="`steps`, which is a number of type int"):
        jvp(decay, (0.1, 3.0, 4), (1.0, 1.0, 1.0))
    with pytest.raises(ValueError, match="every argument is held constant"):
        jvp(decay, (0.1, 3.0, 4), (None, None, None))


def test_positions_and_names_choose_arguments():
    expected = jvp(decay, (0.1, 3.0, 4), (None, 2.0, None))
    assert jvp(decay, (0.1, 3.0, 4), (2.0,), argnums=1) == expected
    assert jvp(decay, (0.1, 3.0, 4), (2.0,), wrt="level") == expected
    assert jvp(decay, (0.1, 3.0, 4), (0.0, 2.0), wrt=("rate", "level"))[1] == pytest.approx(expected[1], rel=1e-12)
    with pytest.raises(ValueError, match="1 tangents for 2 arguments"):
        jvp(decay, (0.1, 3.0, 4), (2.0,), wrt=("rate", "level"))
    with pytest.raises(TypeError, match="as two tuples"):
        jvp(decay, 0.1, 1.0)
    with pytest.raises(TypeError, match="primals and tangents, or neither"):
        jvp(decay, (0.1, 3.0, 4))


def test_without_primals_it_is_a_function_with_source():
    def local(rate, level, steps):
        return decay(rate, level, steps)

    with pytest.raises(RuntimeError, match="has not been called yet"):
        print(jvp(local).source)
    pushed = jvp(decay)
    pushed((0.1, 3.0, 4), (1.0, 0.0, None))
    assert "t_level -=" in pushed.source
    assert "append" not in pushed.source
    assert jvp(decay) is pushed, "made once for a function"
    assert pickle.loads(pickle.dumps(pushed))((0.1, 3.0, 4), (1.0, 0.0, None)) == pushed(
        (0.1, 3.0, 4), (1.0, 0.0, None)
    )
    assert "decay" in repr(pushed)


def test_structures_go_in_and_come_out():
    def layer(params, x):
        hidden = np.tanh(x @ params["w"] + params["b"][0])
        return {"hidden": hidden, "norms": (np.sum(hidden), [np.max(x)])}

    params = {"w": W, "b": [0.5]}
    value, tangent = jvp(layer, (params, X), ({"w": np.ones((3, 2)), "b": [2.0]}, np.zeros((4, 3))))
    slope = (1 - value["hidden"] ** 2) * (X @ np.ones((3, 2)) + 2.0)
    np.testing.assert_allclose(tangent["hidden"], slope)
    np.testing.assert_allclose(tangent["norms"][0], slope.sum())
    assert tangent["norms"][1] == [0.0]
    with pytest.raises(ValueError, match=r"`params`\['w'\] of shape \(2,\) for a value of shape \(3, 2\)"):
        jvp(layer, (params, X), ({"w": np.ones(2), "b": [2.0]}, None))
    with pytest.raises(ValueError, match="the tangent of `params` must be a dict with the keys 'w', 'b'"):
        jvp(layer, (params, X), (W, None))


def test_tangents_have_the_primals_dtype():
    x = X.astype(np.float32)
    value, tangent = jvp(lambda x: x * 2.0, (x,), (np.ones((4, 3), int),))
    assert value.dtype == tangent.dtype == np.float32
    with pytest.raises(TypeError, match="the tangent of `x` of dtype complex128"):
        jvp(lambda x: x * 2.0, (x,), (1j * X,))
    _, tangent = jvp(lambda x: x**2, (3.0,), (np.float32(2.0),))
    assert tangent == 12.0
    _, tangent = jvp(lambda x: x[()] * 1.0, (np.array(3.0),), (2.0,))
    assert tangent == 2.0


def test_a_tangent_is_never_an_arguments_memory():
    t = np.ones(3)
    _, tangent = jvp(lambda x: x, (np.zeros(3),), (t,))
    assert not np.shares_memory(tangent, t)
    pair = jvp(lambda x: (x[1:], x[1:]), (np.zeros(3),), (t,))[1]
    assert not np.shares_memory(pair[0], pair[1])


def test_what_no_result_depends_on_gives_zeros():
    value, tangent = jvp(lambda x, n: np.arange(n) * 1.0, (X, 3), (X, None))
    np.testing.assert_array_equal(value, [0, 1, 2])
    np.testing.assert_array_equal(tangent, [0, 0, 0])


def test_results_that_have_no_derivative():
    with pytest.raises(GradTypeError, match=r"returns int64, not a real floating-point number or array.*has_aux"):
        jvp(lambda x: np.argmax(x), (X,), (X,))
    with pytest.raises(GradTypeError, match="returns None, which has no derivative"):
        jvp(lambda x: None, (X,), (X,))
    with pytest.raises(SourceNotFound):
        jvp(np.sin, (X,), (X,))


def test_parameters_count_as_their_arrays():
    _, tangent = jvp(lambda x: np.sum(x**2), (Parameter(X),), (Parameter(X),))
    assert tangent == pytest.approx(2 * np.sum(X**2))


def test_functions_of_any_signature():
    scale = 2.0

    def f(x, *rest, power=2.0):
        return scale * x**power + rest[0] * rest[1]

    value, tangent = jvp(f, (3.0, 4.0, 5.0), (1.0, 1.0, 0.0))
    assert (value, tangent) == (38.0, 12.0 + 5.0)
    value, tangent = jvp(f, (3.0, 4.0, 5.0), (1.0,), argnums=(2,))
    assert tangent == 4.0
    value, tangent = jvp(lambda t_x, x: t_x * x, (2.0, 3.0), (1.0, 10.0))
    assert tangent == 3.0 + 20.0, "an argument may be called like a tangent"


def test_objects_are_read():
    class Model:
        def __init__(self, gain):
            self.gain = gain

        def energy(self, x):
            return self.gain * np.sum(x)

    _, tangent = jvp(lambda model, x: model.energy(x), (Model(3.0), X), (None, X))
    assert tangent == pytest.approx(3.0 * np.sum(X))


def test_effects_happen_once_and_in_order(capsys):
    def noisy(x, rng):
        noise = rng.normal(size=len(x))
        print("drawn")
        return np.sum((x + noise) ** 2)

    rng = np.random.default_rng(0)
    value, tangent = jvp(noisy, (np.zeros(2), rng), (np.ones(2), None))
    noise = np.random.default_rng(0).normal(size=2)
    assert capsys.readouterr().out == "drawn\n"
    assert (value, tangent) == (np.sum(noise**2), np.sum(2 * noise))


def test_failures_name_the_users_line():
    def fragile(m):
        return np.linalg.inv(m)[0, 0]

    with pytest.raises(np.linalg.LinAlgError) as caught:
        jvp(fragile, (np.zeros((2, 2)),), (np.ones((2, 2)),))
    assert any("test_jvp.py" in note for note in caught.value.__notes__)


def test_what_cannot_be_differentiated_is_refused_with_its_line():
    def changed(x, n):
        x[n] = x[n] * 2.0
        return x[n] if n == 0 else x[n] + changed(x, n - 1)

    with pytest.raises(CompileError, match=r"test_jvp.py:\d+.*\n.*x\[n\] = x\[n\]"):
        jvp(changed, (np.ones(4), 3), (np.ones(4), None))


def test_strong_zeros_in_forward_mode():
    x = np.array([0.0, 4.0])
    with np.errstate(divide="ignore", invalid="ignore"):
        for f in (
            lambda x: np.where(x > 0, np.sqrt(x), 0.0),
            lambda x: np.sqrt(x) * (x > 0),
            lambda x: np.sqrt(x[x > 0]),
        ):
            _, tangent = jvp(f, (x,), (np.ones(2),))
            np.testing.assert_array_equal(tangent[-1], 0.25)
            assert np.all(np.isfinite(tangent))
            assert np.sum(tangent) == 0.25


def test_both_modes_agree_on_a_jacobian_product():
    def f(x, w):
        y = np.sort(np.cumsum(x @ w, axis=0), axis=0)
        return np.linalg.solve(w.T @ w + np.eye(2), y.T)

    (tx, tw), seed = (RNG.standard_normal(np.shape(a)) for a in (X, W)), RNG.standard_normal((2, 4))
    _, tangent = jvp(f, (X, W), (tx, tw))
    _, pullback = vjp(f, X, W)
    dx, dw = pullback(seed)
    np.testing.assert_allclose(np.sum(tangent * seed), np.sum(dx * tx) + np.sum(dw * tw))
