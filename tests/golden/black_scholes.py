import numpy as np


def loss_grad(spot, volatility, rate, strike, maturity):
    root = np.sqrt(maturity)
    spread = volatility * root
    ratio = spot / strike
    d1 = (np.log(ratio) + (rate + 0.5 * volatility ** 2) * maturity) / spread
    d2 = d1 - spread
    root_1 = np.sqrt(2.0 / np.pi)
    tanh = np.tanh(root_1 * (d1 + 0.044715 * d1 ** 3))
    d_spot = 0.5 * (1.0 + tanh)
    exp = np.exp(-rate * maturity)
    root_2 = np.sqrt(2.0 / np.pi)
    tanh_1 = np.tanh(root_2 * (d2 + 0.044715 * d2 ** 3))
    product = 0.5 * (strike * exp) * (1 - tanh_1 * tanh_1) * root_2
    product_1 = 0.134145 * (product * d2 ** 2)
    d_rate = np.sum(0.5 * (1.0 + tanh_1) * strike * exp * maturity)
    d_d1 = 0.5 * spot * (1 - tanh * tanh) * root_1
    d_d1 += 0.134145 * (d_d1 * d1 ** 2) + (-product - product_1)
    d_total = d_d1 / spread
    d_total_1 = d_total * maturity
    d_rate += np.sum(d_total_1)
    d_spot += d_total / ratio / strike
    product = (product_1 + product - d_d1 * d1 / spread) * root
    d_volatility = d_total_1 * volatility + product
    return d_spot, d_volatility, d_rate
