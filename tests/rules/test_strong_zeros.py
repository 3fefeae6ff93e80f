"""What a formula leaves out contributes nothing, even where its derivative is infinite; kinks have documented sides."""

import numpy as np
import pytest
from symbolic_gradients import gradients

pytestmark = [
    pytest.mark.quick,
    pytest.mark.filterwarnings("ignore::RuntimeWarning"),  # where() computes both of its sides
]


def check(loss, x, *expected):
    args = [np.asarray(arg, dtype=float) for arg in (x if isinstance(x, tuple) else (x,))]
    for found, wanted in zip(gradients(loss, *args), expected, strict=True):
        np.testing.assert_allclose(found, wanted, rtol=1e-14)


# Branches that np.where leaves out


def test_square_root_left_out_at_zero():
    check(lambda x: np.sum(np.where(x > 0, np.sqrt(x), 0.0)), [0.0, 4.0], [0.0, 0.25])


def test_logarithm_left_out_on_the_other_side():
    check(lambda x: np.sum(np.where(x <= 0, 0.0, np.log(x))), [0.0, 4.0], [0.0, 0.25])


def test_division_left_out():
    check(
        lambda a, b: np.sum(np.where(b != 0, a / b, 0.0)),
        ([1.0, 1.0], [0.0, 2.0]),
        [0.0, 0.5],
        [0.0, -0.25],
    )


def test_factors_between_the_mask_and_the_singular_function():
    check(lambda x: np.sum(np.where(x > 0, -3.0 * np.sqrt(2.0 * x), 1.0)), [0.0, 2.0], [0.0, -1.5])


def test_mask_as_a_factor():
    check(lambda x: np.sum(np.sqrt(x) * (x > 0)), [0.0, 4.0], [0.0, 0.25])


def test_mask_seen_through_a_change_of_shape():
    check(lambda x: np.sum(np.where(x[:, None] > 0, np.sqrt(x)[:, None], 0.0)), [0.0, 4.0], [0.0, 0.25])
    check(lambda x: np.sum(np.where(x.T > 0, np.sqrt(x).T, 0.0)), [[0.0, 4.0]], [[0.0, 0.25]])


# Elements that an index leaves out


def test_square_root_outside_a_slice():
    check(lambda x: np.sum(np.sqrt(x)[1:]), [0.0, 4.0], [0.0, 0.25])


def test_logarithm_outside_a_mask():
    check(lambda x: np.sum(np.log(x)[x > 0]), [0.0, 4.0], [0.0, 0.25])


def test_norms_of_pairs_off_the_diagonal():
    """Distances between points: the distance of a point from itself is not read."""

    def loss(x):
        difference = x[:, None] - x[None, :]
        return np.sqrt(difference * difference)[0, 1]

    check(loss, [1.0, 3.0], [-1.0, 1.0])


def test_extreme_leaves_out_the_smaller():
    check(lambda x, b: np.sum(np.maximum(np.sqrt(x), b)), ([0.0, 4.0], [1.0, 1.0]), [0.0, 0.25], [1.0, 0.0])
    check(lambda x: np.max(np.sqrt(x)), [0.0, 4.0], [0.0, 0.25])


# Conventions at kinks and ties


@pytest.mark.parametrize("axis", [None, 0])
def test_norm_at_zero(axis):
    check(lambda x: np.sum(np.linalg.norm(x, axis=axis)), np.zeros((2, 3)), np.zeros((2, 3)))


@pytest.mark.parametrize("order", [1, 2, 3, 0.5, np.inf])
def test_norm_at_zero_of_every_order(order):
    check(lambda x: np.linalg.norm(x, ord=order), [0.0, 0.0], [0.0, 0.0])


def test_norm_of_a_matrix_at_zero():
    check(lambda x: np.linalg.norm(x, ord="fro"), np.zeros((2, 2)), np.zeros((2, 2)))


def test_deviation_of_equal_numbers():
    check(lambda x: np.std(x), [2.0, 2.0], [0.0, 0.0])


@pytest.mark.parametrize(
    ("x", "expected"),
    [([2.0, 3.0], [3.0, 2.0]), ([0.0, 3.0, 2.0], [6.0, 0.0, 0.0]), ([0.0, 0.0, 2.0], [0.0, 0.0, 0.0])],
)
def test_product_with_zeros(x, expected):
    check(lambda x: np.prod(x), x, expected)


@pytest.mark.parametrize(
    ("x", "expected"),
    [([0.0, 3.0, 2.0], [1 + 3 + 6, 0, 0]), ([2.0, 0.0, 5.0], [1, 2 + 10, 0]), ([2.0, 0.0, 0.0], [1, 2, 0])],
)
def test_running_product_with_zeros(x, expected):
    check(lambda x: np.sum(np.cumprod(x)), x, expected)


def test_powers_at_zero():
    check(lambda x: np.sum(x**0), [0.0, 2.0], [0.0, 0.0])
    check(lambda x: np.sum(x**1), [0.0, 2.0], [1.0, 1.0])
    check(lambda x: np.sum(x**2), [0.0, 2.0], [0.0, 4.0])
    check(lambda x, n: np.sum(x**n), ([0.0, 0.0], [0.0, 1.0]), [0.0, 1.0], [0.0, 0.0])


def test_ties_of_an_extreme_are_shared():
    check(lambda x: np.max(x), [1.0, 3.0, 3.0], [0.0, 0.5, 0.5])
    check(lambda x: np.sum(np.min(x, axis=1)), [[1.0, 1.0], [1.0, 2.0]], [[0.5, 0.5], [1.0, 0.0]])
    check(lambda a, b: np.sum(np.maximum(a, b)), ([1.0, 2.0], [1.0, 1.0]), [0.5, 1.0], [0.5, 0.0])
    check(lambda a, b: np.sum(np.minimum(a, b)), ([1.0, 2.0], [1.0, 1.0]), [0.5, 0.0], [0.5, 1.0])
    check(lambda x: np.ptp(x), [1.0, 3.0, 3.0], [-1.0, 0.5, 0.5])
    check(lambda x: np.linalg.norm(x, ord=np.inf), [1.0, -3.0, 3.0], [0.0, -0.5, 0.5])


def test_rectifier_at_zero():
    check(lambda x: np.sum(np.maximum(x, 0.0)), [-1.0, 0.0, 1.0], [0.0, 0.0, 1.0])
    check(lambda x: np.sum(np.maximum(0.0, x)), [-1.0, 0.0, 1.0], [0.0, 0.0, 1.0])
    check(lambda x: np.sum(np.minimum(x, 0.0)), [-1.0, 0.0, 1.0], [1.0, 0.0, 0.0])


def test_absolute_value_and_sign_at_zero():
    check(lambda x: np.sum(np.absolute(x)), [-1.0, 0.0, 1.0], [-1.0, 0.0, 1.0])
    check(lambda x: np.sum(np.sign(x)), [-1.0, 0.0, 1.0], [0.0, 0.0, 0.0])


def test_clip_at_its_bounds():
    x = [-2.0, -1.0, 0.0, 1.0, 2.0]
    check(lambda x: np.sum(np.clip(x, -1.0, 1.0)), x, [0.0, 0.0, 1.0, 0.0, 0.0])
    check(lambda x: np.sum(np.clip(x, None, 1.0)), x, [1.0, 1.0, 1.0, 0.0, 0.0])
    check(lambda x: np.sum(np.clip(x, -1.0, None)), x, [0.0, 0.0, 1.0, 1.0, 1.0])


def test_clip_hands_its_cotangent_to_the_bound_it_takes():
    bounds = ([-1.0, -1.0, 1.0], [1.0, 1.0, 0.0])  # the last pair is upside down: NumPy takes the upper bound
    check(
        lambda x, low, high: np.sum(np.clip(x, low, high)),
        ([0.0, -2.0, 0.5], *bounds),
        [1.0, 0.0, 0.0],
        [0.0, 1.0, 0.0],
        [0.0, 0.0, 1.0],
    )


def test_sinc_at_zero():
    check(lambda x: np.sum(np.sinc(x)), [0.0], [0.0])


def test_masks_summed_before_a_singular_function():
    mask = [[0.0, 1.0], [0.0, 1.0]]
    zeros = np.zeros((2, 2))
    check(lambda x, m: np.sum(np.where(m > 0, np.sqrt(x), 0.0)), ([0.0, 4.0], mask), [0.0, 0.5], zeros)
    check(
        lambda x, w: np.sum(np.where(x[:, None] > 0, np.sqrt(x)[:, None] @ w, 0.0)),
        ([0.0, 4.0], [[1.0, 2.0]]),
        [0.0, 0.75],
        [[2.0, 2.0]],
    )


def test_log_of_a_sum_of_nothing():
    check(lambda a, b: np.sum(np.logaddexp(a, b)), ([-np.inf, 0.0], [-np.inf, -np.inf]), [0.0, 1.0], [0.0, 0.0])


def test_hypotenuse_of_nothing():
    check(lambda a, b: np.sum(np.hypot(a, b)), ([0.0, 3.0], [0.0, 4.0]), [0.0, 0.6], [0.0, 0.8])


def test_quotients_left_out():
    check(lambda x, y: np.sum(np.where(x != 0, y / x, 0.0)), ([0.0, 2.0], [1.0, 3.0]), [0.0, -0.75], [0.0, 0.5])
