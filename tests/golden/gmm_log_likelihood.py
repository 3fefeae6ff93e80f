import numpy as np


def loss_grad(logits, means, log_sigmas, x):
    exp = np.exp(logits)
    total = np.sum(exp)
    log_weights = logits - np.log(total)
    exp_1 = np.exp(log_sigmas)
    z = (x[:, None, :] - means) / exp_1  # points, components, dimensions
    log_joint = log_weights - np.sum(0.5 * z ** 2 + log_sigmas, axis=2)
    top = np.max(log_joint, axis=1, keepdims=True)
    exp_2 = np.exp(log_joint - top)
    d_log_joint = (-1.0 / np.sum(exp_2, axis=1))[:, None] * exp_2
    d_log_weights = np.sum(d_log_joint, axis=0)
    product = d_log_joint[:, :, None] * z
    product_1 = np.sum(product * z / exp_1, axis=0) * exp_1
    d_log_sigmas = product_1 - np.sum(d_log_joint[:, :, None], axis=0)
    d_means = np.sum(product / exp_1, axis=0)
    d_logits = d_log_weights - np.sum(d_log_weights) / total * exp
    return d_logits, d_means, d_log_sigmas
