import numpy as np


def horner_forward(c, x, i):
    same = i == len(c)
    if same:
        result = 0.0
        horner_saved = None
    else:
        value, horner_saved = horner_forward(c, x, i + 1)
        result = c[i] + x * value
    return result, (c, x, i, same, horner_saved)


def horner_backward(saved, d_result):
    c, x, i, same, horner_saved = saved
    if same:
        d_c = np.zeros_like(c)
    else:
        d_c = horner_backward(horner_saved, d_result * x)
        d_c[i] += d_result
    return d_c


def horner_grad(c, x, i=0):
    _, horner_saved = horner_forward(c, x, i)
    d_c = horner_backward(horner_saved, 1.0)
    return d_c
