import numpy as np


def loss_grad(x, limit):
    total = 0.0
    passes = 0
    returned = False
    for value in x:
        passes += 1
        total += value ** 2
        if total > limit:
            returned = True
            break
    if returned:
        d_total = value
        d_value = total
    else:
        d_total = 1.0
        d_value = 0.0
    d_x = np.zeros_like(x)
    for i in reversed(range(passes)):
        d_x[i] += d_value + d_total * (2 * x[i])
        d_value = 0.0
    return d_x, 0.0
