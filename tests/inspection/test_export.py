"""An exported module needs NumPy alone, computes the same, refuses what it was not made for, and is deterministic."""

import copy
import subprocess
import sys

import numpy as np
import pytest

from srcgrad import GradTypeError, grad, rule

pytestmark = pytest.mark.quick

RNG = np.random.default_rng(5)
STRENGTH = 0.1
OFFSET = np.array([0.5, -0.5])


@grad(wrt=("w", "b"))
def loss(w, b, x, y, axis=0):
    error = x @ w + b - y + OFFSET  # residual
    return np.sum(np.mean(error**2, axis=axis)) + STRENGTH * np.sum(w**2)


ARGS = RNG.standard_normal((3, 2)), RNG.standard_normal(2), RNG.standard_normal((4, 3)), RNG.standard_normal((4, 2))


@pytest.fixture
def module(tmp_path):
    """The exported module's names, executed on their own."""
    file = tmp_path / "loss_grad.py"
    loss.export(file, *ARGS)
    names = {}
    exec(compile(file.read_text(), str(file), "exec"), names)
    return names


def test_every_function_agrees_with_the_gradient(module):
    expected = loss(*ARGS)
    value, gradients = module["loss_value_and_grad"](*ARGS, OFFSET=OFFSET)
    assert value == loss.function(*ARGS) == module["loss_value"](*ARGS, OFFSET=OFFSET)
    again, saved = module["loss_forward"](*ARGS, OFFSET=OFFSET)
    assert again == value
    for got in (module["loss_grad"](*ARGS, OFFSET=OFFSET), gradients, module["loss_backward"](*saved, 1.0)):
        for one, other in zip(got, expected, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-15)


def test_it_runs_where_srcgrad_cannot_be_imported(tmp_path):
    loss.export(tmp_path / "loss_grad.py", *ARGS)
    np.savez(tmp_path / "args.npz", *ARGS)
    script = (
        "import sys; sys.modules['srcgrad'] = None\n"
        "import numpy as np, loss_grad\n"
        "np.savez('out.npz', *loss_grad.loss_grad(*np.load('args.npz').values(), OFFSET=np.array([0.5, -0.5])))\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    for got, expected in zip(np.load(tmp_path / "out.npz").values(), loss(*ARGS), strict=True):
        np.testing.assert_array_equal(got, expected)


def test_what_the_function_reads_from_around_it_is_an_argument(tmp_path):
    generator, scale = np.random.default_rng(0), np.float32(2.0)
    folded = rule(lambda x: x.copy(), read=False)

    @folded.backward
    def folded_backward(saved, d):
        return d * float(scale)

    @grad
    def noisy(w):
        return np.sum(folded(w) * generator.normal(size=3))

    noisy.export(tmp_path / "noisy_grad.py", np.ones(3))
    names = {}
    exec((tmp_path / "noisy_grad.py").read_text(), names)
    annotations = names["noisy_grad"].__annotations__
    assert annotations["generator"] is np.random.Generator
    assert annotations["folded_backward"] is object
    assert set(annotations) == {"w", "folded_backward", "generator", "return"}
    assert (
        "rule_function" in names["noisy_value_and_grad"].__annotations__
    )  # the value needs what the gradient does not
    found = names["noisy_grad"](np.ones(3), generator=generator, folded_backward=folded_backward)
    np.testing.assert_array_equal(found, 2.0 * np.random.default_rng(0).normal(size=3))


def test_the_docstring_says_what_it_takes(module):
    text = module["__doc__"]
    assert "`loss` in test_export.py with respect to w, b" in text
    assert "    w : array of float64 [:, :]\n" in text
    assert "    STRENGTH : float, which the function reads from around it\n" in text
    assert "x.shape[1] == w.shape[0]" in text
    assert module["loss_grad"].__annotations__["axis"] is int


@pytest.mark.parametrize(
    "change",
    [
        {1: np.ones(1)},  # would broadcast, and the gradient of b would have another shape
        {0: np.ones(3)},
        {3: np.ones((1, 2))},
        {4: 1},
    ],
)
def test_arguments_of_another_form_are_refused(module, change):
    args = [*ARGS, 0]
    for place, value in change.items():
        args[place] = value
    for name in ("loss_value", "loss_grad", "loss_value_and_grad", "loss_forward"):
        with pytest.raises(ValueError, match="another form"):
            module[name](*args, OFFSET=OFFSET)


def test_the_text_is_the_same_every_time(tmp_path):
    for name in ("one.py", "two.py"):
        grad(loss.function, wrt=("w", "b")).export(tmp_path / name, *ARGS)
    assert (tmp_path / "one.py").read_text() == (tmp_path / "two.py").read_text()


def test_containers_and_options(tmp_path):
    def fit(params, x, mode="mean"):
        error = x @ params["w"] + params["b"]
        return np.mean(error**2) if mode == "mean" else np.sum(error**2)

    params = {"w": ARGS[0], "b": ARGS[1]}
    file = tmp_path / "fit_grad.py"
    grad(fit).export(file, params, ARGS[2])
    names = {}
    exec(file.read_text(), names)
    got, expected = names["fit_grad"](params, ARGS[2]), grad(fit)(params, ARGS[2])
    np.testing.assert_array_equal(got["w"], expected["w"])
    with pytest.raises(ValueError, match="another form"):
        names["fit_grad"](params, ARGS[2], mode="sum")


def test_an_object_that_no_module_can_hold_is_refused(tmp_path):
    def noisy(x, rng):
        return np.sum(x * rng.normal(size=3))

    with pytest.raises(GradTypeError, match="`rng` is of type Generator"):
        grad(noisy).export(tmp_path / "noisy_grad.py", np.ones(3), np.random.default_rng(0))
    assert not (tmp_path / "noisy_grad.py").exists()


def product(x, n):
    return x if n <= 1 else np.sin(x) * product(x, n - 1)


def overwriting(x):
    x[0] = 2.0
    return np.sum(x**3)


def with_aux(x):
    y = x * 2.0
    return np.sum(y**2), {"y": y}


@pytest.mark.parametrize(
    ("function", "args", "options"),
    [(product, (0.7, 20), {}), (overwriting, (np.ones(3),), {}), (with_aux, (np.ones((2, 2)),), {"has_aux": True})],
)
def test_the_value_is_that_of_the_function(tmp_path, function, args, options):
    file = tmp_path / "module.py"
    grad(function, **options).export(file, *args)
    names = {}
    exec(file.read_text(), names)
    given = copy.deepcopy(args)
    np.testing.assert_equal(names[f"{function.__name__}_value"](*given), function(*copy.deepcopy(args)))
    np.testing.assert_equal(given, args)
