"""What SGD does to plain variables, one step at a time: its memory, its groups and its options."""

import numpy as np

from srcgrad import Parameter, grad
from srcgrad.optim import SGD


@grad
def curve(x, c, b, d):
    """A function of two variables to train, x and c, and two to leave alone."""
    return c * 3.0 * np.exp(x) + b * x + d


@grad
def parabola(x):
    """Its minimum is -12, at x = -1."""
    return 3.0 * x**2 + 6.0 * x - 9.0


def variables():
    """x and c with gradients, b without, and d a plain number; float32, as PyTorch has it."""
    x, c = Parameter(5.0, dtype=np.float32), Parameter(3.0, dtype=np.float32)
    b = Parameter(2.0, requires_grad=False, dtype=np.float32)
    return x, c, b, 4.0


def values(optimizer):
    """The first group's parameters as text."""
    return ", ".join(f"{parameter:.4f}" for parameter in optimizer.param_groups[0]["params"])


def gradients():
    """A Parameter gets a gradient where it asks for one."""
    x, c, b, d = variables()
    y = curve.forward(x, c, b, d)
    y.backward()
    print(f"y = {y:.4f}, x.grad = {x.grad:.4f}, c.grad = {c.grad:.4f}, b.grad = {b.grad}")


def step_in_place():
    """A step changes the variables themselves: the optimizer holds no copies."""
    x, c, b, d = variables()
    optimizer = SGD([x, c], lr=1.0)
    curve.forward(x, c, b, d).backward()
    optimizer.step()
    print(f"x = {x:.4f}, c = {c:.4f}")
    print(optimizer)


def take_only_iterables():
    """One variable goes into a list, a model passes its parameters()."""
    try:
        SGD(Parameter(5.0), lr=1.0)
    except TypeError as error:
        print("TypeError:", error)


def change_options():
    """Options stand in param_groups, and every group has its own."""
    x, c, b, d = variables()
    optimizer = SGD([{"params": [x], "lr": 1e-3}, {"params": [c]}], lr=1.0)
    optimizer.param_groups[1]["lr"] = 0.1
    curve.forward(x, c, b, d).backward()
    optimizer.step()
    print(optimizer)
    print(f"x = {x:.4f}, c = {c:.4f}")


def replace_in_group():
    """A parameter put into the group takes x's place there; x keeps its gradient and stays."""
    x, c, b, d = variables()
    optimizer = SGD([x, c], lr=0.1)
    optimizer.param_groups[0]["params"][0] = Parameter(10.0, dtype=np.float32)
    curve.forward(x, c, b, d).backward()
    optimizer.step()
    print(f"x = {x.item()}, x.grad = {x.grad:.4f}, group = [{values(optimizer)}]")


def rebind_name():
    """A new x outside leaves the group's old one as it was, and the step moves that."""
    x, c, b, d = variables()
    optimizer = SGD([x, c], lr=1.0)
    y = curve.forward(x, c, b, d)
    x = Parameter(10.0, dtype=np.float32)
    y.backward()
    optimizer.step()
    print(f"x = {x.item()}, x.grad = {x.grad}, group = [{values(optimizer)}]")


def backward_twice():
    """The first backward frees what the forward half saved, unless told to keep it."""
    x = Parameter(5.0)
    y = parabola.forward(x)
    y.backward()
    try:
        y.backward()
    except RuntimeError as error:
        print("RuntimeError:", error)


def descend(steps=3, **options):
    """x before each step down the parabola from 10, and after the last."""
    x = Parameter(10.0)
    optimizer = SGD([x], lr=0.1, **options)
    path = [x.item()]
    for _ in range(steps):
        optimizer.zero_grad()
        parabola.forward(x).backward()
        optimizer.step()
        path.append(x.item())
    return path


OPTIONS = (
    {},
    {"momentum": 0.9},
    {"momentum": 0.9, "dampening": 0.1},
    {"weight_decay": 0.1},
    {"momentum": 0.9, "nesterov": True},
    {"momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
    {"maximize": True},
)


def compare_options():
    """Three steps with each of the options."""
    for options in OPTIONS:
        named = ", ".join(f"{name}={value}" for name, value in options.items())
        steps = "".join(f"{x:13.9g}" for x in descend(**options)[1:])
        print(f"{named or 'plain':45}{steps}")


if __name__ == "__main__":
    for part in (
        gradients,
        step_in_place,
        take_only_iterables,
        change_options,
        replace_in_group,
        rebind_name,
        backward_twice,
        compare_options,
    ):
        print(f"\n# {part.__doc__}")
        part()
