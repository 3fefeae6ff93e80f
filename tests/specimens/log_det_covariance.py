"""A covariance's likelihood by slogdet and solve: a tuple result of which one half is used."""

import numpy as np

WRT = ("cov",)


def loss(cov, x):
    n, d = x.shape
    _, log_det = np.linalg.slogdet(cov)
    distance = np.sum(x.T * np.linalg.solve(cov, x.T))
    return 0.5 * (distance + n * log_det + n * d * np.log(2.0 * np.pi))


def by_hand(cov, x):
    pull = np.linalg.solve(cov, x.T)
    d_cov = 0.5 * (len(x) * np.linalg.inv(cov) - pull @ pull.T)  # cov is its own transpose
    return (d_cov,)


def arguments(rng):
    factor = rng.normal(size=(4, 4))
    return factor @ factor.T + np.eye(4), rng.normal(size=(6, 4))
