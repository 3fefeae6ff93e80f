"""What is emitted for arrays on a device, and what is refused: mixtures, and what CuPy cannot do."""

import cupy_simulator
import numpy as np
import pytest
from on_device import to_host

from srcgrad import CompileError, GradTypeError, check_grads, grad, hessian, jacobian, jvp

X = np.array([0.5, -1.5, 2.0])
W = np.array([1.0, 2.0, 3.0])


def test_the_user_s_numpy_is_cupy_s(cp):
    @grad(wrt=("w1", "w2"))
    def loss(w1, w2, x, y):
        hidden = np.maximum(x @ w1, 0.0)  # relu
        error = hidden @ w2 - y
        return np.sum(error**2)

    loss(cp.ones((4, 3)), cp.ones((3, 2)), cp.ones((5, 4)), cp.ones((5, 2)))
    assert loss.source == (
        "import cupy as cp\n\n\n"
        "@cp.fuse()\n"
        "def fused_product(d_hidden, hidden):\n"
        "    return d_hidden * (hidden > 0.0)\n\n\n"
        "def loss_grad(w1, w2, x, y):\n"
        "    hidden = cp.maximum(x @ w1, 0.0)  # relu\n"
        "    error = hidden @ w2 - y\n"
        "    d_error = 2 * error\n"
        "    d_w2 = hidden.T @ d_error\n"
        "    d_w1 = x.T @ fused_product(d_error @ w2.T, hidden)\n"
        "    return d_w1, d_w2\n"
    )


def test_each_place_has_its_own_specialisation(cp):
    gradient = grad(lambda x: np.sum(np.sin(x)))
    np.testing.assert_array_equal(gradient(X), to_host(gradient(cp.asarray(X))))
    assert "import cupy as cp" in gradient.source
    gradient(X)
    assert "cupy" not in gradient.source


def test_arrays_are_made_where_the_others_are(cp):
    def loss(x):
        steps = np.arange(x.size) + np.zeros(x.size)
        return np.sum(x * steps + np.linspace(0.0, 1.0, 3) + np.array([1.0, 2.0, 3.0]))

    gradient = grad(loss)
    np.testing.assert_array_equal(to_host(gradient(cp.asarray(X))), [0.0, 1.0, 2.0])
    assert "np." not in gradient.source


def test_random_numbers_are_drawn_there(cp):
    def loss(x):
        return np.sum(x * np.random.normal(size=x.shape))

    gradient = grad(loss)
    assert isinstance(gradient(cp.asarray(X)), cp.ndarray)
    assert "cp.random.normal(size=" in gradient.source

    def with_generator(x, rng):
        return np.sum(x * rng.standard_normal(x.shape))

    gradient = grad(with_generator)
    assert isinstance(gradient(cp.asarray(X), cp.random.default_rng(0)), cp.ndarray)


def test_what_is_computed_from_python_s_numbers_stays_on_the_cpu(cp):
    def loss(x, dt):
        return np.sum(x) * np.sqrt(dt)

    gradient = grad(loss, wrt=("x", "dt"))
    d_x, d_dt = gradient(cp.asarray(X), 4.0)
    np.testing.assert_array_equal(to_host(d_x), [2.0, 2.0, 2.0])
    assert to_host(d_dt) == pytest.approx(0.25)
    assert "np.sqrt(dt)" in gradient.source


def test_a_number_is_no_view(cp):
    """`first` is a number: what is written into `x` later, or into the result, does not change it."""

    def loss(x):
        first = x[0]
        x[0] = 10.0
        first += x[1]
        return first * x[0]

    x = cp.asarray(X)
    value, gradient = grad(loss).value_and_grad(x)
    np.testing.assert_array_equal(to_host(gradient), [10.0, 10.0, 0.0])
    assert to_host(value) == -10.0
    np.testing.assert_array_equal(to_host(x), X)


def test_the_value_is_no_view_of_an_argument(cp):
    x = cp.asarray(X)
    value, _ = grad(lambda x: x[1]).value_and_grad(x)
    x[1] = 7.0
    assert to_host(value) == -1.5


def test_a_loop_that_does_not_run_gives_a_device_array(cp):
    def loss(x, n):
        total = 0.0
        for i in range(n):
            total = total + x[i] ** 2
        return total

    gradient = grad(loss)
    for n, expected in ((0, [0.0, 0.0, 0.0]), (2, [1.0, -3.0, 0.0])):
        value, d_x = gradient.value_and_grad(cp.asarray(X), n)
        assert isinstance(value, cp.ndarray)
        np.testing.assert_array_equal(to_host(d_x), expected)


def test_an_array_without_axes_is_on_the_device(cp):
    scale = cp.asarray(3.0)
    d_scale, d_x = grad(lambda scale, x: scale * np.sum(x), wrt=("scale", "x"))(scale, cp.asarray(X))
    assert isinstance(d_scale, cp.ndarray)
    assert d_scale.shape == ()
    np.testing.assert_array_equal(to_host(d_x), [3.0, 3.0, 3.0])


def test_float32_stays_float32_beside_a_python_number(cp):
    def loss(x, rate):
        return np.sum(rate * x)

    gradient = grad(lambda x, rate: np.sum(grad(loss, wrt="rate")(x, rate) * x))
    assert gradient(cp.asarray(X.astype(np.float32)), 0.5).dtype == np.float32


def test_tangents(cp):
    value, tangent = jvp(lambda x: np.sum(x**2), (cp.asarray(X),), (cp.asarray(W),))
    assert to_host(tangent) == pytest.approx(2 * X @ W)
    assert isinstance(value, cp.ndarray)


@pytest.mark.parametrize(
    ("loss", "expected"),
    [
        (lambda x: np.sum(x, where=x > 0), np.array([1.0, 0.0, 1.0])),
        (lambda x: np.max(x, initial=1.0), np.array([0.0, 0.0, 1.0])),
        (lambda x: np.mean(x, where=x > 0), np.array([0.5, 0.0, 0.5])),
        (lambda x: np.vecdot(x, x), 2 * X),
        (lambda x: np.sum(np.clip(x, min=-1.0, max=1.0)), np.array([1.0, 0.0, 0.0])),
        (lambda x: np.std(x, correction=0) ** 2 * 3, 2 * (X - X.mean())),
        (lambda x: np.sum(np.linalg.outer(x, x)), np.full(3, 2.0)),
    ],
)
def test_what_cupy_lacks_is_written_as_what_it_has(loss, expected, cp):
    np.testing.assert_allclose(to_host(grad(loss)(cp.asarray(X))), expected, rtol=1e-12)


def test_errstate_is_nothing(cp):
    def loss(x):
        with np.errstate(divide="ignore"):
            return np.sum(1.0 / x)

    assert grad(loss)(cp.asarray(X)).shape == (3,)


def refused(loss, *args):
    with pytest.raises(CompileError) as caught:
        grad(loss)(*args)
    return str(caught.value)


def test_what_cannot_be_is_refused_at_its_line(cp):
    import math

    x = cp.asarray(X)
    assert "math.sin of a number on the GPU would have to wait for it" in refused(lambda x: math.sin(np.sum(x)) ** 2, x)
    assert "CuPy has no np.insert" in refused(lambda x: np.sum(np.insert(x, 0, 1.0) ** 2), x)
    assert "CuPy's np.take takes no `mode=`" in refused(lambda x: np.sum(np.take(x, 1, mode="clip") ** 2), x)
    assert "bounds are on the GPU" in refused(lambda x: np.sum(x[: np.argmax(x)] ** 2), x)
    text = refused(lambda x: np.sum(x * np.random.default_rng(0).normal(size=3)), x)
    assert "rng.standard_normal(size)" in text
    assert "test_placement.py:" in text


# Mixtures


def test_arguments_on_different_devices(cp):
    gradient = grad(lambda w, x: np.sum(w * x))
    with pytest.raises(GradTypeError, match=r"`w` on cpu, `x` on cuda:0"):
        gradient(W, cp.asarray(X))
    gradient(cp.asarray(W), cp.asarray(X))
    with pytest.raises(GradTypeError, match=r"`w` on cuda:0, `x` on cpu"):
        gradient(cp.asarray(W), X)


def test_inside_containers(cp):
    gradient = grad(lambda params, x: np.sum(params["w"] * x) + np.sum(params["b"][0]))
    with pytest.raises(GradTypeError, match=r"`params\['b'\]\[0\]` on cpu"):
        gradient({"w": cp.asarray(W), "b": [X]}, cp.asarray(X))


def test_a_global_of_the_cpu(cp):
    def loss(x):
        return np.sum(W * x)

    with pytest.raises(GradTypeError, match=r"`x` on cuda:0, `W` on cpu"):
        grad(loss)(cp.asarray(X))


def test_inside_an_object(cp):
    class Model:
        def __init__(self, w):
            self.w = w

    def loss(x, model):
        return np.sum(model.w * x)

    with pytest.raises(GradTypeError, match=r"`x` on cuda:0, `model.w` on cpu"):
        grad(loss)(cp.asarray(X), Model(W))


def test_a_random_generator_of_the_cpu(cp):
    def loss(x, rng):
        return np.sum(x * rng.standard_normal(3))

    with pytest.raises(GradTypeError, match=r"`rng` draws on the CPU"):
        grad(loss)(cp.asarray(X), np.random.default_rng(0))


def test_the_simulator_counts_no_transfer(log):
    import cupy as cp

    x = cp.asarray(X)
    log.clear()
    grad(lambda x: np.sum(np.tanh(x) ** 2))(x)
    assert cupy_simulator.log.keys() == {"kernel", "fused"}


def test_what_runs_on_the_cpu_alone_says_so(cp):
    x = cp.asarray(X)
    for attempt in (jacobian(lambda x: x**2), hessian(lambda x: np.sum(x**3))):
        with pytest.raises(GradTypeError, match="is computed on the CPU alone"):
            attempt(x)
    with pytest.raises(TypeError, match="checked on the CPU"):
        check_grads(lambda x: np.sum(x**2), x)


def test_values_are_not_written_to_places_that_may_be_the_same(cp):
    """Which of two values written to one element stays is not defined on a GPU."""

    def at_run_time(x, places):
        y = x * 1.0
        y[places] = x[:2] ** 2
        return np.sum(y * x)

    def twice(x):
        y = x * 1.0
        y[[1, 1]] = x[:2]
        return np.sum(y * x)

    def one_number(x, places):
        y = x * 1.0
        y[places] = 0.5
        y[[2, 0]] = x[:2]
        return np.sum(y * x)

    with pytest.raises(CompileError, match=r"on a GPU no value is the last one"):
        grad(at_run_time)(cp.asarray(X), cp.asarray(np.array([1, 1])))
    with pytest.raises(CompileError, match=r"on a GPU no value is the last one"):
        grad(twice)(cp.asarray(X))
    places = np.array([1, 1])
    got = grad(one_number)(cp.asarray(X), cp.asarray(places))
    np.testing.assert_array_equal(to_host(got), grad(one_number)(X, places))
