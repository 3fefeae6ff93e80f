"""Derivatives that users give: with functions that are read, and with functions that are called as they stand."""

import ast
import math

import numpy as np
import pytest
from agreement import check

import srcgrad
from srcgrad import check_grads, grad, hessian, hvp, jvp, rule
from srcgrad.errors import CompileError, GradientMismatch

pytestmark = pytest.mark.quick
X = np.array([0.3, -1.2, 2.0])
MATRIX = np.array([[1.0, 0.5, 0.0], [0.2, -1.0, 0.3], [0.0, 0.4, 2.0]])


@rule
def softplus(x):
    return np.log1p(np.exp(x))


@softplus.forward
def softplus_forward(x):
    e = np.exp(-np.abs(x))
    return np.maximum(x, 0) + np.log1p(e), (x, e)


@softplus.backward
def softplus_backward(saved, d):
    x, e = saved
    return d * np.where(x > 0, 1 / (1 + e), e / (1 + e))


def tolist_power(x, n):
    return np.asarray([v**n for v in x.tolist()])  # a list of unknown length: nothing that can be read


power = rule(tolist_power, read=False)


@power.forward
def power_forward(x, n):
    return tolist_power(x, n), (x, n)


@power.backward
def power_backward(saved, d):
    x, n = saved
    return d * n * x ** (n - 1), None


erf = rule.elementwise(math.erf, lambda d, y, x: d * 2 / np.sqrt(np.pi) * np.exp(-(x**2)))


def scaled_tanh(x, scale):
    return scale * np.tanh(x)


scaled = rule.elementwise(
    scaled_tanh, lambda d, y, x, scale: d * (scale - y**2 / scale), lambda d, y, x, scale: d * y / scale
)
apply_to = rule.linear(lambda x, a: a @ x, transpose=lambda d, y, x, a: a.T @ d)

sine = rule(
    lambda x: np.sin(x),
    forward=lambda x: (np.sin(x), x),
    backward=lambda saved, d: d * np.cos(saved),
    jvp=lambda args, tangents: (np.sin(args[0]), np.cos(args[0]) * tangents[0]),
)


def test_a_rule_is_called_like_its_function():
    assert softplus(0.0) == np.log(2.0)
    np.testing.assert_array_equal(scaled(X, 2.0), 2.0 * np.tanh(X))
    assert softplus.__name__ == "softplus"


def test_forward_and_backward_stand_in_the_text():
    def loss(x):
        return np.sum(softplus(x) ** 2)

    gradient = check(loss, X)
    gradient(X)
    assert "np.where" in gradient.source
    assert "srcgrad" not in gradient.source
    assert np.isfinite(gradient(np.array([800.0, -800.0]))[0]).all()  # where log1p(exp(x)) overflows


def test_without_a_forward_function_the_arguments_are_saved():
    def loss(x):
        return np.sum(cube(x) * x)

    check(loss, X)


cube = rule(lambda x: x**3, backward=lambda saved, d: 3 * d * saved[0] ** 2)


def test_functions_without_source_are_called_as_they_stand():
    def loss(x):
        return np.sum(power(2 * x, 3) ** 2)

    gradient = check(loss, X)
    gradient(X)
    (definition,) = (n for n in ast.walk(ast.parse(gradient.source)) if isinstance(n, ast.FunctionDef))
    assert [arg.arg for arg in definition.args.kwonlyargs] == ["power_forward", "power_backward"]


def test_a_loop_saves_what_the_backward_function_needs():
    def loss(x, n):
        for _ in range(n):
            x = softplus(x) - power(x, 2) / 10
        return np.sum(x)

    check(loss, X, 3, wrt=(0,))


def test_rules_in_branches_and_while_loops():
    def loss(x, limit):
        while x < limit:
            if x > 1.0:
                x = softplus(x) + 1.0
            else:
                x = x + sine(x) + 0.5
        return x * erf(x)

    check(loss, 0.4, 3.0, wrt=(0,))


def test_rules_in_a_helper_that_is_called_often():
    def layer(x, w):
        y = softplus(w @ x) * np.tanh(x) + np.exp(-(x**2)) / (1 + x**2)
        return softplus(y) + np.sin(w @ y) * np.cos(y) - y**3 / (2 + y**2)

    def loss(x, w):
        return np.sum(layer(layer(layer(layer(x, w), w), w), w))

    check(loss, X / 4, MATRIX / 4)


def test_a_recursion_calls_a_rule():
    def deeper(x, n):
        if n == 0:
            return x
        return softplus(deeper(x, n - 1)) * 0.9

    def loss(x, n):
        return np.sum(deeper(x, n))

    check(loss, X, 20, wrt=(0,))


def test_elementwise_formulas_are_summed_over_what_was_broadcast():
    def loss(x, scale):
        return np.sum(scaled(x, scale) ** 2)

    check(loss, X, 1.5)
    check(loss, MATRIX, np.array([1.0, 2.0, -1.0]))
    check(loss, MATRIX, np.array([[1.0], [2.0], [-1.0]]))


def test_elementwise_and_linear_rules_serve_both_modes_and_all_orders():
    def loss(x, scale):
        return np.sum(scaled(apply_to(x, MATRIX), scale) ** 2)

    check_grads(loss, X, 1.5, order=2)
    check_grads(lambda x: erf(x) * x, 0.5, order=2)


def test_the_tangent_of_a_rule():
    def loss(x):
        return np.sum(sine(x) ** 2)

    value, tangent = jvp(loss, (X,), (np.ones(3),))
    assert value == pytest.approx(np.sum(np.sin(X) ** 2))
    assert tangent == pytest.approx(np.sum(np.sin(2 * X)))
    check_grads(loss, X, order=2)


def test_second_derivatives_differentiate_the_functions_that_are_read():
    def loss(x):
        return np.sum(softplus(x) ** 2)

    sigmoid = 1 / (1 + np.exp(-X))
    expected = 2 * (sigmoid**2 + softplus(X) * sigmoid * (1 - sigmoid))
    np.testing.assert_allclose(hessian(loss)(X), np.diag(expected), rtol=1e-12)
    np.testing.assert_allclose(hvp(loss)(X, X), expected * X, rtol=1e-12)


def test_a_rule_that_calls_itself_in_forward_is_used_again_for_the_second_derivative():
    def loss(a):
        return root(a) * a

    a = 3.0
    assert grad(loss)(a) == pytest.approx(1.5 * np.sqrt(a), rel=1e-12)
    assert grad(grad(loss))(a) == pytest.approx(0.75 / np.sqrt(a), rel=1e-12)
    assert grad(grad(grad(loss)))(a) == pytest.approx(-0.375 * a**-1.5, rel=1e-12)


def newton(a: float) -> float:
    y = 1.0
    while abs(y * y - a) > 1e-14 * a:
        y = (y + a / y) / 2
    return y


root = rule(newton, read=True)


@root.forward
def root_forward(a):
    y = root(a)
    return y, y


@root.backward
def root_backward(y, d):
    return d / (2 * y)


def test_containers_are_arguments_too():
    def loss(w, b, x):
        return np.sum(affine([w, b], x) ** 2)

    check(loss, MATRIX, X, X + 1)


affine = rule(
    lambda layer, x: layer[0] @ x + layer[1],
    backward=lambda saved, d: ([np.outer(d, saved[1]), d], saved[0][0].T @ d),
)


def test_several_results():
    def loss(x):
        s, c = both(x)
        return np.sum(s * c**2)

    check(loss, X)


both = rule(
    lambda x: (np.sin(x), np.cos(x)), backward=lambda saved, d: d[0] * np.cos(saved[0]) - d[1] * np.sin(saved[0])
)


def test_keywords_and_defaults_reach_the_rule_by_position():
    def loss(x):
        return np.sum(shifted(x) * shifted(x, by=2.0))

    check(loss, X)


def shift(x, by=1.0):
    return x + by


shifted = rule(shift, backward=lambda saved, d: (d, None))


def test_float32_stays_float32():
    def loss(x):
        return np.sum(softplus(x) + scaled(x, 2.0))

    gradient = grad(loss)(X.astype(np.float32))
    assert gradient.dtype == np.float32


def test_like_tells_the_type_of_what_cannot_be_tried():
    def loss(x):
        return np.sum(picky(x) ** 2)

    check(loss, X)

    def untold(x):
        return np.sum(picky_untold(x))

    with pytest.raises(CompileError, match=r"(?s)type of what `picky_untold` returns is not known.*`like=`"):
        grad(untold)(X)


def only_three(x):
    if x.size != 3:
        raise ValueError("three numbers, please")
    return 2 * x


picky = rule(only_three, backward=lambda saved, d: 2 * d, like="x", read=False)
picky_untold = rule(only_three, backward=lambda saved, d: 2 * d, read=False)


def test_the_cotangent_has_the_shape_of_the_result():
    def loss(x):
        return total(x) ** 2

    check(loss, X)


total = rule(lambda x: np.sum(x), backward=lambda saved, d: np.full_like(saved[0], d))


def test_nobody_writes_into_what_a_function_has_saved_or_given():
    def loss(x, y):
        z = 2 * x
        s = added(z, y)
        z = z + 0.0
        z[0] = 5.0
        s = added(s, z * s) + s
        return np.sum(s**2)

    check(loss, X, X + 1)


def add(x, y):
    return x + y


added = rule(add, backward=lambda saved, d: (d, d), read=False)


def test_memory_that_is_shared_is_copied_where_it_is_returned():
    def loss(x, y):
        return np.sum(added(x, y))

    d_x, d_y = grad(loss, argnums=(0, 1))(X, X)
    assert not np.shares_memory(d_x, d_y)


# What is refused, and what is found


def test_a_changed_rule_is_compiled_anew():
    local = rule(lambda x: x**2, backward=lambda saved, d: 2 * d * saved[0])

    def loss(x):
        return local(x)

    gradient = grad(loss)
    assert gradient(3.0) == 6.0
    local.backward(lambda saved, d: 5 * d * saved[0])
    assert gradient(3.0) == 15.0
    local.forward(lambda x: (x**2, [7 * x]))
    assert gradient(3.0) == 105.0


def test_a_wrong_rule_is_found_and_named():
    def loss(x):
        y = 2 * x
        z = wrong(y)
        return np.sum(z**2)

    with pytest.raises(GradientMismatch, match=r"(?s)z = wrong\(y\)"):
        check_grads(loss, X, modes=["rev"])


wrong = rule(lambda x: np.sin(x), backward=lambda saved, d: d * np.sin(saved[0]))


@pytest.mark.parametrize(
    ("backward", "message"),
    [
        (lambda saved, d: (d, d, d), r"returns 3 cotangents for 2 arguments"),
        (lambda saved, d: d, r"returns one cotangent for 2 arguments"),
        (lambda saved, d: (np.sum(d), d), r"returns .* for `x`, which is f8"),
        (lambda saved, d: (None, d), r"has no derivative for its argument `x`"),
        (lambda saved, d: ("d", d), r"the derivative for `x` is a string|not made like it"),
    ],
)
def test_backward_functions_that_do_not_fit(backward, message):
    product = rule(lambda x, y: x * y, backward=backward)

    def loss(x, y):
        return np.sum(product(x, y))

    with pytest.raises(CompileError, match=message) as caught:
        grad(loss)(X, X)
    assert "test_rule.py" in str(caught.value)


def test_each_mode_needs_its_function():
    forward_only = rule(lambda x: x**2, jvp=lambda args, tangents: (args[0] ** 2, 2 * args[0] * tangents[0]))

    def loss(x):
        return forward_only(x)

    assert jvp(loss, (3.0,), (1.0,)) == (9.0, 6.0)
    with pytest.raises(CompileError, match=r"(?s)nothing for reverse mode.*forward_only\(x\).*Give it `backward=`"):
        grad(loss)(3.0)
    with pytest.raises(CompileError, match=r"(?s)nothing for forward mode.*Give it `jvp=`"):
        jvp(lambda x: softplus(x), (3.0,), (1.0,))


def test_a_function_that_is_called_as_it_stands_has_no_second_derivative():
    def loss(x):
        return np.sum(power(x, 3))

    with pytest.raises(
        CompileError, match=r"(?s)called as it stands, and cannot be differentiated again.*power\(x, 3\)"
    ):
        hessian(loss)(X)


def test_a_linear_rule_differentiates_its_first_argument():
    with pytest.raises(CompileError, match=r"no derivative for its argument `a`"):
        grad(lambda x, a: np.sum(apply_to(x, a)), wrt="a")(X, MATRIX)


def test_formulas_are_counted():
    few = rule.elementwise(scaled_tanh, lambda d, y, x, scale: d)

    def loss(x):
        return np.sum(few(x, 2.0))

    with pytest.raises(CompileError, match=r"1 formulas? for 2 arguments"):
        grad(loss)(X)


def test_what_would_run_twice_or_never_is_refused():
    def noisy(x):
        print("x is", x)
        return x**2

    loud = rule(noisy, backward=lambda saved, d: 2 * d * saved[0])

    def loss(x):
        return loud(x)

    with pytest.raises(CompileError, match=r"(?s)`loud` prints.*print\(\"x is\", x\)"):
        grad(loss)(3.0)


def test_an_argument_is_not_written_into():
    def overwriting(x):
        x[0] = 1.0
        return x

    careless = rule(overwriting, backward=lambda saved, d: d)

    def loss(x):
        return np.sum(careless(2 * x))

    with pytest.raises(CompileError, match=r"(?s)`x` is changed in place.*x\[0\] = 1.0"):
        grad(loss)(X)
    np.testing.assert_array_equal(X, [0.3, -1.2, 2.0])


def test_a_rule_is_made_outside():
    def loss(x):
        return srcgrad.rule(np.sin)(x)

    with pytest.raises(CompileError, match=r"Make the rule outside"):
        grad(loss)(1.0)


def test_forward_must_return_the_value_and_what_is_saved():
    alone = rule(lambda x: x**2, forward=lambda x: x**2, backward=lambda saved, d: d)
    other = rule(lambda x: x**2, forward=lambda x: (np.ones(3), x), backward=lambda saved, d: d)

    def loss(x):
        return alone(x)

    def loss_2(x):
        return other(x)

    with pytest.raises(CompileError, match=r"Return \(value, saved\)"):
        grad(loss)(2.0)
    with pytest.raises(CompileError, match=r"the forward function of `other` returns f8\[3\], and the function float"):
        grad(loss_2)(2.0)
