import numpy as np


def loss_grad(w, u, b, xs, target):
    n = len(target)
    h = np.zeros(n)
    c = np.zeros(n)
    tanh_steps = []
    o_steps = []
    g_steps = []
    i_steps = []
    c_steps = []
    f_steps = []
    total_steps = []
    exp_steps = []
    total_steps_1 = []
    exp_steps_1 = []
    total_steps_2 = []
    exp_steps_2 = []
    h_steps = []
    for x in xs:
        c_steps.append(c)
        h_steps.append(h)
        gates = w @ x + u @ h + b
        exp = np.exp(-gates[:n])
        exp_steps_2.append(exp)
        total = 1.0 + exp
        total_steps_2.append(total)
        i = 1.0 / total
        i_steps.append(i)
        exp = np.exp(-gates[n:2 * n])
        exp_steps_1.append(exp)
        total = 1.0 + exp
        total_steps_1.append(total)
        f = 1.0 / total
        f_steps.append(f)
        exp = np.exp(-gates[2 * n:3 * n])
        exp_steps.append(exp)
        total = 1.0 + exp
        total_steps.append(total)
        o = 1.0 / total
        o_steps.append(o)
        g = np.tanh(gates[3 * n:])
        g_steps.append(g)
        c = f * c + i * g
        tanh = np.tanh(c)
        tanh_steps.append(tanh)
        h = o * tanh
    d_h = 2 * (h - target)
    d_c = np.zeros_like(c)
    d_b = np.zeros_like(b)
    d_u = np.zeros_like(u)
    d_w = np.zeros_like(w)
    product = 2 * n
    product_1 = 3 * n
    for x, tanh, o, g, i, c, f, total, exp, total_1, exp_1, total_2, exp_2, h in zip(reversed(xs), reversed(tanh_steps), reversed(o_steps), reversed(g_steps), reversed(i_steps), reversed(c_steps), reversed(f_steps), reversed(total_steps), reversed(exp_steps), reversed(total_steps_1), reversed(exp_steps_1), reversed(total_steps_2), reversed(exp_steps_2), reversed(h_steps)):
        d_c += d_h * o * (1 - tanh * tanh)
        d_c_1 = d_c * f
        d_gates = np.zeros_like(b)
        d_gates[product_1:] = d_c * i * (1 - g * g)
        d_gates_part = d_h * tanh * o / total * exp
        d_gates[product:product_1] += d_gates_part
        d_gates[n:product] += d_c * c * f / total_1 * exp_1
        d_gates[:n] += d_c * g * i / total_2 * exp_2
        d_b += d_gates
        d_u += np.outer(d_gates, h)
        d_h = u.T @ d_gates
        d_w += np.outer(d_gates, x)
        d_c = d_c_1
    return d_w, d_u, d_b
