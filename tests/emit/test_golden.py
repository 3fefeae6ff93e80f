"""The generated text of every specimen, as reviewed: read the diff before you refresh it.

    SRCGRAD_UPDATE_GOLDEN=1 pytest tests/emit/test_golden.py

Each gradient stands beside the one that an expert wrote by hand (tests/specimens): the test compares values and lines.
"""

import ast
import importlib
import inspect
import math
import os
import pkgutil
from pathlib import Path

import numpy as np
import pytest
import specimens
from specimens import lines_of_code

from srcgrad import grad

GOLDEN = Path(__file__).parents[1] / "golden"
NAMES = sorted(module.name for module in pkgutil.iter_modules(specimens.__path__))

# Lines beyond 1.1 times the hand-written ones, where the hand used mathematics that no derivative rule knows.
INSIGHT = {
    "batch_norm": (16, "the adjoint of a normalisation, collapsed by hand into one formula"),
    "black_scholes": (24, "a helper read twice; by hand its derivative is one closed formula (a density)"),
    "conv2d": (20, "by hand each place of the kernel is assigned once, instead of added to zeros"),
    "cosine_similarity": (10, "norms are guarded against zero; by hand the factors cancel"),
    "first_crossing": (20, "by hand the item found is read by its index"),
    "gaussian_cholesky": (17, "by hand the Cholesky adjoint drops out of the closed form"),
    "gmm_log_likelihood": (16, "by hand written with posterior shares"),
    "heat_equation": (20, "by hand the cotangent is updated in place"),
    "kalman_filter": (33, "by hand the recursion is differentiated as one formula"),
    "last_reading": (8, "by hand the factor that stands twice is written twice"),
    "layer_norm": (16, "the adjoint of a normalisation, collapsed by hand into one formula"),
    "leaky_integrator": (27, "by hand the branch is kept as a factor, not taken again"),
    "lstm": (66, "by hand a sigmoid's slope is written with the sigmoid itself, and a pass is kept as one tuple"),
    "matrix_factorisation": (9, "by hand rows are gathered twice instead of once"),
    "n_body": (11, "by hand pair symmetry replaces the adjoint of triu"),
    "quadratic_form": (8, "by hand the form is symmetrised"),
    "rk4_pendulum": (48, "a helper read four times"),
    "skips_outliers": (22, "by hand the condition is computed again, and passes over with `continue`"),
    "smooth_l1": (6, "by hand the choice and the absolute value are merged"),
    "softmax_cross_entropy_labels": (11, "by hand written as softmax minus one-hot"),
    "softmax_cross_entropy_one_hot": (10, "by hand rows of one_hot are known to sum to one"),
    "triplet_loss": (22, "three normalisations, collapsed by hand"),
}


def specimen(name):
    return importlib.import_module(f"specimens.{name}")


@pytest.fixture(scope="module")
def gradients():
    """Each specimen's gradient, compiled once."""
    found = {}
    for name in NAMES:
        module = specimen(name)
        gradient = grad(module.loss, wrt=module.WRT)
        found[name] = (gradient, gradient(*module.arguments(np.random.default_rng(0))))
    return found


@pytest.mark.quick
@pytest.mark.parametrize("name", NAMES)
def test_the_text_is_the_one_that_was_reviewed(name, gradients):
    text = gradients[name][0].source
    file = GOLDEN / f"{name}.py"
    if os.environ.get("SRCGRAD_UPDATE_GOLDEN"):
        file.write_text(text)
    assert text == file.read_text(), f"the gradient of {name} changed: read the difference, then refresh {file}"


@pytest.mark.quick
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("seed", range(3))
def test_the_values_are_those_of_the_gradient_written_by_hand(name, seed, gradients):
    module = specimen(name)
    arguments = module.arguments(np.random.default_rng(seed))
    for ours, by_hand in zip(gradients[name][0](*arguments), module.by_hand(*arguments), strict=True):
        np.testing.assert_allclose(ours, by_hand, rtol=1e-9, atol=1e-11)
        assert np.shape(ours) == np.shape(by_hand)


@pytest.mark.quick
@pytest.mark.parametrize("name", NAMES)
def test_it_is_about_as_short_as_the_one_written_by_hand(name, gradients):
    ours = lines_of_code(gradients[name][0].source)
    by_hand = lines_of_code(inspect.getsource(specimen(name).by_hand))
    limit, _ = INSIGHT.get(name, (math.ceil(1.1 * by_hand), ""))
    assert ours <= limit, f"{ours} lines, {by_hand} by hand"


@pytest.mark.quick
@pytest.mark.parametrize("name", NAMES)
def test_it_needs_numpy_alone(name, gradients):
    tree = ast.parse(gradients[name][0].source)
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert imported <= {"numpy", "math"}
    assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(tree))


@pytest.mark.quick
def test_no_exception_outlives_its_reason(gradients):
    """An entry in INSIGHT that the ordinary limit would admit is taken out."""
    for name, (limit, _) in INSIGHT.items():
        by_hand = lines_of_code(inspect.getsource(specimen(name).by_hand))
        assert limit > math.ceil(1.1 * by_hand), name
