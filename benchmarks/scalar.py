"""A parabola of one number: what a call costs."""

WRT = ("x",)


def loss(x):
    return 3.0 * x**2 + 6.0 * x - 9.0


def by_hand(x):
    return (6.0 * x + 6.0,)
