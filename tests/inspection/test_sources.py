"""Every derivative shows its source, explains itself and lists what was compiled: before calls, after, as a method."""

import inspect
import pickle
import re
from datetime import datetime
from pathlib import Path
from typing import Annotated

import numpy as np
import pytest
from other_module import Constants

from srcgrad import grad, hessian, hvp, jacfwd, jacobian, jacrev, jvp, value_and_grad

pytestmark = pytest.mark.quick

W, X = np.linspace(-1.0, 1.0, 6).reshape(3, 2), np.linspace(0.2, 1.0, 12).reshape(4, 3)


def loss(w, x):
    h = np.tanh(x @ w)
    return np.sum(h**3)


def annotated(w: Annotated[np.ndarray, "f8[d, h]"], x: Annotated[np.ndarray, "f8[n, d]"], scale: float = 2.0):
    return scale * np.sum(np.tanh(x @ w) ** 3)


EVERY = {
    "grad": (grad(loss), (W, X), "loss_grad"),
    "value_and_grad": (value_and_grad(loss), (W, X), "loss_value_and_grad"),
    "jvp": (jvp(loss), ((W, X), (W, X)), "loss_jvp"),
    "jvp along one": (jvp(loss), ((W, X), (None, X)), "loss_jvp"),
    "hvp": (hvp(loss), (W, X, W), "loss_hvp"),
    "jacobian": (jacobian(lambda x: np.tanh(x)), (X,), "function_rows"),
    "jacrev": (jacrev(loss), (W, X), "loss_rows"),
    "jacfwd": (jacfwd(loss), (W, X), "loss_columns"),
    "hessian": (hessian(loss), (W, X), "loss_grad_rows"),
}


@pytest.mark.parametrize(("derivative", "args", "name"), EVERY.values(), ids=EVERY)
def test_the_source_of_a_call_before_it_is_made(derivative, args, name):
    shown = derivative.source_for(*args)
    assert f"def {name}(" in shown
    derivative(*args)
    assert derivative.source == shown
    compile(shown, "shown", "exec")


@pytest.mark.parametrize(("derivative", "args", "name"), EVERY.values(), ids=EVERY)
def test_annotations_name_lines_and_change_no_code(derivative, args, name):
    plain, noted = derivative.source_for(*args), derivative.source_for(*args, annotate=True)
    assert "# line" in noted
    assert [line.partition("  #")[0].rstrip() for line in noted.splitlines()] == plain.splitlines()


def test_a_line_from_several_of_the_users_names_them_all():
    def energy(x):
        y = np.sin(x)
        return np.sum(y**3)

    returned = grad(energy).source_for(X, annotate=True).splitlines()[-1]
    first = energy.__code__.co_firstlineno + 1
    assert returned.endswith(f"# lines {first}, {first + 1}")


def test_a_line_from_another_file_names_it():
    def energy(x):
        return np.sum(Constants.square(np.tanh(x)))

    noted = grad(energy).source_for(X, annotate=True)
    assert "other_module.py:" in noted
    assert re.search(r"(made by|needed for) \S*other_module.py:22: return v \* v", str(grad(energy).explain(X)))


@pytest.mark.parametrize(("derivative", "args", "name"), EVERY.values(), ids=EVERY)
def test_it_explains_itself(derivative, args, name):
    explanation = derivative.explain(*args)
    assert str(explanation).startswith(f"The {explanation.derivative} of ")
    forward_alone = name in ("loss_jvp", "loss_columns")
    assert (explanation.bytes == 0) == forward_alone


def test_what_halves_keep():
    (stored,) = jacrev(lambda x: np.tanh(x)).explain(X).stored
    assert (stored.name, stored.bytes) == ("value", X.nbytes)


def test_a_hessian_vector_product_keeps_values_and_their_tangents():
    def rolled(x):
        for _ in range(5):
            x = np.sin(x)
        return np.sum(x)

    explanation = hvp(rolled).explain(X, X)
    recorded = [each for each in explanation.stored if each.recorded]
    assert [each.count for each in recorded] == [5, 5]
    assert "Hessian-vector product of " in str(explanation)


def test_nothing_is_said_to_be_computed_again_that_a_cotangent_is_in():
    def linear(w):
        return X @ w

    assert jacrev(linear).explain(W).recomputed == ()


def test_a_second_signature_does_not_hide_the_first():
    gradient = grad(lambda x: np.sum(np.sin(x)))
    first = gradient.source_for(2.0)
    gradient.source_for(X)
    assert gradient.source_for(2.0) == first == gradient.source


@pytest.mark.parametrize("take", [grad, value_and_grad, hvp, jvp, hessian, jacobian], ids=lambda f: f.__name__)
def test_annotations_are_signature_enough(take):
    assert "tanh" in take(annotated).source


def test_annotations_are_enough_for_the_halves():
    gradient = grad(annotated)
    assert gradient.forward_source.count("def annotated_forward(w, x, scale=2.0):") == 1
    assert "def annotated_backward(" in gradient.backward_source


def test_jaxtyping_annotations():
    class Float64:  # as jaxtyping's `Float64[np.ndarray, "n 3"]`
        dtypes = ("float64",)
        dim_str = "n 3"

    def total(x):
        return np.sum(x**2)

    total.__annotations__["x"] = Float64
    assert "return 2 * x" in grad(total).source


def test_an_unknown_signature_says_what_to_do():
    with pytest.raises(RuntimeError, match=r"type of `w` is unknown.*source_for\(\*args\).*Annotated"):
        _ = grad(loss).source
    with pytest.raises(RuntimeError, match=r"forward_source_for\(\*args\)"):
        _ = grad(loss).forward_source


def test_the_halves_of_a_call_without_running_it():
    gradient = grad(loss)
    forward, backward = gradient.forward_source_for(W, X), gradient.backward_source_for(W, X)
    gradient.forward(W, X)
    assert (gradient.forward_source, gradient.backward_source) == (forward, backward)


def test_the_bare_functions():
    along = jvp(loss).specialize((W, X), (W, X))
    np.testing.assert_allclose(along(W, X, W, X), jvp(loss)((W, X), (W, X)))
    np.testing.assert_allclose(hvp(loss).specialize(W, X, W)(W, X, W), hvp(loss)(W, X, W))
    with pytest.raises(TypeError, match="forward and a backward half"):
        jacrev(loss).specialize(W, X)


def test_specializations_say_what_and_when():
    gradient, before = grad(lambda x: np.sum(x**5)), datetime.now()
    gradient(X)
    gradient(2.0)
    newest, oldest = gradient.specializations
    assert before <= oldest.when <= newest.when <= datetime.now()
    assert Path(oldest.files[0]).read_text() == oldest.texts[0]
    assert repr(newest).startswith("<function_grad(x: float), compiled at 20")
    assert oldest.files[0] in repr(oldest)


def test_value_and_grad_is_a_gradient_that_also_gives_the_value():
    both = value_and_grad(loss, wrt=("w", "x"))
    value, (dw, dx) = both(W, X)
    assert value == loss(W, X)
    np.testing.assert_array_equal(dw, grad(loss)(W, X))
    np.testing.assert_array_equal(dx, grad(loss, wrt="x")(W, X))
    assert repr(both) == "<value and gradient of loss with respect to w, x>"
    assert type(pickle.loads(pickle.dumps(both))) is type(both)
    np.testing.assert_allclose(jvp(both, wrt="w")((W, X), (W,))[1][0], np.sum(dw * W))


class Spring:
    def __init__(self):
        self.k = np.array([1.0, 2.0, 3.0])

    @grad(wrt="x")
    def energy(self, x, power=2):
        """Of a stretched spring."""
        return np.sum(self.k * x**power)


def test_a_method_has_all_of_it():
    spring, x = Spring(), np.array([0.5, -1.0, 2.0])
    np.testing.assert_allclose(spring.energy(x), 2 * spring.k * x)
    value, gradient = spring.energy.value_and_grad(x)
    assert value == np.sum(spring.k * x**2)
    np.testing.assert_allclose(gradient, 2 * spring.k * x)
    result = spring.energy.forward(x, power=3)
    np.testing.assert_allclose(result.backward()[0], 3 * spring.k * x**2)
    assert "def energy_grad(self, x, power=2):" in spring.energy.source_for(x)
    assert "def energy_forward(self" in spring.energy.forward_source_for(x)
    assert spring.energy.explain(x).function == "Spring.energy"
    assert spring.energy.specializations == Spring.energy.specializations
    np.testing.assert_allclose(spring.energy.specialize(x)(spring, x), 2 * spring.k * x)


def test_a_method_is_what_methods_are():
    spring = Spring()
    assert (spring.energy.__name__, spring.energy.__doc__) == ("energy", "Of a stretched spring.")
    assert list(inspect.signature(spring.energy).parameters) == ["x", "power"]
    assert spring.energy == spring.energy != Spring().energy
    assert len({spring.energy, spring.energy}) == 1
    assert spring.energy.__self__ is spring
    assert "value_and_grad" in dir(spring.energy)
    np.testing.assert_allclose(pickle.loads(pickle.dumps(spring.energy))(np.ones(3)), 2 * spring.k)
    with pytest.raises(AttributeError, match="no attribute 'sources'"):
        _ = spring.energy.sources
