"""What is recorded and what is not: `requires_grad`, `no_grad`, `set_grad_enabled` and frozen parameters."""

from srcgrad import Parameter, grad, no_grad, set_grad_enabled


@grad
def line(w, x, b):
    """y = w*x + b."""
    return w * x + b


def variables():
    """w, x, b."""
    return Parameter(3.0), Parameter(2.0), Parameter(1.0)


def gradients():
    """There is none before backward."""
    w, x, b = variables()
    print(f"before: {w.grad}, {x.grad}, {b.grad}")
    y = line.forward(w, x, b)
    y.backward()
    print(f"y = {y.item()}, dy/dx = {x.grad}, dy/dw = {w.grad}, dy/db = {b.grad}")


def grad_fn():
    """A result that was recorded knows its way back: a generated function, whose source can be read."""
    y = line.forward(*variables())
    print(y.requires_grad, y.grad_fn.__name__)
    print(line.backward_source)


def switched_off():
    """Under no_grad() and set_grad_enabled(False) the plain function runs, and nothing is kept."""
    with no_grad():
        y = line.forward(*variables())
    print(y.item(), y.requires_grad, y.grad_fn)
    for training in (True, False):
        with set_grad_enabled(training):
            print(training, line.forward(*variables()).requires_grad)

    @set_grad_enabled(False)
    def evaluate():
        return line.forward(*variables())

    print(evaluate().grad_fn)


def frozen():
    """A frozen parameter gets no gradient, and the backward that is compiled does not compute it."""
    w, x, b = variables()
    w.requires_grad = False
    y = line.forward(w, x, b)
    y.backward()
    print(f"dy/dx = {x.grad}, dy/dw = {w.grad}, dy/db = {b.grad}")
    print(line.backward_source)


if __name__ == "__main__":
    for part in (gradients, grad_fn, switched_off, frozen):
        print(f"\n# {part.__doc__}")
        part()
