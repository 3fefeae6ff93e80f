import numpy as np


def loss_grad(w_q, w_k, w_v, x, target):
    q = x @ w_q
    k = x @ w_k
    v = x @ w_v
    root = np.sqrt(q.shape[1])
    scores = q @ k.T / root
    weights = np.exp(scores - scores.max(axis=1, keepdims=True))
    total = weights.sum(axis=1, keepdims=True)
    weights_1 = weights / total
    error = weights_1 @ v - target
    d_error = 2 * error
    d_weights = d_error @ v.T
    ratio = np.sum(d_weights * weights_1, axis=1, keepdims=True) / total
    d_product = (d_weights / total - ratio) * weights / root
    d_w_v = x.T @ (weights_1.T @ d_error)
    d_w_k = x.T @ (d_product.T @ q)
    d_w_q = x.T @ (d_product @ k)
    return d_w_q, d_w_k, d_w_v
