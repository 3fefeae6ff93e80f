"""What a gradient keeps of the plain function: name, signature, source, identity when pickled, methods, threads."""

import copy
import inspect
import pickle
import threading

import numpy as np
import pytest

from srcgrad import Gradient, grad

pytestmark = pytest.mark.quick

X, Y = np.array([0.5, -1.5, 2.0]), np.array([1.0, 0.3, -0.7])


def product(x, y, *, k=2.0):
    return np.sum(x * y) * k


def documented(x: float, y: int = 3) -> float:
    """Of x and y."""
    return x * y


def test_the_gradient_keeps_name_docstring_and_signature():
    gradient = grad(documented)
    assert (gradient.__name__, gradient.__doc__, gradient.__module__) == ("documented", "Of x and y.", __name__)
    assert gradient.__wrapped__ is gradient.function is documented
    assert str(inspect.signature(gradient)) == "(x: float, y: int = 3) -> float"
    assert "documented with respect to x" in repr(gradient)


def test_source_before_any_call():
    assert grad(documented).source.startswith("def documented_grad(x, y=3):")
    assert grad(lambda x=2.0: x * x).source.startswith("def function_grad(x=2.0):")
    with pytest.raises(RuntimeError, match="`product` has not been called yet"):
        _ = grad(product).source


def test_source_is_that_of_the_last_call():
    gradient = grad(lambda x: np.sum(x))
    gradient(X)
    first = gradient.source
    gradient(2.0)
    assert gradient.source != first
    gradient(X)
    assert gradient.source == first
    gradient.value_and_grad(X)
    assert gradient.source.count("return") == 1
    assert "value" in gradient.source


def test_specialize_gives_the_bare_function():
    scale = 3.0

    def loss(x, y):
        return np.sum(x * y) * scale

    bare = grad(loss).specialize(X, Y)
    np.testing.assert_allclose(bare(X, Y), 3 * Y)
    assert "def loss_grad(x, y" in inspect.getsource(getattr(bare, "func", bare))
    assert inspect.isfunction(grad(product).specialize(X, Y))


@grad
def by_decoration(x):
    return np.sum(x**2)


by_assignment = grad(product, wrt="y")


def test_pickling_is_by_reference():
    assert pickle.loads(pickle.dumps(by_decoration)) is by_decoration
    again = pickle.loads(pickle.dumps(by_assignment))
    assert isinstance(again, Gradient)
    np.testing.assert_allclose(again(X, Y), 2 * X)
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(grad(lambda x: x))
    assert copy.deepcopy(by_decoration) is by_decoration


def test_threads_that_call_first_together():
    gradient = grad(lambda x: np.sum(np.tanh(x) ** 2))
    start, results = threading.Barrier(8), []

    def run(i):
        start.wait()
        for _ in range(20):
            results.append(gradient(X if i % 2 else X[:, None]).shape)

    threads = [threading.Thread(target=run, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [(3,)] * 80 + [(3, 1)] * 80
    assert len(gradient.specializations) == 2


class Scaled:
    factor = 3.0

    @grad(wrt="x")
    def method(self, x):
        return np.sum(x**2) * self.factor

    @staticmethod
    @grad
    def static(x):
        return np.sum(x**3)

    @classmethod
    @grad(wrt="x")
    def of_class(cls, x):
        return np.sum(x) * cls.factor


def test_methods():
    np.testing.assert_allclose(Scaled().method(X), 6 * X)
    np.testing.assert_allclose(Scaled.method(Scaled(), X), 6 * X)
    np.testing.assert_allclose(Scaled.static(X), 3 * X**2)
    np.testing.assert_allclose(Scaled.of_class(X), [3, 3, 3])
    assert pickle.loads(pickle.dumps(Scaled.static)) is Scaled.static
