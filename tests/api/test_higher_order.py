"""Derivatives of derivatives: grad of grad to any order, decorators on each other, hvp, vjp and jvp of a gradient."""

import importlib
import importlib.util
import inspect
import math
import os
import pickle
import pkgutil
import subprocess
import sys

import numpy as np
import pytest
import specimens

from srcgrad import (
    CompileError,
    GradTypeError,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    value_and_grad,
    vjp,
)

RNG = np.random.default_rng(7)
X = RNG.standard_normal(3)


def y(x):
    return x**2


def decay(rate, level, steps):
    for _ in range(steps):
        level = level - rate * level**2
    return level


def wave(x):
    return np.sin(2.0 * x)


def along(f, args, direction, place, step=1e-6):
    """Central differences of an array-valued function along a direction."""
    ahead, behind = (f(*args[:place], args[place] + s * direction, *args[place + 1 :]) for s in (step, -step))
    return (np.asarray(ahead) - np.asarray(behind)) / (2 * step)


def test_the_second_derivative_of_a_square():
    second = grad(grad(y))
    assert second(5.0) == 2.0
    assert second.source == "def y_grad_grad(x):\n    return 2.0\n"


def test_any_order():
    derivative = wave
    for order in range(1, 6):
        derivative = grad(derivative)
        expected = 2.0**order * math.sin(2.0 * 0.3 + order * math.pi / 2)
        assert derivative(0.3) == pytest.approx(expected, rel=1e-12)
    assert derivative.__name__ == "wave"


def test_any_order_through_a_loop():
    derivative = decay
    for _ in range(4):
        expected = along(derivative, (0.1, 3.0, 4), 1.0, 0)
        derivative = grad(derivative)
        assert derivative(0.1, 3.0, 4) == pytest.approx(expected, rel=1e-6)


def test_decorators_on_each_other():
    @grad
    @grad
    def cube(x):
        return x**3

    assert cube(2.0) == 12.0
    assert cube.function(2.0) == 12.0 == cube.function.function(2.0) * 1.5

    @value_and_grad
    @grad
    def fourth(x):
        return x**4

    assert fourth(1.0) == (4.0, 12.0)


def test_decorators_with_arguments():
    x = np.arange(3.0)

    @hessian(wrt="x")
    def cubes(a, x):
        return a * np.sum(x**3)

    np.testing.assert_array_equal(cubes(2.0, x), np.diag(12.0 * x))

    @jacobian(argnums=(0, 1))
    @grad(wrt="x")
    def again(a, x):
        return a * np.sum(x**3)

    of_a, of_x = again(2.0, x)
    np.testing.assert_array_equal(of_a, 3.0 * x**2)
    np.testing.assert_array_equal(of_x, np.diag(12.0 * x))

    for make in (jacfwd, jacrev):
        made, aux = make(wrt="x", has_aux=True)(lambda a, x: (a * x**2, a))(2.0, x)
        np.testing.assert_array_equal(made, np.diag(4.0 * x))
        assert aux == 2.0
    product, aux = hvp(wrt="x", has_aux=True)(lambda a, x: (a * np.sum(x**3), a))(2.0, x, np.ones(3))
    np.testing.assert_array_equal(product, 12.0 * x)
    assert value_and_grad(wrt="x")(lambda a, x: a * x**2)(2.0, 3.0) == (18.0, 12.0)


def test_the_fourth_order_by_decorators():
    @grad
    @grad
    @grad
    @grad
    def wave(x):
        return np.sin(2.0 * x) * x

    x = 1.3
    assert wave(x) == pytest.approx(16.0 * x * np.sin(2.0 * x) - 32.0 * np.cos(2.0 * x), rel=1e-12)


def test_the_second_gradient_may_be_in_another_argument():
    def f(a, b):
        return np.sum(a**2) * b**3

    mixed = grad(lambda a, b: np.sum(a**2) * b**3, argnums=1)
    assert grad(mixed)(X, 2.0) == pytest.approx(12.0 * 2 * X)
    np.testing.assert_allclose(hvp(f, (0, 1))(X, 2.0, (X, 1.0))[0], 16 * X + 24 * X)
    assert hvp(f, wrt="b")(X, 2.0, 1.0) == pytest.approx(12.0 * np.sum(X**2))


def test_vjp_and_jvp_of_a_gradient():
    def f(x):
        return np.sum(x**3) + x[0] * x[1]

    hessian = np.diag(6 * X)
    hessian[0, 1] = hessian[1, 0] = 1.0
    v = np.array([1.0, -2.0, 3.0])
    value, pullback = vjp(grad(f), X)
    np.testing.assert_allclose(value, grad(f)(X))
    np.testing.assert_allclose(pullback(v)[0], hessian @ v)
    value, tangent = jvp(grad(f), (X,), (v,))
    np.testing.assert_allclose(tangent, hessian @ v)
    np.testing.assert_allclose(hvp(f)(X, v), hessian @ v)
    np.testing.assert_allclose(hvp(grad(grad(lambda x: x**5)))(2.0, 3.0), 3.0 * 120 * 2.0)
    value, tangent = jvp(value_and_grad(f), (X,), (v,))
    np.testing.assert_allclose(value[1], grad(f)(X))
    np.testing.assert_allclose(tangent[0], grad(f)(X) @ v)
    np.testing.assert_allclose(tangent[1], hessian @ v)


NAMES = sorted(module.name for module in pkgutil.iter_modules(specimens.__path__))


@pytest.mark.parametrize("name", NAMES)
def test_reverse_over_reverse_is_forward_over_reverse(name):
    """The pullback of the gradient, and the Hessian-vector product: a Hessian is symmetric."""
    module, rng = importlib.import_module(f"specimens.{name}"), np.random.default_rng(1)
    args = module.arguments(rng)
    directions = tuple(rng.standard_normal(np.shape(g)) for g in module.by_hand(*args))
    directions = tuple(v if v.ndim else float(v) for v in directions)
    value, pullback = vjp(grad(module.loss, wrt=module.WRT), *args, wrt=module.WRT)
    forward = hvp(module.loss, wrt=module.WRT)(*args, directions)
    for gradient, by_hand in zip(value, module.by_hand(*args), strict=True):
        np.testing.assert_allclose(gradient, by_hand, rtol=1e-9, atol=1e-11)
    for one, other in zip(pullback(directions), forward, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-8 * max(1.0, np.max(np.abs(other))))
        assert np.shape(one) == np.shape(other)


def test_control_flow_of_every_kind():
    def f(x, n):
        out = np.zeros(3)
        total = 0.0
        for i in range(n):
            for j in range(2):
                total = total + np.sum(np.tanh(x * (i + j)) ** 2) * total
                total += x[0]
            if total > 0.5:
                total = np.exp(-total) * x[1]
            out[i % 3] = total
        k = 0
        while total < 3.0 and k < 4:
            total = total**2 + 1.0 + x[2] * total
            k += 1
        return total + np.sum(out**2)

    v = RNG.standard_normal(3)
    x = np.array([0.3, 0.8, 0.1])
    expected = along(grad(f), (x, 3), v, 0)
    np.testing.assert_allclose(hvp(f)(x, 3, v), expected, rtol=1e-6)
    np.testing.assert_allclose(vjp(grad(f), x, 3, argnums=0)[1](v)[0], expected, rtol=1e-6)


def test_third_order_through_loops_branches_and_writes():
    def f(x, n):
        total = 0.0
        for i in range(n):
            h = np.sin(x * i)
            h[0] = h[1] * h[2]
            total = total + (np.sum(h**3) if total < 1.0 else np.sum(h) * total)
        return total

    x, v = np.array([0.3, 0.8, 0.1]), RNG.standard_normal(3)
    product = hvp(f)
    expected = along(lambda x: product(x, 4, v), (x,), v, 0)
    _, third = jvp(jvp_of_gradient := grad(f), (x, 4), (v, None))
    np.testing.assert_allclose(third, product(x, 4, v), rtol=1e-10)
    _, pullback = vjp(jvp_of_gradient, x, 4, argnums=0)
    np.testing.assert_allclose(pullback(v)[0], third, rtol=1e-9)
    assert np.all(np.isfinite(expected))


def test_lists_and_dicts():
    def f(params):
        return np.sum(params["w"] ** 3) * params["b"][0] ** 2

    params = {"w": X, "b": [2.0]}
    product = hvp(f)(params, {"w": np.ones(3), "b": [0.0]})
    np.testing.assert_allclose(product["w"], 6 * X * 4.0)
    assert product["b"][0] == pytest.approx(np.sum(3 * X**2) * 4.0)


def test_single_precision_and_numbers():
    product = hvp(lambda x: np.sum(x**3))(X.astype(np.float32), np.ones(3, np.float32))
    assert product.dtype == np.float32
    assert isinstance(hvp(lambda x: x**3)(2.0, 1.0), float)
    zero_d = hvp(lambda x: x**3)(np.array(2.0), 1.0)
    assert isinstance(zero_d, np.ndarray)
    assert zero_d == 12.0


def test_errors():
    with pytest.raises(GradTypeError, match=r"the derivative of .* returns an array of shape .*`jacobian`"):
        grad(grad(lambda x: np.sum(x**2)))(X)
    with pytest.raises(GradTypeError, match="returns a tuple"):
        grad(value_and_grad(y))(2.0)
    with pytest.raises(ValueError, match="a tuple of 2"):
        hvp(lambda a, b: a * b, argnums=(0, 1))(1.0, 2.0, 3.0)
    with pytest.raises(ValueError, match="the tangent of `x` of shape"):
        hvp(lambda x: np.sum(x**2))(X, np.ones(2))
    with pytest.raises(GradTypeError, match=r"cannot be differentiated as it stands"):
        grad(jvp(y))


def test_pickles_and_repr():
    again = pickle.loads(pickle.dumps(grad(grad(y))))
    assert again(5.0) == 2.0
    product = pickle.loads(pickle.dumps(hvp(decay)))
    assert product(0.1, 3.0, 4, 1.0) == pytest.approx(grad(grad(decay))(0.1, 3.0, 4), rel=1e-12)
    assert "decay" in repr(product)


def test_the_text_of_a_second_derivative_needs_numpy_alone():
    second = grad(grad(decay))
    second(0.1, 3.0, 4)
    scope = {}
    exec(second.source, scope)
    assert scope["decay_grad_grad"](0.1, 3.0, 4) == second(0.1, 3.0, 4)


def test_other_processes_find_the_same_text_on_disk(tmp_path):
    (tmp_path / "model.py").write_text(
        "import numpy as np\nfrom srcgrad import grad, hvp, jvp\n\n"
        "def f(x, n):\n    for _ in range(n):\n        x = np.sin(x) * x\n    return np.sum(x)\n\n"
        "x = np.ones(3)\nmade = jvp(f), hvp(f)\n"
        "made[0]((x, 3), (x, None)), made[1](x, 3, x)\n"
        "print([s.origin for m in made for s in m.specializations])\nprint(*(m.source for m in made))\n"
    )
    environment = {**os.environ, "SRCGRAD_CACHE_DIR": str(tmp_path / "cache")}
    runs = [
        subprocess.run(
            [sys.executable, "model.py"], cwd=tmp_path, env={**environment, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, check=True,
        ).stdout.partition("\n")
        for seed in ("1", "2")
    ]  # fmt: skip
    assert [origins for origins, _, _ in runs] == ["['compiled', 'compiled']", "['disk', 'disk']"]
    assert runs[0][2] == runs[1][2]


# Their gradients are written with lists of a length that nobody knows before the loop, or that hold None in some passes
WRITTEN_OTHERWISE = {
    "bounded_search", "converged_state", "fixed_point", "newton_sqrt", "skips_outliers", "two_speed_walk",
}  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_the_text_of_a_gradient_can_be_differentiated(name, tmp_path):
    """Along a direction, the derivative of the emitted text is the Hessian-vector product."""
    module, rng = importlib.import_module(f"specimens.{name}"), np.random.default_rng(2)
    args = module.arguments(rng)
    gradient = grad(module.loss, wrt=module.WRT)
    directions = tuple(rng.standard_normal(np.shape(g)) for g in gradient(*args))
    directions = tuple(v if v.ndim else float(v) for v in directions)
    file = tmp_path / f"{name}_text.py"
    file.write_text(gradient.source)
    spec = importlib.util.spec_from_file_location(file.stem, file)
    written = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(written)
    taken = inspect.signature(written.loss_grad).parameters.values()
    captured = [p.name for p in taken if p.kind is p.KEYWORD_ONLY and p.default is p.empty]
    written.loss_grad.__kwdefaults__ = {each: getattr(module, each) for each in captured} or None
    if name in WRITTEN_OTHERWISE:
        with pytest.raises(CompileError) as caught:
            jvp(written.loss_grad, args, directions, wrt=module.WRT)
        assert caught.value.faults[0].origin.file == str(file)
        return
    _, found = jvp(written.loss_grad, args, directions, wrt=module.WRT)
    expected = hvp(module.loss, wrt=module.WRT)(*args, directions)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-8, atol=1e-8 * max(1.0, np.max(np.abs(other))))
