import numpy as np


def nbody_grad(mass, pos, vel, steps, dt, G, softening):
    pos = pos.copy()
    vel = vel.copy()
    history = []
    for _ in range(steps):
        x = pos[:, 0:1]
        y = pos[:, 1:2]
        z = pos[:, 2:3]
        dx = x.T - x
        dy = y.T - y
        dz = z.T - z
        inv_r3 = dx ** 2 + dy ** 2 + dz ** 2 + softening ** 2
        above = inv_r3 > 0
        inv_r3_part = inv_r3[above]
        above_1 = inv_r3 > 0
        inv_r3[above_1] = inv_r3_part ** -1.5
        product = G * (dx * inv_r3)
        product_1 = G * (dy * inv_r3)
        product_2 = G * (dz * inv_r3)
        history.append((dx, dy, dz, above, inv_r3_part, above_1, inv_r3, product, product_1, product_2))
        acc = np.hstack([product @ mass, product_1 @ mass, product_2 @ mass])
        vel += acc * dt
        pos += vel * dt
    d_mass = 0.5 * np.sum(vel ** 2, axis=1, keepdims=True)
    d_vel = np.full_like(vel, 0.5) * mass * (2 * vel)
    d_pos = 2 * pos
    for dx, dy, dz, above, inv_r3_part, above_1, inv_r3, product, product_1, product_2 in reversed(history):
        d_vel += d_pos * dt
        d_acc = d_vel * dt
        d_product = d_acc[:, 2:] @ mass.T * G
        d_mass += product_2.T @ d_acc[:, 2:] + product_1.T @ d_acc[:, 1:2]
        d_product_1 = d_acc[:, 1:2] @ mass.T * G
        d_mass += product.T @ d_acc[:, :1]
        d_product_2 = d_acc[:, :1] @ mass.T * G
        d_inv_r3 = d_product * dz + d_product_1 * dy + d_product_2 * dx
        d_inv_r3_part = d_inv_r3[above_1].copy()
        d_inv_r3[above_1] = 0.0
        np.add.at(d_inv_r3, above, -(d_inv_r3_part * (1.5 * inv_r3_part ** -2.5)))
        d_dz = d_product * inv_r3 + d_inv_r3 * (2 * dz)
        d_dy = d_product_1 * inv_r3 + d_inv_r3 * (2 * dy)
        d_dx = d_product_2 * inv_r3 + d_inv_r3 * (2 * dx)
        d_z = np.sum(d_dz, axis=0, keepdims=True).T
        d_y = np.sum(d_dy, axis=0, keepdims=True).T
        d_x = np.sum(d_dx, axis=0, keepdims=True).T
        d_pos[:, 2:3] += d_z - np.sum(d_dz, axis=1, keepdims=True)
        d_pos[:, 1:2] += d_y - np.sum(d_dy, axis=1, keepdims=True)
        d_pos[:, 0:1] += d_x - np.sum(d_dx, axis=1, keepdims=True)
    return d_mass, d_pos, d_vel
