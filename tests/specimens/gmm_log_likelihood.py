"""A Gaussian mixture's likelihood: three-dimensional broadcasting and logsumexp by hand."""

import numpy as np

WRT = ("logits", "means", "log_sigmas")


def loss(logits, means, log_sigmas, x):
    log_weights = logits - np.log(np.sum(np.exp(logits)))
    z = (x[:, None, :] - means) / np.exp(log_sigmas)  # points, components, dimensions
    log_joint = log_weights - np.sum(0.5 * z**2 + log_sigmas, axis=2)
    top = np.max(log_joint, axis=1, keepdims=True)
    log_likelihood = top[:, 0] + np.log(np.sum(np.exp(log_joint - top), axis=1))
    return -np.sum(log_likelihood)


def by_hand(logits, means, log_sigmas, x):
    log_weights = logits - np.log(np.sum(np.exp(logits)))
    sigmas = np.exp(log_sigmas)
    z = (x[:, None, :] - means) / sigmas  # points, components, dimensions
    log_joint = log_weights - np.sum(0.5 * z**2 + log_sigmas, axis=2)
    joint = np.exp(log_joint - np.max(log_joint, axis=1, keepdims=True))
    share = joint / np.sum(joint, axis=1, keepdims=True)  # of each component in each point
    d_logits = len(x) * np.exp(log_weights) - np.sum(share, axis=0)
    d_z = share[:, :, None] * z
    d_means = -np.sum(d_z, axis=0) / sigmas
    d_log_sigmas = np.sum(share[:, :, None] - d_z * z, axis=0)
    return d_logits, d_means, d_log_sigmas


def arguments(rng):
    return rng.normal(size=3), rng.normal(size=(3, 2)), 0.3 * rng.normal(size=(3, 2)), rng.normal(size=(7, 2))
