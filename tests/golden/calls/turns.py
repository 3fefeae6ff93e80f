import numpy as np


def even_forward(x, n):
    same = n == 0
    if same:
        result = x
        product = None
        value = None
        even_saved = None
        same_1 = None
    else:
        same_1 = n - 1 == 0
        if same_1:
            product = x * x
            value = None
            even_saved = None
        else:
            value, even_saved = even_forward(x, n - 1 - 1)
            product = np.cos(value)
        result = np.sin(product)
    return result, (x, same, product, value, even_saved, same_1)


def even_backward(saved, d_result):
    x, same, product, value, even_saved, same_1 = saved
    if same:
        d_x = d_result
    else:
        d_chosen = d_result * np.cos(product)
        if same_1:
            d_x = 2 * (d_chosen * x)
        else:
            d_value = -(d_chosen * np.sin(value))
            d_x = even_backward(even_saved, d_value)
    return d_x.copy()


def turns_grad(x, n):
    _, even_saved = even_forward(x, n)
    d_x = even_backward(even_saved, np.ones_like(x))
    return d_x
