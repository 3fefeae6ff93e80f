import numpy as np


def named_tuple_grad(params, x, y):
    params_0 = params[0]
    params_1 = params[1]
    error = x @ params_0 + params_1 - y
    d_error = 2.0 / y.size * error
    d_params_1 = np.sum(d_error, axis=0)
    d_params_0 = x.T @ d_error
    return (params._replace(w=d_params_0, b=d_params_1),)
