"""Learning-rate schedulers: order of the steps, saving and going on, errors; their numbers: test_against_pytorch.py."""

import copy
import pickle

import numpy as np
import pytest
import pytorch_cases as cases

from srcgrad import Parameter
from srcgrad.optim import SGD, Adagrad, Adam
from srcgrad.optim import lr_scheduler as schedulers
from srcgrad.optim.lr_scheduler import (
    ChainedScheduler,
    ConstantLR,
    CosineAnnealingLR,
    CosineAnnealingWarmRestarts,
    CyclicLR,
    ExponentialLR,
    LambdaLR,
    LinearLR,
    LRScheduler,
    MultiplicativeLR,
    MultiStepLR,
    OneCycleLR,
    ReduceLROnPlateau,
    SequentialLR,
    StepLR,
)

pytestmark = pytest.mark.quick


@pytest.fixture
def optimizer():
    return SGD([{"params": [Parameter(1.0)], "lr": 0.1}, {"params": [Parameter(1.0)], "lr": 0.4}], momentum=0.8)


def test_the_learning_rate_stands_in_the_groups(optimizer):
    scheduler = StepLR(optimizer, step_size=1, gamma=0.5)
    optimizer.step()
    scheduler.step()
    assert [group["lr"] for group in optimizer.param_groups] == scheduler.get_last_lr() == [0.05, 0.2]
    assert [group["initial_lr"] for group in optimizer.param_groups] == scheduler.base_lrs == [0.1, 0.4]
    assert "    initial_lr: 0.1\n    lr: 0.05\n" in str(optimizer)


def test_a_scheduler_of_ones_own(optimizer):
    class Halving(LRScheduler):
        def get_lr(self):
            return [base / (1 + self.last_epoch) for base in self.base_lrs]

    scheduler = Halving(optimizer)
    optimizer.step()
    scheduler.step()
    assert scheduler.get_last_lr() == [0.05, 0.2]


def test_the_optimizer_steps_first(optimizer):
    with pytest.warns(UserWarning, match=r"`lr_scheduler.step\(\)` before `optimizer.step\(\)`"):
        ExponentialLR(optimizer, 0.9).step()


@pytest.mark.parametrize("name", [*cases.SCHEDULERS, *cases.PLATEAUS])
def test_a_schedule_goes_on_from_its_state_dict(name):
    def made():
        optimizer = SGD([{"params": [Parameter(1.0)], "lr": lr} for lr in (0.1, 0.4)], momentum=0.8)
        build = cases.SCHEDULERS.get(name, lambda s, o: s.ReduceLROnPlateau(o, **cases.PLATEAUS[name]))
        return optimizer, build(schedulers, optimizer)

    def run(optimizer, scheduler, steps):
        path = []
        for step in steps:
            optimizer.step()
            scheduler.step(*([cases.METRICS[step]] if name in cases.PLATEAUS else []))
            path.append(cases.options_of(optimizer))
        return path

    optimizer, scheduler = made()
    run(optimizer, scheduler, range(7))
    saved = pickle.loads(pickle.dumps((optimizer.state_dict(), scheduler.state_dict())))
    before = copy.deepcopy(saved)
    expected = run(optimizer, scheduler, range(7, 19))
    optimizer, scheduler = made()
    optimizer.load_state_dict(saved[0])
    scheduler.load_state_dict(saved[1])
    assert run(optimizer, scheduler, range(7, 19)) == expected
    assert saved == before


def test_callable_objects_are_saved_with_their_attributes(optimizer):
    class Power:
        def __init__(self, base):
            self.base = base

        def __call__(self, epoch):
            return self.base**epoch

    saved = LambdaLR(optimizer, [Power(0.5), lambda epoch: 1.0]).state_dict()
    assert saved["lr_lambdas"] == [{"base": 0.5}, None]
    other = LambdaLR(optimizer, [Power(0.9), lambda epoch: 1.0])
    other.load_state_dict(saved)
    assert other.lr_lambdas[0].base == 0.5


def test_the_state_of_another_kind_is_refused(optimizer):
    with pytest.raises(
        ValueError, match=r"of another scheduler than StepLR: \['T_max', 'eta_min', 'gamma', 'step_size'\]"
    ):
        StepLR(optimizer, 3).load_state_dict(CosineAnnealingLR(optimizer, 5).state_dict())


def test_going_on_with_last_epoch(optimizer):
    with pytest.raises(KeyError, match=r"'initial_lr' is not specified in param_groups\[0\].* load the optimizer's"):
        ExponentialLR(optimizer, 0.5, last_epoch=3)
    ExponentialLR(optimizer, 0.5)
    resumed = ExponentialLR(optimizer, 0.5, last_epoch=3)
    assert resumed.last_epoch == 4


def test_warm_restarts_take_fractions_of_an_epoch(optimizer):
    scheduler = CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2)
    heights = []
    for epoch in np.arange(0, 6.25, 0.5):
        scheduler.step(epoch)
        heights.append(scheduler.get_last_lr()[0] / 0.1)
    first = (1 + np.cos(np.pi * np.arange(0, 2, 0.5) / 2)) / 2
    second = (1 + np.cos(np.pi * np.arange(0, 4, 0.5) / 4)) / 2
    np.testing.assert_allclose(heights, [*first, *second, 1.0], atol=1e-12)
    with pytest.raises(ValueError, match="Expected non-negative epoch, but got -1"):
        scheduler.step(-1)


def test_one_cycle_has_an_end():
    optimizer = Adam([Parameter(1.0)])
    scheduler = OneCycleLR(optimizer, 0.1, total_steps=3)
    for _ in range(3):
        optimizer.step()
        scheduler.step()
    with pytest.raises(ValueError, match=r"Tried to step 4 times. The specified number of total steps is 3"):
        scheduler.step()


def test_cycles_move_the_first_beta():
    optimizer = Adam([Parameter(1.0)], betas=(0.9, 0.99))
    OneCycleLR(optimizer, 0.1, total_steps=10, max_momentum=0.95)
    assert optimizer.param_groups[0]["betas"] == (0.95, 0.99)
    with pytest.raises(ValueError, match="optimizer must support momentum or beta1"):
        CyclicLR(Adagrad([Parameter(1.0)]), 0.1, 0.2)
    CyclicLR(Adagrad([Parameter(1.0)]), 0.1, 0.2, cycle_momentum=False)


def test_a_plateau_counts_what_is_not_a_number_as_no_better(optimizer):
    scheduler = ReduceLROnPlateau(optimizer, patience=0, factor=0.5)
    for metric in (1.0, float("nan")):
        scheduler.step(metric)
    assert scheduler.get_last_lr() == [0.05, 0.2]


ERRORS = [
    (lambda o: StepLR("no", 3), TypeError, "str is not an Optimizer"),
    (lambda o: LambdaLR("no", len), TypeError, "str is not an Optimizer"),
    (lambda o: CyclicLR("no", 0.1, 0.2), TypeError, "str is not an Optimizer"),
    (lambda o: OneCycleLR("no", 0.1, total_steps=4), TypeError, "str is not an Optimizer"),
    (lambda o: ReduceLROnPlateau("no"), TypeError, "str is not an Optimizer"),
    (lambda o: ConstantLR(o, 2.0), ValueError, "Constant multiplicative factor expected to be between 0 and 1."),
    (lambda o: LinearLR(o, 0.0), ValueError, "Starting multiplicative factor expected to be greater than 0"),
    (lambda o: LinearLR(o, 1.0, 1.5), ValueError, "Ending multiplicative factor expected to be between 0 and 1."),
    (lambda o: LambdaLR(o, [len]), ValueError, "Expected 2 lr_lambdas, but got 1"),
    (lambda o: MultiplicativeLR(o, 0.9), TypeError, "lr_lambda should be a function, but got float"),
    (lambda o: CosineAnnealingWarmRestarts(o, 0), ValueError, "Expected positive integer T_0, but got 0"),
    (lambda o: CosineAnnealingWarmRestarts(o, 3, 0.5), ValueError, "Expected integer T_mult >= 1, but got 0.5"),
    (lambda o: CosineAnnealingWarmRestarts(o, 3, eta_min="a"), ValueError, "Expected float or int eta_min"),
    (lambda o: OneCycleLR(o, 0.1), ValueError, "define either total_steps OR"),
    (lambda o: OneCycleLR(o, 0.1, total_steps=0), ValueError, "Expected positive integer total_steps, but got 0"),
    (lambda o: OneCycleLR(o, 0.1, epochs=2, steps_per_epoch=-1), ValueError, "positive integer steps_per_epoch"),
    (lambda o: OneCycleLR(o, 0.1, total_steps=4, pct_start=2.0), ValueError, "Expected float between 0 and 1"),
    (lambda o: OneCycleLR(o, 0.1, total_steps=4, anneal_strategy="x"), ValueError, "one of 'cos' or 'linear'"),
    (lambda o: OneCycleLR(o, [0.1], total_steps=4), ValueError, "max_lr has 1 values, param_groups has 2"),
    (lambda o: CyclicLR(o, 0.1, 0.2, mode="x"), ValueError, "mode is invalid and scale_fn is None"),
    (lambda o: ReduceLROnPlateau(o, factor=1.0), ValueError, "Factor should be < 1.0."),
    (lambda o: ReduceLROnPlateau(o, mode="x"), ValueError, "mode x is unknown!"),
    (lambda o: ReduceLROnPlateau(o, threshold_mode="x"), ValueError, "threshold mode x is unknown!"),
    (lambda o: ReduceLROnPlateau(o, min_lr=[0.1]), ValueError, "min_lr has 1 values, param_groups has 2"),
    (lambda o: SequentialLR(o, [], []), ValueError, "expects at least one scheduler, but got no scheduler"),
    (lambda o: SequentialLR(o, [StepLR(o, 1)], [2]), ValueError, "one more than the number of milestone points"),
    (lambda o: ChainedScheduler([StepLR(o, 1), len]), TypeError, "the one at index 1 is a builtin_function"),
    (lambda o: ChainedScheduler([ReduceLROnPlateau(o)]), ValueError, "whose `step` takes a metric"),
    (
        lambda o: ChainedScheduler([StepLR(o, 1), StepLR(SGD([Parameter(1.0)]), 1)]),
        ValueError,
        "the one at index 1, StepLR, has another",
    ),
    (
        lambda o: SequentialLR(o, [StepLR(o, 1), ChainedScheduler([StepLR(o, 1)])], [2]),
        ValueError,
        "SequentialLR takes no SequentialLR or ChainedScheduler",
    ),
    (lambda o: MultiStepLR(o, 3), TypeError, "not iterable"),
]


@pytest.mark.parametrize(("attempt", "error", "message"), ERRORS)
def test_errors(optimizer, attempt, error, message):
    with pytest.raises(error, match=message.replace("(", r"\(")):
        attempt(optimizer)
