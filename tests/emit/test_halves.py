"""The forward and the backward half, as reviewed (refresh as in test_golden.py)."""

import os
from pathlib import Path

import numpy as np
import pytest
import specimens.active_branch
import specimens.kalman_filter
import specimens.newton_sqrt
import specimens.rnn
import specimens.two_layer_net

from srcgrad import grad

HALVES = Path(__file__).parents[1] / "golden" / "halves"
CHOSEN = [
    specimens.active_branch,
    specimens.kalman_filter,
    specimens.newton_sqrt,
    specimens.rnn,
    specimens.two_layer_net,
]


@pytest.mark.quick
@pytest.mark.parametrize("module", CHOSEN, ids=lambda module: module.__name__)
def test_the_halves_are_those_that_were_reviewed(module):
    gradient = grad(module.loss, wrt=module.WRT)
    arguments = module.arguments(np.random.default_rng(0))
    result = gradient.forward(*arguments)
    np.testing.assert_equal(result.value, module.loss(*arguments))
    for ours, by_hand in zip(result.backward(), module.by_hand(*arguments), strict=True):
        np.testing.assert_allclose(ours, by_hand, rtol=1e-9, atol=1e-11)
    file = HALVES / f"{module.__name__.rpartition('.')[2]}.py"
    if os.environ.get("SRCGRAD_UPDATE_GOLDEN"):
        file.write_text(gradient.source)
    assert gradient.source == file.read_text()


@pytest.mark.quick
def test_a_branch_not_taken_leaves_nothing_undefined():
    gradient = grad(specimens.active_branch.loss)
    for prediction in (0.1, 5.0):
        assert np.isfinite(gradient.forward(prediction, 1.0, 0.0).backward()[0])
