import numpy as np


def cache_of_tuples_grad(w, xs):
    h = np.zeros(len(w))
    cache = np.empty((xs.shape[0], w.shape[0]))
    cache_1 = np.empty((xs.shape[0], w.shape[0]))
    h_steps = []
    for i in range(len(xs)):
        x = xs[i]
        a = w @ x + h
        h = np.tanh(a)
        h_steps.append(h)
        cache[i] = a
        cache_1[i] = h
    d_cache_1 = np.zeros_like(cache_1)
    d_cache = np.zeros_like(cache)
    d_total = 1.0
    for i in range(len(cache)):
        d_total_1 = 0.9 * d_total
        d_cache_1[i] += d_total * cache[i]
        d_cache[i] += d_total * cache_1[i]
        d_total = d_total_1
    d_h = np.zeros_like(h)
    d_w = np.zeros_like(w)
    for i, h in zip(reversed(range(len(xs))), reversed(h_steps)):
        d_cache_1_part = d_cache_1[i]
        d_a = d_cache[i]
        d_a = d_a + (d_h + d_cache_1_part) * (1 - h * h)
        d_w += np.outer(d_a, xs[i])
        d_h = d_a
    return (d_w,)
