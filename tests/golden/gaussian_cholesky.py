import numpy as np


def loss_grad(mean, loadings, noise, x):
    n = x.shape[0]
    d = x.shape[1]
    eye = np.eye(d)
    cov = loadings @ loadings.T + noise * eye
    chol = np.linalg.cholesky(cov)
    white = np.linalg.solve(chol, (x - mean).T)
    d_transpose = np.linalg.solve(chol.T, white)
    d_chol = np.diag(n / np.diag(chol)) - d_transpose @ white.T
    d_mean = -np.sum(d_transpose.T, axis=0)
    tril = np.tril(chol.T @ d_chol)
    product = 0.5 * (tril + np.tril(tril, k=-1).T)
    transpose = np.linalg.solve(chol.T, product).T
    d_cov = np.linalg.solve(chol.T, transpose)
    d_noise = np.sum(d_cov * eye)
    d_loadings = d_cov @ loadings + d_cov.T @ loadings
    return d_mean, d_loadings, d_noise
