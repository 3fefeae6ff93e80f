import numpy as np


def loss_grad(cov, x):
    n = x.shape[0]
    solution = np.linalg.solve(cov.T, 0.5 * x.T)
    product = solution @ np.linalg.solve(cov, x.T).T
    return (0.5 * n * np.linalg.inv(cov).T - product,)
