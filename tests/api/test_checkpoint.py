"""Functions that the backward sweep computes again, so that of their inside nothing is stored."""

import numpy as np
import pytest
from agreement import check

from srcgrad import check_grads, checkpoint, grad, hvp, jvp
from srcgrad.errors import CompileError

pytestmark = pytest.mark.quick
H = np.array([0.3, -1.2, 2.0])
W = np.array([[1.0, 0.5, 0.0], [0.2, -1.0, 0.3], [0.0, 0.4, 0.7]])


def cell(h, w):
    a = np.tanh(w @ h)
    b = np.sin(a) * a
    return np.tanh(b) + h / 2


stored = cell
again = checkpoint(cell)


def network(h, w, n):
    for _ in range(n):
        h = again(h, w)
    return np.sum(h**2)


def plain_network(h, w, n):
    for _ in range(n):
        h = stored(h, w)
    return np.sum(h**2)


def test_the_backward_sweep_computes_a_pass_again():
    gradient = check(network, H, W, 4, wrt=(0, 1))
    gradient(H, W, 4)
    assert gradient.source.count("np.tanh(w @ h)") == 2


def test_gradients_are_those_of_the_function_itself():
    for wrt in ("h", "w"):
        np.testing.assert_allclose(grad(network, wrt=wrt)(H, W, 5), grad(plain_network, wrt=wrt)(H, W, 5), rtol=1e-14)


def test_a_loop_stores_only_what_its_passes_start_from():
    few = grad(network, wrt="w").explain(H, W, 50)
    many = grad(plain_network, wrt="w").explain(H, W, 50)
    assert few.bytes < many.bytes / 2


def test_straight_code_is_computed_again_too():
    def loss(h, w):
        return np.sum(again(again(h, w), w))

    gradient = check(loss, H, W)
    gradient(H, W)
    assert gradient.source.count("np.tanh(w @ h)") == 2


def test_as_a_decorator_and_inside_of_functions():
    @checkpoint
    def bump(x):
        return np.exp(-(x**2)) * np.cos(x)

    def loss(x):
        def inner(y):
            return np.sin(y * x)

        return np.sum(bump(x) + checkpoint(inner)(2 * x) + checkpoint(np.cosh)(x))

    check(loss, H)


def test_loops_and_branches_inside():
    @checkpoint
    def relax(x, n):
        for _ in range(n):
            x = np.where(x > 0, np.sin(x), x / 2)
        if np.sum(x) > 0:
            x = x**2
        return x

    def loss(x, n):
        for _ in range(3):
            x = relax(x, n) + 0.1
        return np.sum(x)

    check(loss, H, 4, wrt=(0,))


def test_masks_inside():
    @checkpoint
    def kept(x):
        y = x[x > 0]
        return np.sum(np.exp(y) * np.sin(y))

    def loss(x):
        return kept(x) * kept(2 * x)

    check(loss, H)


def test_writing_inside():
    @checkpoint
    def smooth(x):
        y = np.zeros_like(x)
        for i in range(1, x.size - 1):
            y[i] = np.sin(x[i - 1]) * x[i + 1]
        return y

    def loss(x):
        return np.sum(smooth(smooth(x) + x))

    check(loss, H)


def test_checkpoints_inside_of_checkpoints():
    @checkpoint
    def outer(h, w):
        return again(again(h, w), w)

    def loss(h, w):
        return np.sum(outer(outer(h, w), w))

    check(loss, H, W)


def test_forward_mode_and_second_derivatives():
    def loss(h):
        return network(h, W, 3)

    def plain(h):
        return plain_network(h, W, 3)

    direction = np.array([1.0, -0.5, 0.25])
    assert jvp(loss, (H,), (direction,)) == jvp(plain, (H,), (direction,))
    np.testing.assert_allclose(hvp(loss)(H, direction), hvp(plain)(H, direction), rtol=1e-12)
    check_grads(loss, H, order=2)


def test_random_draws_and_prints_are_refused():
    @checkpoint
    def dropout(x):
        return x * np.random.normal(size=3)

    @checkpoint
    def talk(x):
        print(x)
        return x**2

    def drop(x):
        return np.sum(dropout(x))

    def tell(x):
        return np.sum(talk(x))

    with pytest.raises(CompileError, match=r"(?s)`dropout` prints, draws.*would happen twice.*np.random.normal"):
        grad(drop)(H)
    with pytest.raises(CompileError, match=r"(?s)`talk` prints, draws.*would happen twice.*print\(x\)"):
        grad(tell)(H)


def test_arguments_are_not_written_into():
    @checkpoint
    def clear(x):
        x[0] = 0.0
        return x

    def loss(x):
        return np.sum(clear(2 * x))

    with pytest.raises(CompileError, match=r"(?s)`x` is changed in place.*x\[0\] = 0.0"):
        grad(loss)(H)
