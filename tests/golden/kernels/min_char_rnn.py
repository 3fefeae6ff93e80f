import numpy as np


def min_char_rnn_grad(Wxh, Whh, Why, bh, by, inputs, targets, hprev):
    hs = np.empty((inputs.size + 1, Wxh.shape[0], 1))
    hs[-1] = np.copy(hprev)
    history = []
    for t in range(len(inputs)):
        x = np.zeros((Wxh.shape[1], 1))
        x[inputs[t]] = 1
        h = hs[t - 1]
        h_1 = h.copy()
        h = np.tanh(np.dot(Wxh, x) + np.dot(Whh, h) + bh)
        hs[t] = h
        y = np.dot(Why, h) + by
        exp = np.exp(y)
        exp_1 = np.exp(y)
        total = np.sum(exp_1)
        p = exp / total
        history.append((x, h_1, h, exp, exp_1, total, p))
    d_hs = np.zeros_like(hs)
    d_by = np.zeros_like(by)
    d_Why = np.zeros_like(Why)
    d_bh = np.zeros_like(bh)
    d_Whh = np.zeros_like(Whh)
    d_Wxh = np.zeros_like(Wxh)
    for t, (x, h, h_1, exp, exp_1, total, p) in zip(reversed(range(len(inputs))), reversed(history)):
        d_p = np.zeros_like(p)
        d_p[targets[t], 0] = -1.0 / p[targets[t], 0]
        not_equal = d_p != 0
        d_total = np.sum(np.where(not_equal, -(d_p * p / total), 0.0))
        product = np.where(not_equal, d_p / total, 0.0) * exp
        d_y = d_total * exp_1 + product
        d_by += d_y
        d_Why += d_y @ h_1.T
        d_hs_t = d_hs[t].copy()
        d_total = (Why.T @ d_y + d_hs_t) * (1 - h_1 * h_1)
        d_bh += d_total
        d_Whh += d_total @ h.T
        d_hs[t - 1] += Whh.T @ d_total
        d_Wxh += d_total @ x.T
    d_hprev = d_hs[-1]
    return d_Wxh, d_Whh, d_Why, d_bh, d_by, d_hprev
