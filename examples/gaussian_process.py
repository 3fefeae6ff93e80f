"""Gaussian-process regression: length, height and noise by the marginal likelihood, on the diabetes data."""

import numpy as np
from pictures import OUTPUT, axes, path, save
from rich.progress import track
from sklearn.datasets import load_diabetes

from srcgrad import grad
from srcgrad.optim.functional import adam


def kernel(log_length, log_height, a, b):
    """height^2 * exp(-(a - b)^2 / (2 length^2))."""
    distance = (a[:, None] - b[None, :]) / np.exp(log_length)
    return np.exp(2.0 * log_height) * np.exp(-0.5 * distance**2)


@grad
def negative_log_likelihood(params, x, y):
    """Of normally distributed y, with the kernel's covariance and noise. Rasmussen & Williams (2006), eq. 5.8."""
    noise = np.exp(2.0 * params["log_noise"])
    k = kernel(params["log_length"], params["log_height"], x, x) + noise * np.eye(len(x))
    _, log_det = np.linalg.slogdet(k)
    return 0.5 * (y @ np.linalg.solve(k, y) + log_det + len(x) * np.log(2.0 * np.pi))


def main(steps=100, picture=OUTPUT / "gaussian_process.png"):
    """Fit the progress of the disease by the body mass index; returns the likelihood's first and last value."""
    data, y = load_diabetes(return_X_y=True)
    x, y = data[:150, 2] / data[:, 2].std(), (y[:150] - y.mean()) / y.std()
    params, state = {"log_length": 0.0, "log_height": 0.0, "log_noise": 0.0}, None
    values = []
    for _ in track(range(steps), description="fitting"):
        value, gradient = negative_log_likelihood.value_and_grad(params, x, y)
        values.append(value)
        params, state = adam(params, gradient, state, lr=0.05)
    print(", ".join(f"{name[4:]} {np.exp(value):.3f}" for name, value in params.items()))
    print(f"-log likelihood {values[0]:.2f} to {values[-1]:.2f}")

    grid = np.linspace(x.min(), x.max(), 200)
    length, height = params["log_length"], params["log_height"]
    k = kernel(length, height, x, x) + np.exp(2.0 * params["log_noise"]) * np.eye(len(x))
    across = kernel(length, height, grid, x)
    mean = across @ np.linalg.solve(k, y)
    deviation = np.sqrt(np.exp(2.0 * height) - np.sum(across * np.linalg.solve(k, across.T).T, axis=1))
    plot = axes(xlabel="body mass index (standardised)", ylabel="progress (standardised)")
    plot.plot(x, y, ".", alpha=0.5)
    plot.plot(grid, mean)
    plot.fill_between(grid, mean - 2 * deviation, mean + 2 * deviation, alpha=0.2)
    save(plot, picture)
    return values[0], values[-1]


if __name__ == "__main__":
    main(picture=path("gaussian_process.png", __doc__))
    print(negative_log_likelihood.source)
