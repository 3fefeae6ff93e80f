import numpy as np


def loss_grad(prediction, target, beta=0.5, average=True):
    diff = prediction - target
    error = np.absolute(diff)
    below = error < beta
    ratio = 1.0 / prediction.size
    product = np.where(below, ratio / beta, 0.0) * error
    return ((np.where(below, 0.0, ratio) + product) * np.sign(diff),)
