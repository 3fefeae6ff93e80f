"""Functions without rule and without source that can be read: their calls pass through, once and in order."""

import json
import logging
import random
import statistics
import time
from time import perf_counter as clock

import numpy as np
import pytest
from agreement import check

from srcgrad import grad, stop_gradient
from srcgrad.errors import CompileError

pytestmark = pytest.mark.quick
LOG = logging.getLogger("tests.calls")


def test_messages_are_logged_once_and_in_order(caplog):
    def loss(x):
        logging.warning("x is %s", x)
        y = x**2
        LOG.warning("squared: %s", y)
        return y

    gradient = grad(loss)
    gradient(3.0)
    caplog.clear()
    assert gradient(3.0) == 6.0
    assert [record.getMessage() for record in caplog.records] == ["x is 3.0", "squared: 9.0"]


def test_clocks_and_random_numbers_have_known_types():
    def loss(x):
        start = time.perf_counter()
        y = x**2 * (1.0 + 0.0 * (clock() - start))
        random.seed(3)
        return y * random.random()

    random.seed(3)
    drawn = random.random()
    assert grad(loss)(2.0) == pytest.approx(4.0 * drawn)


def test_an_annotation_or_a_cast_says_what_a_call_gives():
    def loss(x):
        k: float = statistics.fmean([1.0, 4.0])
        n = int(json.loads("3"))
        return x**n * k * float(statistics.median([2.0, 3.0]))

    check(loss, 1.5)


def test_a_call_in_a_loop_happens_in_every_pass():
    def loss(x, n):
        total = 0.0
        for _ in range(n):
            random.seed(1)
            total = total + x * random.random()
        return total

    random.seed(1)
    drawn = random.random()
    assert grad(loss)(2.0, 3) == pytest.approx(3 * drawn)


def test_a_value_that_serves_a_print_needs_no_derivative(capsys):
    def loss(x):
        middle = float(statistics.fmean([x, 3.0]))
        print(middle)
        return x**2

    assert grad(loss)(1.0) == 2.0
    assert capsys.readouterr().out == "2.0\n"


def fault_of(function, *args):
    with pytest.raises(CompileError) as caught:
        grad(function)(*args)
    (fault,) = caught.value.faults
    return fault


def test_a_type_that_is_not_known():
    fault = fault_of(lambda x: json.loads("3") * x, 1.0)
    assert fault.message == "the type of what `json.loads` returns is not known when compiling"
    assert "`k: float = json.loads(...)`" in fault.way_out


def test_a_derivative_that_would_be_needed():
    fault = fault_of(lambda x: x * float(statistics.fmean([x, 2.0])), 1.0)
    assert "`statistics.fmean` has no derivative rule" in fault.message
    assert "`srcgrad.rule(f)`" in fault.way_out
    assert "stop_gradient" in fault.way_out


def test_its_arguments_may_be_cut_off():
    def loss(x):
        return x * float(statistics.fmean([stop_gradient(x), 2.0]))

    assert grad(loss)(4.0) == 3.0


def test_arrays_may_be_passed_on():
    def loss(x):
        n = int(statistics.mode(np.round(stop_gradient(x))))
        return np.sum(x) * n

    np.testing.assert_array_equal(grad(loss)(np.array([2.0, 2.0, 3.0])), [2.0, 2.0, 2.0])
