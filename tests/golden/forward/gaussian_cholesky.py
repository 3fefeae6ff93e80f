import numpy as np


def loss_jvp(mean, loadings, noise, x, t_mean, t_loadings, t_noise):
    n = x.shape[0]
    d = x.shape[1]
    t_total = t_loadings @ loadings.T + loadings @ t_loadings.T
    eye = np.eye(d)
    cov = loadings @ loadings.T + noise * eye
    chol = np.linalg.cholesky(cov)
    d_solution = np.linalg.solve(chol, t_total + t_noise * eye).T
    d_total = 0.5 * np.linalg.solve(chol, d_solution)
    t_chol = chol @ np.tril(d_total + np.tril(d_total.T, k=-1))
    white = np.linalg.solve(chol, (x - mean).T)
    t_diff = np.broadcast_to(-t_mean, x.shape).T - t_chol @ white
    diag = np.diag(chol)
    log_det = 2.0 * np.sum(np.log(diag))
    t_total = np.sum(np.linalg.solve(chol, t_diff) * (2 * white))
    t_total += 2.0 * np.sum(np.diag(t_chol) / diag) * n
    value = 0.5 * (np.sum(white ** 2) + n * log_det + n * d * np.log(2.0 * np.pi))
    t_value = 0.5 * t_total
    return value, t_value
