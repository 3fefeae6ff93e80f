import numpy as np


def floyd_warshall_grad(path):
    path = path.copy()
    history = []
    for k in range(path.shape[0]):
        copy = path[:].copy()
        outer = np.add.outer(path[:, k], path[k, :])
        history.append((copy, outer))
        path[:] = np.minimum(path[:], outer)
    d_path = 2 * path
    for k, (copy, outer) in zip(reversed(range(path.shape[0])), reversed(history)):
        product = d_path * np.where(copy == outer, 0.5, 1.0)
        product_1 = d_path * np.where(outer == copy, 0.5, 1.0)
        product_1 = product_1 * (outer <= copy)
        d_path = np.zeros_like(path)
        d_path[k, :] = np.sum(product_1, axis=0)
        d_path[:, k] += np.sum(product_1, axis=1)
        d_path += product * (copy <= outer)
    return (d_path,)
