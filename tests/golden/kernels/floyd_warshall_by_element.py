import numpy as np


def floyd_warshall_by_element_grad(path):
    path = path.copy()
    n = len(path)
    history = []
    for k in range(n):
        part_steps_steps = []
        total_steps_steps = []
        for i in range(n):
            part_steps = []
            total_steps = []
            for j in range(n):
                part = path[i, j]
                part_steps.append(part)
                total = path[i, k] + path[k, j]
                total_steps.append(total)
                path[i, j] = np.minimum(part, total)
            part_steps_steps.append(part_steps)
            total_steps_steps.append(total_steps)
        history.append((part_steps_steps, total_steps_steps))
    d_path = 2 * path
    for k, (part_steps_steps, total_steps_steps) in zip(reversed(range(n)), reversed(history)):
        for i, part_steps_steps_1, total_steps_steps_1 in zip(reversed(range(n)), reversed(part_steps_steps), reversed(total_steps_steps)):
            for j, part_steps_steps, total_steps_steps in zip(reversed(range(n)), reversed(part_steps_steps_1), reversed(total_steps_steps_1)):
                part = d_path[i, j]
                product = part * (0.5 if part_steps_steps == total_steps_steps else 1.0)
                product_1 = part * (0.5 if total_steps_steps == part_steps_steps else 1.0)
                product_1 = product_1 * (total_steps_steps <= part_steps_steps)
                d_path[i, j] = product * (part_steps_steps <= total_steps_steps)
                d_path[k, j] += product_1
                d_path[i, k] += product_1
    return (d_path,)
