"""Black-Scholes call prices: a long elementwise chain, a helper called twice, and a broadcast scalar."""

import numpy as np

WRT = ("spot", "volatility", "rate")


def norm_cdf(x):
    """Standard normal distribution, to about 2e-4 (the approximation GELU uses)."""
    return 0.5 * (1.0 + np.tanh(np.sqrt(2.0 / np.pi) * (x + 0.044715 * x**3)))


def loss(spot, volatility, rate, strike, maturity):
    spread = volatility * np.sqrt(maturity)
    d1 = (np.log(spot / strike) + (rate + 0.5 * volatility**2) * maturity) / spread
    d2 = d1 - spread
    call = spot * norm_cdf(d1) - strike * np.exp(-rate * maturity) * norm_cdf(d2)
    return np.sum(call)  # each option's greeks are then the gradient's entries


def by_hand(spot, volatility, rate, strike, maturity):
    root = np.sqrt(maturity)
    spread = volatility * root
    d1 = (np.log(spot / strike) + (rate + 0.5 * volatility**2) * maturity) / spread
    d2 = d1 - spread
    slope = np.sqrt(2.0 / np.pi)
    tanh1 = np.tanh(slope * (d1 + 0.044715 * d1**3))
    tanh2 = np.tanh(slope * (d2 + 0.044715 * d2**3))
    pdf1 = 0.5 * slope * (1.0 - tanh1**2) * (1.0 + 0.134145 * d1**2)
    pdf2 = 0.5 * slope * (1.0 - tanh2**2) * (1.0 + 0.134145 * d2**2)
    discounted = strike * np.exp(-rate * maturity)
    d_d2 = -discounted * pdf2
    d_d1 = spot * pdf1 + d_d2
    d_spread = -d_d2 - d_d1 * d1 / spread
    d_spot = 0.5 * (1.0 + tanh1) + d_d1 / (spread * spot)
    d_volatility = d_spread * root + d_d1 * volatility * maturity / spread
    d_rate = np.sum(0.5 * (1.0 + tanh2) * discounted * maturity + d_d1 * maturity / spread)
    return d_spot, d_volatility, d_rate


def arguments(rng):
    spot, volatility = rng.uniform(80.0, 120.0, size=6), rng.uniform(0.15, 0.4, size=6)
    return spot, volatility, 0.03, np.full(6, 100.0), rng.uniform(0.5, 2.0, size=6)
