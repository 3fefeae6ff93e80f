import numpy as np


def lstm_grad(W, U, b, x, h, c):
    n = len(h)
    out = np.zeros((len(x), n))
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
    for t in range(len(x)):
        c_steps.append(c)
        h_steps.append(h)
        gates = W @ x[t] + U @ h + b
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
        out[t] = h
    d_out = 2 * out
    d_h = np.zeros_like(h)
    d_c = np.zeros_like(c)
    d_b = np.zeros_like(b)
    d_U = np.zeros_like(U)
    d_W = np.zeros_like(W)
    d_x = np.zeros_like(x)
    product = 2 * n
    product_1 = 3 * n
    for t, tanh, o, g, i, c, f, total, exp, total_1, exp_1, total_2, exp_2, h in zip(reversed(range(len(x))), reversed(tanh_steps), reversed(o_steps), reversed(g_steps), reversed(i_steps), reversed(c_steps), reversed(f_steps), reversed(total_steps), reversed(exp_steps), reversed(total_steps_1), reversed(exp_steps_1), reversed(total_steps_2), reversed(exp_steps_2), reversed(h_steps)):
        d_out_t = d_out[t].copy()
        d_h += d_out_t
        d_out[t] = 0.0
        d_c += d_h * o * (1 - tanh * tanh)
        d_c_1 = d_c * f
        d_gates = np.zeros_like(b)
        d_gates[product_1:] = d_c * i * (1 - g * g)
        d_gates_part = d_h * tanh * o / total * exp
        d_gates[product:product_1] += d_gates_part
        d_gates[n:product] += d_c * c * f / total_1 * exp_1
        d_gates[:n] += d_c * g * i / total_2 * exp_2
        d_b += d_gates
        d_U += np.outer(d_gates, h)
        d_h = U.T @ d_gates
        d_W += np.outer(d_gates, x[t])
        d_x[t] += W.T @ d_gates
        d_c = d_c_1
    return d_W, d_U, d_b, d_x, d_h, d_c
