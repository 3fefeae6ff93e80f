"""The minimum of a parabola, found by gradient descent, with a picture.

Writes examples/output/minimise.png, or what `--picture` says.
"""

import argparse
from pathlib import Path

import matplotlib
import numpy as np

from srcgrad import Parameter, grad
from srcgrad.optim import SGD

matplotlib.use("Agg")
from matplotlib import pyplot as plt

PICTURE = Path(__file__).parent / "output" / "minimise.png"


@grad
def f(x):
    """Its minimum is -12, at x = -1."""
    return 3.0 * x**2 + 6.0 * x - 9.0


def minimise(start=10.0, steps=20):
    """x at the start and after each step."""
    x = Parameter(start)
    optimizer = SGD([x], lr=0.1)
    path = [x.item()]
    for _ in range(steps):
        optimizer.zero_grad()
        f.forward(x).backward()
        optimizer.step()
        path.append(x.item())
    return np.array(path)


def plot(path, picture):
    """Save the parabola, the way down and the optimum."""
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    x = np.linspace(-12.0, 10.5, 200)
    axes.plot(x, f.function(x), label="f(x) = 3x² + 6x - 9")
    axes.plot(path, f.function(path), ".-", alpha=0.6, label="steps of gradient descent")
    axes.plot(path[-1], f.function(path[-1]), "r*", markersize=14, label=f"optimum at {path[-1]:.4f}")
    axes.set(xlabel="x", ylabel="f(x)")
    axes.legend()
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=150)
    plt.close(figure)


def main(picture=PICTURE):
    """Minimise, print and draw; returns the optimum."""
    path = minimise()
    print(f"x = {path[-1]:.8f}, f(x) = {f.function(path[-1]):.8f}, picture in {picture}")
    plot(path, picture)
    return path[-1]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", type=Path, default=PICTURE)
    main(parser.parse_args().picture)
    print(f.source)
