"""Generated forward-mode and second-order texts, as reviewed: read the diff before you refresh it.

SRCGRAD_UPDATE_GOLDEN=1 pytest tests/emit/test_forward_golden.py
"""

import importlib
import os
from pathlib import Path

import numpy as np
import pytest

from srcgrad import grad, hvp, jvp

GOLDEN = Path(__file__).parents[1] / "golden"
TANGENTS = ("two_layer_net", "rnn", "leaky_integrator", "newton_sqrt", "gaussian_cholesky", "heat_equation")
PRODUCTS = ("two_layer_net", "rnn", "rosenbrock", "logistic_regression", "softmax_cross_entropy_labels", "newton_sqrt")

pytestmark = pytest.mark.quick


def specimen(name):
    """The module, its arguments, and a direction for each differentiated one."""
    module, rng = importlib.import_module(f"specimens.{name}"), np.random.default_rng(0)
    args = module.arguments(rng)
    values = dict(zip(module.loss.__code__.co_varnames, args))
    directions = tuple(rng.standard_normal(np.shape(values[each])) for each in module.WRT)
    return module, args, tuple(v if np.ndim(v) else float(v) for v in directions)


def compare(kind, name, text):
    file = GOLDEN / kind / f"{name}.py"
    if os.environ.get("SRCGRAD_UPDATE_GOLDEN"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
    assert text == file.read_text(), f"the {kind} text of {name} changed: read the difference, then refresh {file}"


@pytest.mark.parametrize("name", TANGENTS)
def test_value_and_tangent(name):
    module, args, directions = specimen(name)
    pushed = jvp(module.loss, wrt=module.WRT)
    pushed(args, directions)
    compare("forward", name, pushed.source)


@pytest.mark.parametrize("name", PRODUCTS)
def test_hessian_vector_products(name):
    module, args, directions = specimen(name)
    product = hvp(module.loss, wrt=module.WRT)
    product(*args, directions)
    compare("second_order", name, product.source)


def test_a_gradient_of_a_gradient():
    def decay(rate, level, steps):
        for _ in range(steps):
            level = level - rate * level**2
        return level

    second = grad(grad(decay))
    second(0.1, 3.0, 4)
    compare("second_order", "decay", second.source)
