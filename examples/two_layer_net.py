"""A two-layer net, trained by hand on random data: PyTorch's first tutorial, with PyTorch's losses."""

import numpy as np

from srcgrad import Parameter, device, grad, no_grad

DEVICE = device("cpu")
N, D_IN, HIDDEN, D_OUT = 64, 1000, 100, 10


@grad(wrt=("w1", "w2"))
def loss(w1, w2, x, y):
    """Sum of squared errors of relu(x @ w1) @ w2."""
    hidden = np.maximum(x @ w1, 0.0)  # relu
    error = hidden @ w2 - y
    return np.sum(error**2)


def train(steps=500, learning_rate=1e-6, seed=0, dtype=np.float32):
    """Gradient descent on random data; returns the loss before each step."""
    rng = np.random.default_rng(seed)

    def random(*shape, requires_grad=False):
        return Parameter(rng.standard_normal(shape, dtype), requires_grad).to(DEVICE)

    x, y = random(N, D_IN), random(N, D_OUT)
    w1, w2 = random(D_IN, HIDDEN, requires_grad=True), random(HIDDEN, D_OUT, requires_grad=True)
    losses = []
    for t in range(steps):
        out = loss.forward(w1, w2, x, y)
        losses.append(out.item())
        if t % 100 == 99:
            print(t, out.item())

        out.backward()
        with no_grad():
            w1 -= learning_rate * w1.grad
            w2 -= learning_rate * w2.grad
        w1.zero_grad()
        w2.zero_grad()
    return losses


if __name__ == "__main__":
    train()
    print(loss.source)
