"""What generated code imports: NumPy, and the libraries whose functions the user called, as the user spells them."""

import re

import numpy as np
import pytest

from srcgrad import grad

pytest.importorskip("scipy")

import scipy.special
from scipy import special
from scipy import special as sps
from scipy.special import expit


def by_package(x):
    return np.sum(special.expit(x) ** 2)


def by_full_name(x):
    return np.sum(scipy.special.expit(x) ** 2)


def by_other_name(x):
    return np.sum(sps.expit(x) ** 2)


def by_function(x):
    return np.sum(expit(x) ** 2)


def with_a_variable_of_that_name(x):
    special = expit(x)
    return np.sum(special**2)


SPELLED = {
    by_package: "from scipy import special",
    by_full_name: "import scipy.special",
    by_other_name: "import scipy.special as sps",
    by_function: "from scipy import special",
    with_a_variable_of_that_name: "import scipy.special",
}


@pytest.mark.quick
@pytest.mark.parametrize("loss", SPELLED, ids=lambda loss: loss.__name__)
def test_a_library_is_imported_as_the_user_spells_it(loss):
    x = np.array([0.1, 0.5])
    s = special.expit(x)
    gradient = grad(loss)
    np.testing.assert_allclose(gradient(x), 2 * s * s * (1 - s))
    assert re.findall(r"^.*import (?!numpy).*$", gradient.source, re.MULTILINE) == [SPELLED[loss]]


def test_halves_import_what_they_call():
    gradient = grad(by_package)
    result = gradient.forward(np.array([0.1, 0.5]))
    result.backward()
    assert "from scipy import special" in gradient.forward_source
    assert gradient.source.count("from scipy import special") == 1
