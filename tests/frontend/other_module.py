"""Helpers of another module, with globals of their own."""

import numpy as np

SCALE = 2.0
WEIGHTS = np.array([1.0, 2.0, 3.0])


def weighted(v, s=SCALE):
    return np.sum(v * WEIGHTS) * s


def scaled(v):
    return v * SCALE


class Constants:
    gain = 3.0

    @staticmethod
    def square(v):
        return v * v * SCALE
