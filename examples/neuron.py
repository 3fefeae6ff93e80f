"""One neuron, as a Module: its parameters, its prediction, its loss, its gradients, and how it learns.

Writes examples/output/neuron.png, or what `--picture` says.
"""

import argparse
from pathlib import Path

import matplotlib
import numpy as np

import srcgrad
from srcgrad import Parameter, grad, make_dot, nn
from srcgrad.optim import SGD

matplotlib.use("Agg")
from matplotlib import pyplot as plt

PICTURE = Path(__file__).parent / "output" / "neuron.png"
X, Y = np.array([[1.0, 2.0]], np.float32), np.array([[1.0]], np.float32)


class Neuron(nn.Module):
    """tanh(x @ weight.T + bias)."""

    def __init__(self):
        self.layer1 = nn.Linear(2, 1)
        self.activation = nn.Tanh()

    def forward(self, x):
        return self.activation(self.layer1(x))


def neuron():
    """A neuron with given weights, in place of random ones."""
    model = Neuron()
    model.layer1.weight = Parameter([[0.6, -0.2]], dtype=np.float32)
    model.layer1.bias = Parameter([0.8], dtype=np.float32)
    return model


@grad
def loss(model, x, y):
    """Mean squared error."""
    return nn.functional.mse_loss(model(x), y)


@grad
def square(x):
    """Its derivative is 2x."""
    return x**2


def structure():
    """A model prints its parts, and its attributes are its parameters."""
    model = neuron()
    print("srcgrad", srcgrad.__version__)
    print(model)
    print(model.state_dict())


def predict_and_differentiate():
    """Prediction, loss, gradients."""
    model = neuron()
    print(f"prediction {model(X)}")
    out = loss.forward(model, X, Y)
    out.backward()
    print(f"loss {out.item():.7f}")
    for name, parameter in model.named_parameters():
        print(f"{name}: gradient {parameter.grad}")
    print(loss.source)


def graph():
    """The computation as a graph in DOT: parameters by name and shape, operations, the result."""
    model = neuron()
    return make_dot(loss.forward(model, X, Y), params=dict(model.named_parameters()))


def accumulate():
    """Gradients add up until they are forgotten."""
    x = Parameter(1.0)
    for _ in range(2):
        square.forward(x).backward()
        print(x.grad, end=" ")
    x.grad = None
    square.forward(x).backward()
    print("and after x.grad = None:", x.grad)


def learn(picture=PICTURE, steps=50):
    """Steps against the gradient bring the prediction to its target."""
    model = neuron()
    optimizer = SGD(model.parameters(), lr=0.1)
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        out = loss.forward(model, X, Y)
        out.backward()
        optimizer.step()
        losses.append(out.item())
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    axes.semilogy(losses)
    axes.set(xlabel="step", ylabel="squared error", title=f"prediction {model(X).item():.3f} for 1")
    picture.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(picture, dpi=150)
    plt.close(figure)
    print(f"loss {losses[0]:.4f} to {losses[-1]:.4f}, picture in {picture}")


def main(picture=PICTURE):
    """All parts, one after the other."""
    for part in (structure, predict_and_differentiate, accumulate):
        print(f"\n# {part.__doc__}")
        part()
    print(f"\n# {graph.__doc__}")
    print(graph())
    print(f"\n# {learn.__doc__}")
    learn(picture)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--picture", type=Path, default=PICTURE)
    main(parser.parse_args().picture)
