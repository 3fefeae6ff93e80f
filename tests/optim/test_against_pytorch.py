"""Ten steps with every option, and every schedule, equal PyTorch's: as recorded, and live where torch is installed."""

import copy
import json

import numpy as np
import pytest
import pytorch_cases as cases

from srcgrad import Parameter, optim
from srcgrad.optim import functional

RECORDED = json.loads(cases.RECORD.read_text())
ALL = [*cases.OPTIMIZERS, *cases.DEFAULTS]
LAYERS = ((3, 4), (4,), (), (2, 3, 5))


def steps(case, dtype, shapes=cases.SHAPES):
    """The parameters after each step."""
    name, options = case
    start, grads = cases.problem(dtype, shapes)
    params = [Parameter(array) for array in start]
    optimizer = getattr(optim, name)(params, **options)
    path = []
    for step in grads:
        for param, grad in zip(params, step):
            param.grad = np.array(grad)
        optimizer.step()
        path.append([param.data.copy() for param in params])
    return path


def assert_equal_but_for_rounding(actual, expected, dtype):
    """A few dozen roundings apart at most, relative to the parameters, which are about 1."""
    np.testing.assert_allclose(actual, expected, rtol=60 * np.finfo(dtype).eps, atol=10 * np.finfo(dtype).eps)


@pytest.mark.quick
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", ALL, ids=cases.case_name)
def test_first_and_tenth_step_are_as_recorded(case, dtype):
    path = steps(case, dtype)
    recorded = RECORDED["steps"][f"{cases.case_name(case)} {np.dtype(dtype).name}"]
    for params, expected in zip((path[0], path[-1]), recorded, strict=True):
        assert all(param.dtype == dtype for param in params)
        assert_equal_but_for_rounding(np.concatenate([p.ravel() for p in params]), expected, dtype)


@pytest.mark.peers
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("case", ALL, ids=cases.case_name)
def test_ten_steps_equal_pytorchs(case, dtype):
    pytest.importorskip("torch")
    path, expected = steps(case, dtype, LAYERS), cases.pytorch_steps(case, dtype, LAYERS)
    for params, theirs in zip(path, expected, strict=True):
        for param, other in zip(params, theirs, strict=True):
            assert_equal_but_for_rounding(param, other, dtype)


@pytest.mark.quick
@pytest.mark.parametrize("case", ALL, ids=cases.case_name)
def test_pure_functions_take_the_same_steps(case):
    name, options = case
    start, grads = cases.problem(np.float64)
    path = steps(case, np.float64)
    before = copy.deepcopy(start)
    params, state = dict(zip("wb", start)), None
    for step, expected in zip(grads, path, strict=True):
        params, state = getattr(functional, name.lower())(params, dict(zip("wb", step)), state, **options)
        for mine, other in zip(params.values(), expected, strict=True):
            np.testing.assert_array_equal(mine, other)
    np.testing.assert_equal(start, before)


# schedules


def two_groups(kind="SGD"):
    groups = [{"params": [Parameter([1.0])], "lr": lr} for lr in (0.1, 0.4)]
    return getattr(optim, kind)(groups, **({"momentum": 0.8} if kind == "SGD" else {}))


@pytest.mark.quick
@pytest.mark.parametrize("name", [*cases.SCHEDULERS, *cases.PLATEAUS])
def test_schedules_are_as_recorded(name):
    path = cases.schedule(name, optim.lr_scheduler, two_groups())
    np.testing.assert_allclose(path, RECORDED["schedules"][name], rtol=1e-12, atol=1e-16)


@pytest.mark.peers
@pytest.mark.parametrize("kind", ["SGD", "AdamW"])
@pytest.mark.parametrize("name", [*cases.SCHEDULERS, *cases.PLATEAUS])
def test_schedules_equal_pytorchs(name, kind):
    pytest.importorskip("torch")
    path = cases.schedule(name, optim.lr_scheduler, two_groups(kind))
    np.testing.assert_allclose(path, cases.pytorch_schedule(name, kind), rtol=1e-12, atol=1e-16)


@pytest.mark.quick
def test_every_scheduler_is_recorded():
    classes = {name.partition("(")[0].partition(",")[0] for name in RECORDED["schedules"]}
    assert classes == set(optim.lr_scheduler.__all__) - {"LRScheduler"}


# texts


WRONG = [
    ("SGD", {"lr": -1}),
    ("SGD", {"momentum": -0.5}),
    ("SGD", {"weight_decay": -0.5}),
    ("SGD", {"nesterov": True}),
    *((name, {"lr": -1.0}) for name in ("Adam", "AdamW", "RMSprop", "Adagrad")),
    *((name, {"eps": -1.0}) for name in ("Adam", "AdamW", "RMSprop", "Adagrad")),
    *((name, {"weight_decay": -1.0}) for name in ("Adam", "AdamW", "RMSprop", "Adagrad")),
    ("Adam", {"betas": (1.0, 0.9)}),
    ("AdamW", {"betas": (0.9, -0.1)}),
    ("RMSprop", {"momentum": -1.0}),
    ("RMSprop", {"alpha": -1.0}),
    ("Adagrad", {"lr_decay": -1.0}),
    ("Adagrad", {"initial_accumulator_value": -1.0}),
]


@pytest.mark.peers
@pytest.mark.parametrize(("name", "options"), WRONG, ids=repr)
def test_errors_are_pytorchs(name, options):
    torch = pytest.importorskip("torch")
    with pytest.raises(ValueError, match=r"Invalid|Nesterov") as theirs:
        getattr(torch.optim, name)([torch.nn.Parameter(torch.ones(1))], **options)
    with pytest.raises(ValueError, match=r"Invalid|Nesterov") as ours:
        getattr(optim, name)([Parameter([1.0])], **options)
    assert str(ours.value) == str(theirs.value)


@pytest.mark.quick
@pytest.mark.parametrize(("name", "options"), WRONG, ids=repr)
def test_options_out_of_range_are_named(name, options):
    (value,) = options.values()
    for attempt in (
        lambda: getattr(optim, name)([Parameter([1.0])], **options),
        lambda: getattr(optim, name)([{"params": [Parameter([1.0])], **options}]),
        lambda: getattr(functional, name.lower())(np.ones(1), np.ones(1), **options),
    ):
        with pytest.raises(ValueError, match=r"^Invalid [\w ]+: -|^Nesterov momentum requires|index [01]: ") as error:
            attempt()
        shown = next((v for v in value if not 0 <= v < 1), None) if isinstance(value, tuple) else value
        assert str(error.value).endswith(("dampening", f": {shown}"))


@pytest.mark.peers
@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_printed_options_are_pytorchs(name):
    """But for those that choose between PyTorch's implementations."""
    torch = pytest.importorskip("torch")
    theirs = repr(getattr(torch.optim, name)([torch.nn.Parameter(torch.ones(1))]))
    internal = ("foreach", "fused", "capturable", "differentiable")
    kept = [line for line in theirs.splitlines() if not line.strip().startswith(internal)]
    assert repr(getattr(optim, name)([Parameter([1.0])])).splitlines() == kept


@pytest.mark.peers
@pytest.mark.parametrize("norm_type", [2.0, 1.0, 3.0, float("inf")])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_clipping_equals_pytorchs(norm_type, dtype):
    torch = pytest.importorskip("torch")
    _, (grads, *_) = cases.problem(dtype, LAYERS)
    for limit in (0.5, 100.0):
        ours = [Parameter(np.zeros(shape, dtype)) for shape in LAYERS]
        theirs = [torch.nn.Parameter(torch.from_numpy(np.zeros(shape, dtype))) for shape in LAYERS]
        for mine, other, grad in zip(ours, theirs, grads):
            mine.grad, other.grad = np.array(grad), torch.from_numpy(np.array(grad))
        norm = optim.clip_grad_norm_(ours, limit, norm_type)
        assert norm == pytest.approx(torch.nn.utils.clip_grad_norm_(theirs, limit, norm_type).item(), rel=1e-6)
        optim.clip_grad_value_(ours, 0.1)
        torch.nn.utils.clip_grad_value_(theirs, 0.1)
        for mine, other in zip(ours, theirs):
            assert_equal_but_for_rounding(mine.grad, other.grad.numpy(), dtype)
