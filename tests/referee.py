"""Gradients that owe nothing to srcgrad: the referees that every test may call."""

import copy

import numpy as np


def numerical_gradient(f, args, index, step=1e-5):
    """Central differences of the scalar `f(*args)` in `args[index]`, to about 1e-9.

    args[index] : a float or a float array, taken as float64; returns a float64 array of its shape.
    f gets copies, so that it may write into them: `args` stay as they were.
    """
    x = np.asarray(args[index], dtype=np.float64)
    gradient = np.empty_like(x)
    for place in np.ndindex(x.shape):
        nudge = np.zeros_like(x)
        nudge[place] = step * max(1.0, abs(x[place]))
        rise = _call(f, args, index, x + nudge) - _call(f, args, index, x - nudge)
        gradient[place] = rise / (2.0 * nudge[place])
    return gradient


def complex_step_gradient(f, args, index, step=1e-30):
    """The gradient of `f(*args)` in `args[index]` to rounding error: Im f(x + ih) / h has nothing to cancel.

    For an analytic f alone: abs, norm, var, slogdet and Cholesky conjugate, and silently give something else.
    Arguments and result as for `numerical_gradient`. Squire & Trapp (1998).
    """
    x = np.asarray(args[index], dtype=np.float64)
    gradient = np.empty_like(x)
    for place in np.ndindex(x.shape):
        nudge = np.zeros(x.shape, dtype=np.complex128)
        nudge[place] = 1j * step
        gradient[place] = np.imag(_call(f, args, index, x + nudge)) / step
    return gradient


def _call(f, args, index, value):
    args = copy.deepcopy(list(args))
    args[index] = value
    return f(*args)
