import numpy as np


def rnn_grad(Wxh, Whh, Why, bh, by, inputs, targets, hprev):
    hs = np.zeros((len(inputs) + 1, len(hprev)))
    hs[-1] = hprev
    history = []
    for t in range(len(inputs)):
        hs_part = hs[t - 1]
        hs_part_1 = hs_part.copy()
        hs_t = np.tanh(Wxh @ inputs[t] + Whh @ hs_part + bh)
        hs[t] = hs_t
        y = Why @ hs[t] + by
        exp = np.exp(y)
        exp_1 = np.exp(y)
        total = np.sum(exp_1)
        p = exp / total
        history.append((hs_part_1, hs_t, exp, exp_1, total, p))
    d_hs = np.zeros_like(hs)
    d_by = np.zeros_like(by)
    d_Why = np.zeros_like(Why)
    d_bh = np.zeros_like(bh)
    d_Whh = np.zeros_like(Whh)
    d_Wxh = np.zeros_like(Wxh)
    d_inputs = np.zeros_like(inputs)
    for t, (hs_part, hs_t, exp, exp_1, total, p) in zip(reversed(range(len(inputs))), reversed(history)):
        d_p = np.zeros_like(p)
        d_p[targets[t]] = -1.0 / p[targets[t]]
        not_equal = d_p != 0
        d_total = np.sum(np.where(not_equal, -(d_p * p / total), 0.0))
        product = np.where(not_equal, d_p / total, 0.0) * exp
        d_y = d_total * exp_1 + product
        d_by += d_y
        d_Why += np.outer(d_y, hs_t)
        d_hs[t] += Why.T @ d_y
        d_hs_t = d_hs[t].copy()
        d_hs[t] = 0.0
        d_total = d_hs_t * (1 - hs_t * hs_t)
        d_bh += d_total
        d_Whh += np.outer(d_total, hs_part)
        d_hs[t - 1] += Whh.T @ d_total
        d_Wxh += np.outer(d_total, inputs[t])
        d_inputs[t] += Wxh.T @ d_total
    d_hprev = d_hs[-1]
    return d_Wxh, d_Whh, d_Why, d_bh, d_by, d_inputs, d_hprev
