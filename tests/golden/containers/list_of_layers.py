import copy
import numpy as np


def list_of_layers_grad(model, x, y):
    w_1 = model.layers[1].w
    x_1 = np.maximum(x @ model.layers[0].w + model.layers[0].b, 0.0)
    error = x_1 @ w_1 + model.layers[1].b - y
    d_error = 2.0 / y.size * error
    d_b_1 = np.sum(d_error, axis=0)
    d_w_1 = x_1.T @ d_error
    d_total = d_error @ w_1.T * (x_1 > 0.0)
    d_b_0 = np.sum(d_total, axis=0)
    d_w_0 = x.T @ d_total
    d_model = copy.copy(model)
    vars(d_model).update(layers=[copy.copy(model.layers[0]), copy.copy(model.layers[1])])
    vars(d_model.layers[0]).update(w=d_w_0, b=d_b_0)
    vars(d_model.layers[1]).update(w=d_w_1, b=d_b_1)
    return (d_model,)
