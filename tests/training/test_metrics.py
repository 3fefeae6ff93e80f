"""Metrics, compared with scikit-learn's; predictions come first here."""

import numpy as np
import pytest

from srcgrad.metrics import accuracy, confusion_matrix, f1, mae, mse, precision, r2, recall

pytestmark = pytest.mark.quick

RNG = np.random.default_rng(0)
TARGET = RNG.integers(0, 4, 200)
PREDICTED = np.where(RNG.random(200) < 0.6, TARGET, RNG.integers(0, 3, 200))  # class 3 is hardly ever predicted


def test_classes_equal_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    assert accuracy(PREDICTED, TARGET) == metrics.accuracy_score(TARGET, PREDICTED)
    np.testing.assert_array_equal(confusion_matrix(PREDICTED, TARGET), metrics.confusion_matrix(TARGET, PREDICTED))
    for ours, theirs in (
        (precision, metrics.precision_score),
        (recall, metrics.recall_score),
        (f1, metrics.f1_score),
    ):
        for average in ("macro", "micro", "weighted", None):
            for target in (TARGET, np.where(TARGET == 1, 2, TARGET)):  # with a class that has no samples
                expected = theirs(target, PREDICTED, average=average, zero_division=0)
                np.testing.assert_allclose(ours(PREDICTED, target, average=average), expected, rtol=1e-12)


def test_numbers_equal_scikit_learns():
    metrics = pytest.importorskip("sklearn.metrics")
    target = RNG.normal(size=50)
    predicted = target + RNG.normal(size=50)
    assert mae(predicted, target) == pytest.approx(metrics.mean_absolute_error(target, predicted))
    assert mse(predicted, target) == pytest.approx(metrics.mean_squared_error(target, predicted))
    assert r2(predicted, target) == pytest.approx(metrics.r2_score(target, predicted))


def test_by_hand():
    predicted, target = [0, 1, 1, 1], [0, 0, 1, 2]
    assert accuracy(predicted, target) == 0.5
    assert confusion_matrix(predicted, target).tolist() == [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    np.testing.assert_allclose(precision(predicted, target, average=None), [1, 1 / 3, 0])
    np.testing.assert_allclose(recall(predicted, target, average=None), [0.5, 1, 0])
    np.testing.assert_allclose(f1(predicted, target, average=None), [2 / 3, 0.5, 0])
    assert r2([2.0, 2.0, 2.0], [1.0, 2.0, 3.0]) == 0.0


def test_scores_stand_for_the_highest():
    scores = np.array([[0.1, 0.7, 0.2], [0.5, 0.3, 0.2]])
    assert accuracy(scores, [1, 2]) == 0.5
    assert confusion_matrix(scores, [1, 0]).shape == (3, 3)
    assert confusion_matrix([0, 1], [1, 0], classes=5).shape == (5, 5)


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: accuracy([1, 2], [1, 2, 3]), r"predictions of shape \(2,\) for a target of shape \(3,\)"),
        (lambda: accuracy([], []), "no samples"),
        (lambda: accuracy([0.5, 0.7], [0, 1]), "classes are integers .* not float64"),
        (lambda: confusion_matrix([-1, 1], [0, 1]), "numbered from 0 to 1, and a label lies outside"),
        (lambda: confusion_matrix([0, 3], [0, 1], classes=2), "numbered from 0 to 1"),
        (lambda: f1([0], [0], average="mean"), "not 'mean'"),
        (lambda: r2([1.0, 2.0], [3.0, 3.0]), "this target is constant"),
        (lambda: mae([], []), "no samples"),
    ],
)
def test_errors(attempt, message):
    with pytest.raises(ValueError, match=message):
        attempt()
