import numpy as np


def loss_grad(x):
    passes_steps = []
    for i in range(len(x)):
        passes = 0
        for j in range(i):
            if x[j] < 0.0:
                break
            passes += 1
        passes_steps.append(passes)
    d_x = np.zeros_like(x)
    for i, passes in zip(reversed(range(len(x))), reversed(passes_steps)):
        for j in reversed(range(passes)):
            d_x[j] += x[i]
            d_x[i] += x[j]
    return (d_x,)
