import numpy as np


def nbody_by_pairs_grad(mass, pos, vel, steps, dt):
    pos = pos.copy()
    vel = vel.copy()
    n = len(mass)
    history = []
    for _ in range(steps):
        acc = np.zeros_like(pos)
        chosen_steps_steps = []
        chosen_steps_steps_1 = []
        chosen_steps_steps_2 = []
        r_steps_steps = []
        for i in range(n):
            chosen_steps = []
            chosen_steps_1 = []
            chosen_steps_2 = []
            r_steps = []
            for j in range(n):
                if i != j:
                    r = pos[j] - pos[i]
                    chosen_2 = np.sum(r ** 2) + 0.1
                    chosen = chosen_2 ** 1.5
                    chosen_1 = mass[j] * r / chosen
                    acc[i] += chosen_1
                else:
                    chosen = None
                    chosen_1 = None
                    chosen_2 = None
                    r = None
                chosen_steps.append(chosen)
                chosen_steps_1.append(chosen_1)
                chosen_steps_2.append(chosen_2)
                r_steps.append(r)
            chosen_steps_steps.append(chosen_steps)
            chosen_steps_steps_1.append(chosen_steps_1)
            chosen_steps_steps_2.append(chosen_steps_2)
            r_steps_steps.append(r_steps)
        history.append((chosen_steps_steps, chosen_steps_steps_1, chosen_steps_steps_2, r_steps_steps))
        vel += dt * acc
        pos += dt * vel
    d_pos = 2 * pos
    d_vel = np.zeros_like(vel)
    d_mass = np.zeros_like(mass)
    for chosen_steps_steps, chosen_steps_steps_1, chosen_steps_steps_2, r_steps_steps in reversed(history):
        d_vel += d_pos * dt
        d_acc = d_vel * dt
        for i, chosen_steps, chosen_steps_1, chosen_steps_2, r_steps in zip(reversed(range(n)), reversed(chosen_steps_steps), reversed(chosen_steps_steps_1), reversed(chosen_steps_steps_2), reversed(r_steps_steps)):
            for j, chosen, chosen_1, chosen_2, r in zip(reversed(range(n)), reversed(chosen_steps), reversed(chosen_steps_1), reversed(chosen_steps_2), reversed(r_steps)):
                if i != j:
                    d_acc_i = d_acc[i].copy()
                    d_product = d_acc_i / chosen
                    product = np.sum(d_acc_i * chosen_1 / chosen) * (1.5 * chosen_2 ** 0.5)
                    product = product * (2 * r)
                    product_1 = d_product * mass[j]
                    d_mass[j] += np.sum(d_product * r)
                    d_pos[i] += product - product_1
                    d_pos[j] += product_1 - product
    return d_mass, d_pos, d_vel
