"""`for ... else`: a penalty where a search does not end by itself."""

WRT = ("x", "step")


def loss(x, step):
    for _ in range(6):
        if x > 3.0:
            break
        x = x + step * x
    else:
        x = 10.0 * x
    return x


def by_hand(x, step):
    xs = []
    for _ in range(6):
        if x > 3.0:
            scale = 1.0
            break
        xs.append(x)
        x = x + step * x
    else:
        scale = 10.0
    d_x = scale
    d_step = 0.0
    for x in reversed(xs):
        d_step += d_x * x
        d_x = d_x * (1.0 + step)
    return d_x, d_step


def arguments(rng):
    return rng.uniform(0.5, 1.5), rng.uniform(0.1, 0.6)
