"""Derivatives that a function takes while it runs, `grad(f)(x)` and its relatives, differentiated with it."""

import numpy as np
import pytest
from agreement import check

from srcgrad import CompileError, checkpoint, grad, hessian, hvp, jvp, rule, value_and_grad

X, V = np.array([0.3, 0.5, -0.2]), np.array([1.0, -2.0, 0.5])


def energy(x, scale):
    return np.sum(np.sin(x) * scale * x)


@grad
def slope(x):
    return np.sum(x**3)


both = value_and_grad(energy, wrt=["x", "scale"])


def stepped(x, steps):
    """A loop that is left early, with a branch in it."""
    for _ in range(steps):
        if np.sum(x) > 3.0:
            break
        x = x * x if x[0] > 0.5 else np.sin(x) + x
    return np.sum(x**2)


# What it is for


def test_a_gradient_penalty():
    def penalty(x, scale):
        return np.sum(grad(energy)(x, scale) ** 2)

    check(penalty, X, 2.0)
    assert "import srcgrad" not in grad(penalty).source_for(X, 2.0)


def test_newton_steps():
    def root(start, square):
        def residual(x):
            return x**2 - square

        x = start
        for _ in range(6):
            x = x - residual(x) / grad(residual)(x)
        return x

    check(root, 1.0, 2.0, tolerance=1e-5)
    assert grad(root, 1)(1.0, 2.0) == pytest.approx(0.5 / np.sqrt(2.0))


def test_an_inner_loop_of_training():
    def after(w, x, y, lr):
        def loss(w):
            return np.mean((np.tanh(x @ w["w"] + w["b"]) - y) ** 2)

        value = 0.0
        for _ in range(3):
            value, d = value_and_grad(loss)(w)
            w = {"w": w["w"] - lr * d["w"], "b": w["b"] - lr * d["b"]}
        return loss(w) + 0.1 * value

    rng = np.random.default_rng(0)
    check(after, {"w": V, "b": 0.3}, rng.normal(size=(4, 3)), rng.normal(size=4), 0.1)


def test_a_residual_of_a_differential_equation():
    def physics(w, t):
        def wave(t):
            return np.sum(w * np.sin(w * t))

        return (grad(grad(wave))(t) + wave(t)) ** 2

    check(physics, X, 0.7)


# Ways of asking


def test_along_a_direction():
    def along(x, v, scale):
        value, t = jvp(energy, (x, scale), (v, 1.0))
        return value * t + jvp(lambda z: energy(z, scale), (x,), (v,))[1]

    check(along, X, V, 0.7)


def test_a_hessian_vector_product():
    def curvature(x, v, scale):
        return np.sum(hvp(energy)(x, scale, v) * v) + hvp(energy, wrt=("x", "scale"))(x, scale, (v, 2.0))[1]

    check(curvature, X, V, 0.7)


def test_decorated_functions_and_derivatives_made_outside():
    def use(x):
        value, (d_x, d_scale) = both(x, 1.5)
        return np.sum(slope(x) * d_x) + value * d_scale + slope.value_and_grad(x)[0]

    check(use, X)


def test_options():
    def use(x, scale):
        def with_aux(x, scale):
            return energy(x, scale), x * 2.0

        d, aux = grad(with_aux, has_aux=True)(x, scale)
        (value, same), (d_scale,) = value_and_grad(with_aux, wrt=["scale"], has_aux=True)(x, scale=scale)
        return np.sum(d * aux) + value * d_scale + np.sum(same) + grad(with_aux, 1, has_aux=True)(x, scale)[0]

    check(use, X, 0.7)


# What counts as constant


def test_only_the_argument_varies_and_not_the_same_variable_around():
    def loss(x):
        return np.sum(grad(lambda z: np.sum(z * x * x))(x))

    np.testing.assert_allclose(grad(loss)(X), 2 * X)
    check(loss, X)


def test_a_number_written_out():
    def loss(a):
        return grad(lambda z: a * z**3)(2.0)

    check(loss, 0.5)


# Memory


def test_a_gradient_is_memory_of_its_own():
    def loss(x):
        g = grad(lambda z: np.sum(z * x))(x)
        g[0] = 10.0 * x[1]
        return np.sum(g * x)

    check(loss, X)


def test_a_function_that_writes_into_arrays_of_its_own():
    def loss(x):
        def filled(z):
            out = np.zeros(3)
            out[1:] = z[:-1] * z[1:]
            return np.sum(out**2)

        return np.sum(grad(filled)(x) ** 2)

    check(loss, X)


# Control flow


def test_inside_branches_and_loops():
    def loss(x, steps):
        total = 0.0
        for k in range(steps):
            if x[k] > 0.0:
                x = x - 0.1 * grad(stepped)(x, 3)
            else:
                total = total + np.sum(slope(x))
        return total + stepped(x, 2)

    check(loss, X, 3)


def test_a_length_that_a_mask_decides():
    def loss(x):
        positive = x[x > 0.0]
        return np.sum(grad(lambda z: np.sum(z[z > 0.4] ** 3))(positive) ** 2)

    check(loss, X)


def long(x):
    for _ in range(2):
        x = np.sin(x) * np.cos(x) + np.tanh(x) / (1.0 + x**2) - np.exp(-x) * x
        x = np.sqrt(1.0 + x**2) + np.log(2.0 + np.sin(x)) + np.arctan(x) * x
        x = x - np.sum(x) * np.cos(x) + np.sinh(0.1 * x) * np.cosh(0.2 * x) + np.sin(x * x)
    return np.sum(x)


def test_long_helpers():
    def loss(x):
        return np.sum(grad(long)(x) * x) + long(x) + long(2.0 * x) + long(3.0 * x)

    check(loss, X, tolerance=1e-5)


# Orders


@rule
def cube(x):
    return x**3


@cube.forward
def cube_forward(x):
    return x**3, x


@cube.backward
def cube_backward(x, d):
    return (3.0 * d * x**2,)


@cube.jvp
def cube_jvp(x, t):
    return x[0] ** 3, 3.0 * t[0] * x[0] ** 2


@checkpoint
def wave(x):
    return np.sin(x) * np.exp(x)


@pytest.mark.parametrize("own", [cube, wave], ids=["a rule", "a checkpoint"])
def test_functions_with_derivatives_of_their_own(own):
    def total(x):
        return np.sum(own(x) * x)

    def reverse(x):
        return np.sum(grad(total)(x) ** 2)

    def forward(x):
        return jvp(total, (x,), (V,))[1] ** 2 + np.sum(hvp(total)(x, V) * x)

    def twice(x):
        return np.sum(grad(reverse)(x) * V)

    check(reverse, X)
    check(forward, X)
    check(twice, X, tolerance=1e-4)


def test_second_order_of_a_penalty():
    def penalty(x, scale):
        return np.sum(grad(energy)(x, scale) ** 2)

    def again(x):
        return np.sum(grad(penalty)(x, 0.7) * V)

    check(again, X, tolerance=1e-5)
    np.testing.assert_allclose(hvp(penalty)(X, 0.7, V), grad(again)(X), rtol=1e-12)
    np.testing.assert_allclose(jvp(penalty, (X, 0.7), (V, None))[1], grad(penalty)(X, 0.7) @ V, rtol=1e-12)


def test_what_the_function_prints_is_printed_once(capsys):
    def loss(x):
        def talkative(z):
            print("once")
            return np.sum(z**3)

        return np.sum(grad(talkative)(x))

    np.testing.assert_allclose(grad(loss)(X), 6 * X)
    assert capsys.readouterr().out == "once\n"


# Refused


def changed(x, out):
    out[0] = x[0]
    return np.sum(out * x)


REFUSED = {
    "an integer": (lambda x: grad(lambda n: n * 2.0)(3) * x[0], "which is int"),
    "no number": (lambda x: np.sum(grad(lambda z: z * 2.0)(x)), "not a real number, so it has no gradient"),
    "another derivative": (lambda x: np.sum(hessian(slope)(x)), "is not taken inside a function"),
    "a change outside": (lambda x: (lambda out: np.sum(grad(changed)(x, out)))(np.zeros(3)), "from around it"),
    "its own argument changed": (lambda x: np.sum(grad(changed, 1)(x, x * 2.0)), "in place"),
    "another shape": (lambda x: jvp(energy, (x, 1.0), (x[:2], 0.0))[1], "a tangent of `jvp` is"),
    "a missing argument": (lambda x: np.sum(grad(energy, wrt="scales")(x, 1.0)), "without the argument"),
    "a function handed out": (lambda x: grad(lambda z: (z @ z, lambda: z), has_aux=True)(x)[1](), "returns a function"),
    "memory handed back": (lambda x: np.sum(jvp(lambda z: z, (x,), (x,))[0]), "memory that it was given"),
}


@pytest.mark.parametrize(("function", "message"), REFUSED.values(), ids=REFUSED)
def test_refused_at_the_line(function, message):
    args = (0.5, 3) if function.__code__.co_argcount == 2 else (X,)
    with pytest.raises(CompileError, match=message) as caught:
        grad(function)(*args)
    assert "test_within.py:" in str(caught.value)
    assert "^" in str(caught.value)
