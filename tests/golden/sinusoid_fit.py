import numpy as np


def loss_grad(amplitude, frequency, phase, *, TIMES, SIGNAL):
    total = frequency * TIMES + phase
    sine = np.sin(total)
    model = amplitude * sine
    d_model = 2.0 / TIMES.size * (model - SIGNAL)
    d_amplitude = np.sum(d_model * sine)
    d_total = d_model * amplitude * np.cos(total)
    d_phase = np.sum(d_total)
    d_frequency = np.sum(d_total * TIMES)
    return d_amplitude, d_frequency, d_phase
