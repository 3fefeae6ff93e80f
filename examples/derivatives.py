"""First and second derivatives of a function of one variable, and the gradient of one of two."""

from srcgrad import Parameter, grad


def y(x):
    """A parabola."""
    return x**2


@grad(wrt=("x", "y"))
def z(x, y):
    """A polynomial in two variables."""
    return x**2 * y + 3.0 * x * y**5 + x**3


def first_and_second():
    """A gradient is a function, so it has a gradient."""
    slope = grad(y)
    curvature = grad(slope)
    print(f"y = {y(5.0)}, dy/dx = {slope(5.0)}, d2y/dx2 = {curvature(5.0)}")
    print(slope.source)


def two_variables():
    """As a function that returns both partial derivatives, and with `.grad` beside each variable."""
    print("dz/dx, dz/dy =", z(1.0, 1.0))
    a, b = Parameter(1.0), Parameter(1.0)
    out = z.forward(a, b)
    out.backward()
    print(f"z = {out.item()}, a.grad = {a.grad}, b.grad = {b.grad}")
    print(z.source)


if __name__ == "__main__":
    for part in (first_and_second, two_variables):
        print(f"\n# {part.__doc__}")
        part()
