import math
import numpy as np


def black_scholes_grad(spots, strike, rate, sigma, time):
    history = []
    for i in range(len(spots)):
        product = sigma * math.sqrt(time)
        d1 = (math.log(spots[i] / strike) + (rate + 0.5 * sigma ** 2) * time) / product
        d2 = d1 - sigma * math.sqrt(time)
        sqrt = math.sqrt(2.0)
        ratio = d1 / sqrt
        product_1 = 0.5 * (1.0 + math.erf(ratio))
        product_2 = strike * math.exp(-rate * time)
        sqrt_1 = math.sqrt(2.0)
        ratio_1 = d2 / sqrt_1
        history.append((product, sqrt, ratio, product_1, product_2, sqrt_1, ratio_1))
    d_values = np.ones_like(spots)
    d_spots = np.zeros_like(spots)
    for i, (product, sqrt, ratio, product_1, product_2, sqrt_1, ratio_1) in zip(reversed(range(len(spots))), reversed(history)):
        d_values_i = d_values[i]
        d_values[i] = 0.0
        product_2 = 0.5641895835477563 * (d_values_i * product_2)
        product_3 = 0.5641895835477563 * (d_values_i * spots[i])
        d_d1 = product_3 * np.exp(-(ratio * ratio)) / sqrt
        d_spots[i] += d_values_i * product_1
        d_d1 -= product_2 * np.exp(-(ratio_1 * ratio_1)) / sqrt_1
        d_spots[i] += d_d1 / product / (spots[i] / strike) / strike
    return (d_spots,)
