"""A `while` with several variables, and a value that one of two branches gives."""

WRT = ("x", "v")


def loss(x, v):
    time = 0.0
    while x < 10.0:
        if v < 2.0:
            step = v
        else:
            step = 0.5 * v
        x = x + step
        v = v * 1.1
        time += 1.0 / step
    return time


def by_hand(x, v):
    vs = []
    while x < 10.0:
        vs.append(v)
        if v < 2.0:
            step = v
        else:
            step = 0.5 * v
        x = x + step
        v = v * 1.1
    d_v = 0.0
    for v in reversed(vs):
        d_v = 1.1 * d_v
        if v < 2.0:
            d_v -= 1.0 / v**2
        else:
            d_v -= 2.0 / v**2
    return 0.0, d_v


def arguments(rng):
    return rng.uniform(0.0, 1.0), rng.uniform(0.8, 1.2)
