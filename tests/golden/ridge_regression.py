import numpy as np


def loss_grad(w, x, y, penalty=0.5):
    residual = np.dot(x, w) - y
    return (2 * (penalty * w) + x.T @ (2 * residual),)
