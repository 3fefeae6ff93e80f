"""Newton's square root: a while loop on an active value, so the steps taken depend on the data."""

WRT = ("a",)


def loss(a, tolerance=1e-4):
    root = a
    while abs(root * root - a) > tolerance:
        root = 0.5 * (root + a / root)
    return root


def by_hand(a, tolerance=1e-4):
    root = a
    roots = []
    while abs(root * root - a) > tolerance:
        roots.append(root)
        root = 0.5 * (root + a / root)
    d_root = 1.0
    d_a = 0.0
    for root in reversed(roots):
        d_a += 0.5 * d_root / root
        d_root = 0.5 * d_root * (1.0 - a / root**2)
    d_a += d_root  # the first guess is a itself
    return (d_a,)


def arguments(rng):
    return (rng.uniform(2.0, 9.0),)
