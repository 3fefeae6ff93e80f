"""Single-head attention: one array used three times, and a softmax written out with its max."""

import numpy as np

WRT = ("w_q", "w_k", "w_v")


def loss(w_q, w_k, w_v, x, target):
    q = x @ w_q
    k = x @ w_k
    v = x @ w_v
    scores = q @ k.T / np.sqrt(q.shape[1])
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = weights / weights.sum(axis=1, keepdims=True)
    error = weights @ v - target
    return np.sum(error**2)


def by_hand(w_q, w_k, w_v, x, target):
    q = x @ w_q
    k = x @ w_k
    v = x @ w_v
    scale = np.sqrt(q.shape[1])
    scores = q @ k.T / scale
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    weights = weights / weights.sum(axis=1, keepdims=True)
    error = weights @ v - target
    d_error = 2.0 * error
    d_v = weights.T @ d_error
    d_weights = d_error @ v.T
    d_scores = weights * (d_weights - np.sum(weights * d_weights, axis=1, keepdims=True))
    d_q = d_scores @ k / scale
    d_k = d_scores.T @ q / scale
    d_w_q = x.T @ d_q
    d_w_k = x.T @ d_k
    d_w_v = x.T @ d_v
    return d_w_q, d_w_k, d_w_v


def arguments(rng):
    w_q, w_k, w_v = rng.normal(size=(3, 4, 3))
    return w_q, w_k, w_v, rng.normal(size=(5, 4)), rng.normal(size=(5, 3))
