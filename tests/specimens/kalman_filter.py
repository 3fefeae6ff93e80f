"""A scalar Kalman filter's likelihood: two scalars carried through a loop, each reassigned twice a step."""

import numpy as np

WRT = ("decay", "process_noise", "sensor_noise")


def loss(decay, process_noise, sensor_noise, observations):
    mean, variance = 0.0, 1.0
    total = 0.0
    for y in observations:
        # predict
        mean = decay * mean
        variance = decay**2 * variance + process_noise
        # score
        surprise = y - mean
        spread = variance + sensor_noise
        total += 0.5 * (np.log(spread) + surprise**2 / spread)
        # update
        gain = variance / spread
        mean = mean + gain * surprise
        variance = (1.0 - gain) * variance
    return total


def by_hand(decay, process_noise, sensor_noise, observations):
    mean, variance = 0.0, 1.0
    tape = []
    for y in observations:
        prior_mean = decay * mean
        prior_variance = decay**2 * variance + process_noise
        surprise = y - prior_mean
        spread = prior_variance + sensor_noise
        gain = prior_variance / spread
        tape.append((mean, variance, prior_variance, surprise, spread, gain))
        mean = prior_mean + gain * surprise
        variance = (1.0 - gain) * prior_variance
    d_mean, d_variance = 0.0, 0.0
    d_decay, d_process_noise, d_sensor_noise = 0.0, 0.0, 0.0
    for mean, variance, prior_variance, surprise, spread, gain in reversed(tape):
        d_gain = d_mean * surprise - d_variance * prior_variance
        d_surprise = d_mean * gain + surprise / spread
        d_spread = 0.5 * (1.0 - surprise**2 / spread) / spread - d_gain * gain / spread
        d_prior_variance = d_variance * (1.0 - gain) + d_gain / spread + d_spread
        d_prior_mean = d_mean - d_surprise
        d_sensor_noise += d_spread
        d_process_noise += d_prior_variance
        d_decay += d_prior_mean * mean + d_prior_variance * 2.0 * decay * variance
        d_mean = d_prior_mean * decay
        d_variance = d_prior_variance * decay**2
    return d_decay, d_process_noise, d_sensor_noise


def arguments(rng):
    return 0.8, rng.uniform(0.2, 0.6), rng.uniform(0.5, 1.0), rng.normal(size=10)
