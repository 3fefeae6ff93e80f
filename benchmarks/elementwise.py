"""A chain of elementwise functions."""

import numpy as np

WRT = ("x",)


def loss(x):
    return np.sum(np.tanh(x) * np.exp(-x) + np.log1p(x) * np.sin(x))


def by_hand(x):
    tanh = np.tanh(x)
    return (np.exp(-x) * (1.0 - tanh * tanh - tanh) + np.sin(x) / (1.0 + x) + np.log1p(x) * np.cos(x),)
