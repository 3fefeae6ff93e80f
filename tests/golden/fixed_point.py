import numpy as np


def loss_grad(start, a):
    x_steps = []
    x = start
    while True:
        new = np.cos(a * x)
        if abs(new - x) < 0.05:
            break
        x_steps.append(x)
        x = new
    d_x = 1.0
    d_a = 0.0
    for x in reversed(x_steps):
        product = d_x * np.sin(a * x)
        d_a -= product * x
        d_x = -(product * a)
    return d_x, d_a
