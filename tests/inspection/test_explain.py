"""`explain` says what is stored for the backward sweep, where, why and how many bytes, and why a gradient is zero."""

import numpy as np
import pytest

from srcgrad import grad, stop_gradient

pytestmark = pytest.mark.quick

RNG = np.random.default_rng(3)


def decay(rate, level, steps):
    for _ in range(steps):
        level = level - rate * level**2
    return level


def net(w1, w2, x):
    hidden = np.maximum(x @ w1, 0.0)
    return np.sum((hidden @ w2) ** 2)


W1, W2, X = RNG.standard_normal((3, 4)), RNG.standard_normal((4, 2)), RNG.standard_normal((5, 3))


def texts(origins):
    return [origin.text.strip() for origin in origins]


def test_a_recording_its_place_its_reason_and_its_size():
    (stored,) = grad(decay).explain(0.1, 3.0, 4).stored
    assert (stored.name, stored.what, stored.recorded, stored.count) == ("level_steps", "float", True, 4)
    assert stored.bytes == 4 * (0.5).__sizeof__()
    assert texts([stored.where]) == ["for _ in range(steps):"]
    assert texts(stored.why) == ["level = level - rate * level**2"]


def test_a_variable_that_is_kept():
    explanation = grad(net, wrt=("w1", "w2")).explain(W1, W2, X)
    (stored,) = explanation.stored
    assert (stored.name, stored.recorded, stored.count, stored.bytes) == ("hidden", False, 1, 5 * 4 * 8)
    assert texts([stored.where]) == ["hidden = np.maximum(x @ w1, 0.0)"]
    assert "return np.sum((hidden @ w2) ** 2)" in texts(stored.why)
    assert explanation.bytes == 160


def test_bytes_follow_the_arguments():
    gradient = grad(net, wrt=("w1", "w2"))
    assert gradient.explain(W1, W2, np.ones((50, 3))).bytes == 10 * gradient.explain(W1, W2, X).bytes


def test_a_linear_function_stores_nothing():
    def loss(x, w):
        y = x.copy()
        for _ in range(3):
            y[1:-1] = y[1:-1] + 0.1 * (y[2:] - 2 * y[1:-1] + y[:-2])
        return np.sum(y * w)

    explanation = grad(loss).explain(np.ones(8), np.ones(8))
    assert explanation.stored == ()
    assert "Nothing is stored" in str(explanation)


def test_a_view_of_an_argument_takes_no_memory():
    def loss(x):
        half = x[:4]
        return np.sum(half**3)

    assert grad(loss).explain(np.ones(8)).bytes == 0


@pytest.mark.parametrize(
    ("function", "reason", "lines"),
    [
        (lambda x, c: np.sum(x), "does not read", []),
        (lambda x, c: np.sum(np.where(c > 0, x, 2 * x)), "no derivative", ["c > 0"]),
        (lambda x, c: np.sum(x) * stop_gradient(c), "no derivative", ["stop_gradient(c)"]),
    ],
)
def test_why_a_gradient_is_zero(function, reason, lines):
    (zero,) = grad(function, (0, 1)).explain(np.ones(3), 2.0).zeros
    assert zero.parameter == "c"
    assert reason in zero.reason
    assert [line for line in lines if not any(line in origin.text for origin in zero.places)] == []


def test_a_value_that_does_not_reach_the_result():
    def loss(x, c):
        unused = c * 2.0  # noqa: F841
        return np.sum(x)

    (zero,) = grad(loss, (0, 1)).explain(np.ones(3), 2.0).zeros
    assert zero.reason == "what is computed from it does not reach the result"
    assert texts(zero.places) == ["unused = c * 2.0  # noqa: F841"]


def test_the_text_tells_it_all():
    text = str(grad(decay).explain(0.1, 3.0, 4))
    assert text.startswith("The gradient of decay(rate: float, level: float, steps: int)\n")
    assert "level_steps: 4 x float, 96 bytes" in text
    assert "recorded by line" in text
    assert "Compiled in" in text or "Read from disk" in text


def test_annotated_source_names_the_lines_differentiated():
    source = grad(net, wrt=("w1", "w2")).source_for(W1, W2, X, annotate=True)
    backward = next(line for line in source.splitlines() if "d_w2 =" in line)
    assert backward.endswith(": return np.sum((hidden @ w2) ** 2)")
    forward = next(line for line in source.splitlines() if "hidden =" in line)
    assert "#" not in forward
    compile(source, "annotated", "exec")
    assert grad(net, wrt=("w1", "w2")).source_for(W1, W2, X) == "".join(
        line.split("  # line")[0].rstrip() + "\n" for line in source.splitlines()
    )


def halve(x, n):
    if n <= 0:
        return x
    return np.sin(halve(0.5 * x, n - 1))


def test_a_function_that_calls_itself():
    def loss(x, n):
        y = x**2
        return np.sum(halve(y, n) ** 2)

    explanation = grad(loss).explain(np.ones(3), 15)
    assert {each.name for each in explanation.stored} >= {"halve_saved"}
    assert explanation.bytes > 15 * 24
