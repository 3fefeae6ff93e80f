"""A sine wave fitted to a signal: the data are globals that the function closes over."""

import numpy as np

WRT = ("amplitude", "frequency", "phase")

TIMES = np.linspace(0.0, 4.0, 50)
SIGNAL = 1.5 * np.sin(2.2 * TIMES + 0.3) + 0.1 * np.cos(7.0 * TIMES)


def loss(amplitude, frequency, phase):
    model = amplitude * np.sin(frequency * TIMES + phase)
    return np.mean((model - SIGNAL) ** 2)


def by_hand(amplitude, frequency, phase):
    angle = frequency * TIMES + phase
    wave = np.sin(angle)
    d_model = 2.0 * (amplitude * wave - SIGNAL) / len(TIMES)
    d_amplitude = d_model @ wave
    d_angle = d_model * amplitude * np.cos(angle)
    d_frequency = d_angle @ TIMES
    d_phase = d_angle.sum()
    return d_amplitude, d_frequency, d_phase


def arguments(rng):
    return rng.uniform(1.0, 2.0), rng.uniform(1.8, 2.6), rng.normal()
