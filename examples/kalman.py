"""A Kalman filter's noise levels, fitted by maximum likelihood to a position that is measured and drifts."""

import numpy as np
from pictures import OUTPUT, axes, path, save
from rich.progress import track

from srcgrad import grad
from srcgrad.optim.functional import adam

MOTION = np.array([[1.0, 1.0], [0.0, 1.0]])  # the position moves by the speed
SEEN = np.array([1.0, 0.0])  # the position is seen, the speed is not


@grad
def negative_log_likelihood(params, measured):
    """Of the measurements, each given those before. Kalman (1960)."""
    drift, noise = np.exp(params["log_drift"]), np.exp(params["log_noise"])
    mean, covariance = np.zeros(2), 10.0 * np.eye(2)
    total = 0.0
    for z in measured:
        mean = MOTION @ mean
        covariance = MOTION @ covariance @ MOTION.T + drift**2 * np.eye(2)
        surprise = z - SEEN @ mean
        variance = SEEN @ covariance @ SEEN + noise**2
        total += 0.5 * (np.log(2.0 * np.pi * variance) + surprise**2 / variance)
        gain = covariance @ SEEN / variance
        mean = mean + gain * surprise
        covariance = covariance - np.outer(gain, SEEN @ covariance)
    return total


def measurements(count, rng, drift=0.1, noise=1.0):
    """Of a position whose speed drifts."""
    state, states = np.zeros(2), []
    for _ in range(count):
        state = MOTION @ state + rng.normal(0.0, drift, 2)
        states.append(state)
    return np.array(states)[:, 0] + rng.normal(0.0, noise, count)


def main(steps=120, count=300, picture=OUTPUT / "kalman.png", seed=0):
    """Find the drift 0.1 and the noise 1.0; returns both as found."""
    measured = measurements(count, np.random.default_rng(seed))
    params, state = {"log_drift": 0.0, "log_noise": 1.0}, None
    values = []
    for _ in track(range(steps), description="fitting"):
        value, gradient = negative_log_likelihood.value_and_grad(params, measured)
        values.append(value)
        params, state = adam(params, gradient, state, lr=0.1)
    drift, noise = np.exp(params["log_drift"]), np.exp(params["log_noise"])
    print(f"drift {drift:.3f} (true: 0.1), noise {noise:.3f} (true: 1.0), -log likelihood {values[-1]:.1f}")
    plot = axes(xlabel="step", ylabel="-log likelihood")
    plot.plot(values)
    save(plot, picture)
    return drift, noise


if __name__ == "__main__":
    main(picture=path("kalman.png", __doc__))
    print(negative_log_likelihood.source)
