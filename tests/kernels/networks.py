"""Recurrent networks with a loop over time."""

import numpy as np


def rnn(Wxh, Whh, Why, bh, by, inputs, targets, hprev):
    hs = np.zeros((len(inputs) + 1, len(hprev)))
    hs[-1] = hprev
    loss = 0.0
    for t in range(len(inputs)):
        hs[t] = np.tanh(Wxh @ inputs[t] + Whh @ hs[t - 1] + bh)
        y = Why @ hs[t] + by
        p = np.exp(y) / np.sum(np.exp(y))
        loss += -np.log(p[targets[t]])
    return loss


def min_char_rnn(Wxh, Whh, Why, bh, by, inputs, targets, hprev):
    xs, hs, ys, ps = {}, {}, {}, {}
    hs[-1] = np.copy(hprev)
    loss = 0
    for t in range(len(inputs)):
        xs[t] = np.zeros((Wxh.shape[1], 1))
        xs[t][inputs[t]] = 1
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)
        ys[t] = np.dot(Why, hs[t]) + by
        ps[t] = np.exp(ys[t]) / np.sum(np.exp(ys[t]))
        loss += -np.log(ps[t][targets[t], 0])
    return loss


def lstm(W, U, b, x, h, c):
    n = len(h)
    out = np.zeros((len(x), n))
    for t in range(len(x)):
        gates = W @ x[t] + U @ h + b
        i, f = 1.0 / (1.0 + np.exp(-gates[:n])), 1.0 / (1.0 + np.exp(-gates[n : 2 * n]))
        o, g = 1.0 / (1.0 + np.exp(-gates[2 * n : 3 * n])), np.tanh(gates[3 * n :])
        c = f * c + i * g
        h = o * np.tanh(c)
        out[t] = h
    return np.sum(out**2)


def drivers(rng):
    H, V = 3, 4
    weights = [0.5 * rng.standard_normal(shape) for shape in ((H, V), (H, H), (V, H))]
    codes, following = np.array([0, 2, 1, 3]), np.array([2, 1, 3, 0])
    yield rnn, (*weights, rng.random(H), rng.random(V), np.eye(V)[codes], following, rng.random(H))
    walked = np.array([0, 2, 1]), np.array([2, 1, 3])  # as long as the call has it: a loop with dicts that it fills
    yield min_char_rnn, (*weights, rng.random((H, 1)), rng.random((V, 1)), *walked, rng.random((H, 1)))
    n, d = 2, 3
    yield (
        lstm,
        (
            rng.random((4 * n, d)),
            rng.random((4 * n, n)),
            rng.random(4 * n),
            rng.random((4, d)),
            rng.random(n),
            rng.random(n),
        ),
    )
