"""Optimizers and schedulers with every option, run for ten steps and more, here or in PyTorch, and PyTorch's record.

`python tests/optim/pytorch_cases.py`, where torch is installed, writes tests/data/optimizers_pytorch.json.
"""

import itertools
import json
from pathlib import Path

import numpy as np

RECORD = Path(__file__).parents[1] / "data" / "optimizers_pytorch.json"
STEPS, EPOCHS = 10, 24
SHAPES = ((2, 2), ())


def combined(**choices):
    """Every combination of the options' values."""
    return [dict(zip(choices, values)) for values in itertools.product(*choices.values())]


SGD_OPTIONS = [
    options
    for options in combined(
        momentum=(0, 0.9), dampening=(0, 0.1), weight_decay=(0, 0.01), nesterov=(False, True), maximize=(False, True)
    )
    if not options["nesterov"] or (options["momentum"] and not options["dampening"])
]
ADAM_OPTIONS = [
    *combined(weight_decay=(0, 0.1), amsgrad=(False, True), maximize=(False, True)),
    {"betas": (0.5, 0.8)},
    {"betas": (0.0, 0.9), "amsgrad": True},
    {"eps": 0.1},
]
OPTIMIZERS = [
    *(("SGD", {"lr": 0.1, **options}) for options in SGD_OPTIONS),
    *(("Adam", {"lr": 0.05, **options}) for options in (*ADAM_OPTIONS, {"decoupled_weight_decay": True})),
    *(("AdamW", {"lr": 0.05, **options}) for options in ADAM_OPTIONS),
    *(
        ("RMSprop", {"lr": 0.05, **options})
        for options in (
            *combined(weight_decay=(0, 0.1), momentum=(0, 0.9), centered=(False, True), maximize=(False, True)),
            {"alpha": 0.5, "eps": 0.1},
        )
    ),
    *(
        ("Adagrad", {"lr": 0.05, **options})
        for options in (
            *combined(
                lr_decay=(0, 0.1), weight_decay=(0, 0.1), initial_accumulator_value=(0, 0.5), maximize=(False, True)
            ),
            {"eps": 0.1},
        )
    ),
]
DEFAULTS = [(name, {}) for name in ("SGD", "Adam", "AdamW", "RMSprop", "Adagrad")]


def case_name(case):
    """SGD lr=0.1 momentum=0.9, as a key of the record."""
    name, options = case
    return " ".join([name, *(f"{option}={value}" for option, value in options.items())])


def problem(dtype, shapes=SHAPES):
    """Where the parameters start, and the gradients of each step."""
    rng = np.random.default_rng(1)
    start = [rng.standard_normal(shape).astype(dtype) for shape in shapes]
    grads = [[rng.standard_normal(shape).astype(dtype) for shape in shapes] for _ in range(STEPS)]
    return start, grads


def pytorch_steps(case, dtype, shapes=SHAPES):
    """The parameters after each step, in PyTorch."""
    import torch

    name, options = case
    start, grads = problem(dtype, shapes)
    params = [torch.nn.Parameter(torch.from_numpy(np.array(array))) for array in start]
    optimizer = getattr(torch.optim, name)(params, **options)
    path = []
    for step in grads:
        for param, grad in zip(params, step):
            param.grad = torch.from_numpy(np.array(grad))
        optimizer.step()
        path.append([param.detach().numpy().copy() for param in params])
    return path


# Schedulers: each builds one from (lr_scheduler, optimizer)

SCHEDULERS = {
    "StepLR(3)": lambda s, o: s.StepLR(o, 3),
    "StepLR(4, gamma=0.5)": lambda s, o: s.StepLR(o, 4, gamma=0.5),
    "MultiStepLR([3, 8, 8])": lambda s, o: s.MultiStepLR(o, [3, 8, 8], gamma=0.3),
    "ConstantLR()": lambda s, o: s.ConstantLR(o),
    "ConstantLR(0.25, 7)": lambda s, o: s.ConstantLR(o, factor=0.25, total_iters=7),
    "LinearLR()": lambda s, o: s.LinearLR(o),
    "LinearLR(0.9, 0.1, 12)": lambda s, o: s.LinearLR(o, 0.9, 0.1, total_iters=12),
    "ExponentialLR(0.8)": lambda s, o: s.ExponentialLR(o, 0.8),
    "PolynomialLR()": lambda s, o: s.PolynomialLR(o),
    "PolynomialLR(10, 2)": lambda s, o: s.PolynomialLR(o, total_iters=10, power=2.0),
    "LambdaLR": lambda s, o: s.LambdaLR(o, lambda epoch: 0.9**epoch),
    "LambdaLR, two": lambda s, o: s.LambdaLR(o, [lambda epoch: 0.9**epoch, lambda epoch: 1 / (1 + epoch)]),
    "MultiplicativeLR": lambda s, o: s.MultiplicativeLR(o, lambda epoch: 0.95 if epoch % 2 else 0.9),
    "CosineAnnealingLR(10)": lambda s, o: s.CosineAnnealingLR(o, 10),
    "CosineAnnealingLR(7, 0.01)": lambda s, o: s.CosineAnnealingLR(o, 7, eta_min=0.01),
    "CosineAnnealingWarmRestarts(5)": lambda s, o: s.CosineAnnealingWarmRestarts(o, 5),
    "CosineAnnealingWarmRestarts(3, 2, 0.01)": lambda s, o: s.CosineAnnealingWarmRestarts(o, 3, 2, eta_min=0.01),
    "OneCycleLR(24)": lambda s, o: s.OneCycleLR(o, 0.7, total_steps=24),
    "OneCycleLR(epochs, linear)": lambda s, o: s.OneCycleLR(
        o, [0.7, 0.3], epochs=5, steps_per_epoch=5, pct_start=0.5, anneal_strategy="linear", div_factor=10.0
    ),
    "OneCycleLR(three_phase)": lambda s, o: s.OneCycleLR(
        o, 0.7, total_steps=30, three_phase=True, final_div_factor=100.0, base_momentum=0.7, max_momentum=0.99
    ),
    "OneCycleLR(no momentum)": lambda s, o: s.OneCycleLR(o, 0.7, total_steps=40, cycle_momentum=False),
    "CyclicLR(5)": lambda s, o: s.CyclicLR(o, 0.1, 0.5, step_size_up=5),
    "CyclicLR(3, 5, triangular2)": lambda s, o: s.CyclicLR(o, [0.1, 0.2], 0.5, 3, 5, mode="triangular2"),
    "CyclicLR(exp_range)": lambda s, o: s.CyclicLR(o, 0.1, 0.5, 4, mode="exp_range", gamma=0.9, base_momentum=0.5),
    "CyclicLR(scale_fn)": lambda s, o: s.CyclicLR(
        o, 0.1, 0.5, 4, scale_fn=lambda x: 1 / (1 + x), scale_mode="iterations", cycle_momentum=False
    ),
    "SequentialLR": lambda s, o: s.SequentialLR(
        o,
        [s.LinearLR(o, 0.1, total_iters=4), s.CosineAnnealingLR(o, 8), s.ExponentialLR(o, 0.9)],
        milestones=[4, 12],
    ),
    "SequentialLR, constant first": lambda s, o: s.SequentialLR(
        o, [s.ConstantLR(o, 0.1, total_iters=3), s.StepLR(o, 4)], milestones=[3]
    ),
    "SequentialLR, restarts": lambda s, o: s.SequentialLR(
        o, [s.PolynomialLR(o, 6), s.CosineAnnealingWarmRestarts(o, 4), s.MultiStepLR(o, [2, 5])], milestones=[6, 15]
    ),
    "ChainedScheduler": lambda s, o: s.ChainedScheduler(
        [s.ConstantLR(o, 0.1, total_iters=4), s.ExponentialLR(o, 0.9), s.LinearLR(o)]
    ),
}

# Metrics given to ReduceLROnPlateau, and its options
METRICS = [1.0, 0.9, 0.91, 0.9, 0.92, 0.89999, 0.95, 0.94, 0.93, 0.5, 0.6, 0.7, 0.6, 0.55, 0.52, 0.51, 0.4, 0.4, 0.4]
PLATEAUS = {
    "ReduceLROnPlateau()": {"patience": 2},
    "ReduceLROnPlateau(max)": {"mode": "max", "patience": 1, "factor": 0.5, "min_lr": 0.02},
    "ReduceLROnPlateau(abs)": {"threshold_mode": "abs", "threshold": 0.05, "patience": 1},
    "ReduceLROnPlateau(max, abs)": {"mode": "max", "threshold_mode": "abs", "threshold": 0.05, "patience": 1},
    "ReduceLROnPlateau(cooldown)": {"cooldown": 3, "patience": 0, "min_lr": [1e-3, 1e-2]},
    "ReduceLROnPlateau(eps)": {"eps": 0.02, "patience": 0, "factor": 0.3},
}


def schedule(name, lr_scheduler, optimizer):
    """lr and momentum (or beta1) of every group, before and after each epoch."""
    plateau = PLATEAUS.get(name)
    build = SCHEDULERS.get(name)
    scheduler = build(lr_scheduler, optimizer) if build else lr_scheduler.ReduceLROnPlateau(optimizer, **plateau)
    path = [options_of(optimizer)]
    for metric in METRICS if plateau else range(EPOCHS):
        optimizer.step()
        scheduler.step(metric) if plateau else scheduler.step()
        path.append(options_of(optimizer))
        assert scheduler.get_last_lr() == [lr for lr, _ in path[-1]]
    return path


def options_of(optimizer):
    groups = optimizer.param_groups
    return [[group["lr"], group["betas"][0] if "betas" in group else group["momentum"]] for group in groups]


def pytorch_schedule(name, kind="SGD"):
    """The same in PyTorch."""
    import torch

    groups = [{"params": [torch.nn.Parameter(torch.ones(1))], "lr": lr} for lr in (0.1, 0.4)]
    options = {"momentum": 0.8} if kind == "SGD" else {}
    return schedule(name, torch.optim.lr_scheduler, getattr(torch.optim, kind)(groups, **options))


def main():
    """Write the record: the parameters after the first and the last step, and the schedules."""
    import torch

    torch.set_num_threads(1)
    steps = {}
    for case, dtype in itertools.product([*OPTIMIZERS, *DEFAULTS], ("float32", "float64")):
        path = pytorch_steps(case, dtype)
        steps[f"{case_name(case)} {dtype}"] = [[float(x) for p in path[k] for x in p.ravel()] for k in (0, -1)]
    schedules = {name: pytorch_schedule(name) for name in (*SCHEDULERS, *PLATEAUS)}
    lines = [f' "torch": "{torch.__version__}"']
    for title, table in (("steps", steps), ("schedules", schedules)):
        entries = ",\n".join(f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in table.items())
        lines.append(f' "{title}": {{\n{entries}\n }}')
    RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"{len(steps)} runs and {len(schedules)} schedules in {RECORD}")


if __name__ == "__main__":
    main()
