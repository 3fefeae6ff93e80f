import numpy as np


def floyd_warshall_by_element_grad(path):
    path = path.copy()
    n = len(path)
    history = []
    for k in range(n):
        path_ij_steps_steps = []
        total_steps_steps = []
        for i in range(n):
            path_ij_steps = []
            total_steps = []
            for j in range(n):
                path_ij = path[i, j]
                path_ij_steps.append(path_ij)
                total = path[i, k] + path[k, j]
                total_steps.append(total)
                path[i, j] = np.minimum(path_ij, total)
            path_ij_steps_steps.append(path_ij_steps)
            total_steps_steps.append(total_steps)
        history.append((path_ij_steps_steps, total_steps_steps))
    d_path = 2 * path
    for k, (path_ij_steps_steps, total_steps_steps) in zip(reversed(range(n)), reversed(history)):
        for i, path_ij_steps, total_steps in zip(reversed(range(n)), reversed(path_ij_steps_steps), reversed(total_steps_steps)):
            for j, path_ij, total in zip(reversed(range(n)), reversed(path_ij_steps), reversed(total_steps)):
                d_path_ij = d_path[i, j]
                product = d_path_ij * (0.5 if path_ij == total else 1.0)
                product_1 = d_path_ij * (0.5 if total == path_ij else 1.0)
                d_total = product_1 * (total <= path_ij)
                d_path[i, j] = product * (path_ij <= total)
                d_path[k, j] += d_total
                d_path[i, k] += d_total
    return (d_path,)
