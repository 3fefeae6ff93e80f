import numpy as np


def floyd_warshall_grad(path):
    path = path.copy()
    history = []
    for k in range(path.shape[0]):
        copy = path[:].copy()
        total = np.add(path[:, k][:, None], path[k, :])
        history.append((copy, total))
        path[:] = np.minimum(path[:], total)
    d_path = 2 * path
    for k, (copy, total) in zip(reversed(range(path.shape[0])), reversed(history)):
        product = d_path * np.where(copy == total, 0.5, 1.0)
        product_1 = d_path * np.where(total == copy, 0.5, 1.0)
        product_1 = product_1 * (total <= copy)
        d_path = np.zeros_like(path)
        d_path[k, :] = np.sum(product_1, axis=0)
        d_path[:, k] += np.sum(product_1, axis=1)
        d_path += product * (copy <= total)
    return (d_path,)
