import numpy as np


def loss_grad(x, rate):
    level = 0.0
    history = []
    for value in x:
        above = abs(value - level) > 2.0
        if above:
            chosen = None
        else:
            chosen = value - level
            level = level + rate * chosen
        history.append((above, chosen))
    d_level = 2 * level
    d_x = np.zeros_like(x)
    d_rate = 0.0
    for i, (above, chosen) in zip(reversed(range(len(x))), reversed(history)):
        if above:
            d_value = 0.0
        else:
            d_rate += d_level * chosen
            d_value = d_level * rate
            d_level -= d_value
        d_x[i] += d_value
    return d_x, d_rate
