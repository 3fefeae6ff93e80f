import numpy as np


def floyd_warshall_grad(path):
    path = path.copy()
    history = []
    for k in range(path.shape[0]):
        path_part = path[:].copy()
        outer = np.add.outer(path[:, k], path[k, :])
        history.append((path_part, outer))
        path[:] = np.minimum(path[:], outer)
    d_path = 2 * path
    for k, (path_part, outer) in zip(reversed(range(path.shape[0])), reversed(history)):
        product = d_path * np.where(path_part == outer, 0.5, 1.0)
        product_1 = d_path * np.where(outer == path_part, 0.5, 1.0)
        d_outer = product_1 * (outer <= path_part)
        d_path = np.zeros_like(path)
        d_path[k, :] = np.sum(d_outer, axis=0)
        d_path[:, k] += np.sum(d_outer, axis=1)
        d_path += product * (path_part <= outer)
    return (d_path,)
