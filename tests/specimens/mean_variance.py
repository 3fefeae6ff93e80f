"""Moment matching: reductions of a whole array to scalars, as methods."""

WRT = ("x",)


def loss(x, wanted_mean, wanted_var):
    return (x.mean() - wanted_mean) ** 2 + (x.var() - wanted_var) ** 2


def by_hand(x, wanted_mean, wanted_var):
    mean = x.mean()
    d_mean = 2.0 * (mean - wanted_mean)
    d_var = 2.0 * (x.var() - wanted_var)
    d_x = (d_mean + 2.0 * d_var * (x - mean)) / x.size
    return (d_x,)


def arguments(rng):
    return rng.normal(size=(4, 5)), 0.3, 2.0
