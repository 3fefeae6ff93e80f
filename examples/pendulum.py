"""A pendulum with friction: its frequency and friction from what was seen of it, through a Runge-Kutta integration."""

import numpy as np
from pictures import OUTPUT, axes, path, save
from rich.progress import track

from srcgrad import grad
from srcgrad.optim.functional import adam

STEP, COUNT = 0.05, 200  # seconds, and how many


def velocity(params, state):
    """d(angle, speed) / dt."""
    angle, speed = state
    return np.array([speed, -(params["frequency"] ** 2) * np.sin(angle) - params["friction"] * speed])


def motion(params, start, count):
    """Angle and speed at each step, by the classical fourth-order rule."""
    states = np.zeros((count, 2))
    state = start
    for k in range(count):
        states[k] = state
        k1 = velocity(params, state)
        k2 = velocity(params, state + 0.5 * STEP * k1)
        k3 = velocity(params, state + 0.5 * STEP * k2)
        k4 = velocity(params, state + STEP * k3)
        state = state + STEP / 6.0 * (k1 + 2.0 * k2 + 2.0 * k3 + k4)
    return states


@grad
def loss(params, start, seen):
    """The mean squared error of the angles."""
    return np.mean((motion(params, start, len(seen))[:, 0] - seen) ** 2)


def main(steps=150, picture=OUTPUT / "pendulum.png", seed=0):
    """Find frequency 2 and friction 0.2 behind noisy angles; returns what was found."""
    true, start = {"frequency": 2.0, "friction": 0.2}, np.array([1.5, 0.0])
    seen = motion(true, start, COUNT)[:, 0] + np.random.default_rng(seed).normal(0.0, 0.05, COUNT)
    params, state = {"frequency": 1.8, "friction": 0.0}, None
    for _ in track(range(steps), description="fitting"):
        _, gradient = loss.value_and_grad(params, start, seen)
        params, state = adam(params, gradient, state, lr=0.02)
    print(", ".join(f"{name} {value:.4f} (true: {true[name]})" for name, value in params.items()))
    plot = axes(xlabel="seconds", ylabel="angle")
    times = STEP * np.arange(COUNT)
    plot.plot(times, seen, ".", alpha=0.5, label="seen")
    plot.plot(times, motion(params, start, COUNT)[:, 0], label="fitted")
    plot.legend()
    save(plot, picture)
    return params


if __name__ == "__main__":
    main(picture=path("pendulum.png", __doc__))
    print(loss.source)
