"""Handwritten digits, read by a four-layer network: mini-batches, momentum, a test set, a picture.

Writes examples/output/classify_digits.png.
"""

from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np
from rich.progress import track
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from srcgrad import Parameter, grad, stop_gradient
from srcgrad.optim import SGD

matplotlib.use("Agg")
from matplotlib import pyplot as plt

EPOCHS = 40
LAYERS = (64, 256, 64, 10)
PICTURE = Path(__file__).parent / "output" / "classify_digits.png"


def scores(w1, b1, w2, b2, w3, b3, images):
    """One score per image and digit; the highest is the network's answer."""
    hidden = np.maximum(images @ w1 + b1, 0.0)
    hidden = np.maximum(hidden @ w2 + b2, 0.0)
    return hidden @ w3 + b3


@grad(wrt=("w1", "b1", "w2", "b2", "w3", "b3"))
def loss(w1, b1, w2, b2, w3, b3, images, targets):
    """Mean cross-entropy of the softmax of the scores; `targets` has a one at each image's digit."""
    z = scores(w1, b1, w2, b2, w3, b3, images)
    z = z - stop_gradient(np.max(z, axis=1, keepdims=True))  # keeps exp in range, cancels in the loss
    log_total = np.log(np.sum(np.exp(z), axis=1))
    return np.mean(log_total - np.sum(targets * z, axis=1))


def initial_parameters(rng):
    """He's initialisation for relu: weights of variance 2 / inputs, biases of zero."""
    parameters = []
    for inputs, outputs in pairwise(LAYERS):
        weights = rng.normal(0.0, np.sqrt(2.0 / inputs), (inputs, outputs))
        parameters += [Parameter(weights), Parameter(np.zeros(outputs))]
    return parameters


def batches(images, labels, size, rng):
    """The images in random order, `size` at a time and never twice the same, with their targets."""
    order = rng.permutation(len(images))
    for start in range(0, len(order), size):
        chosen = order[start : start + size]
        noise = rng.normal(0.0, 0.2, (len(chosen), images.shape[1]))  # against learning by heart
        yield images[chosen] + noise, np.eye(10)[labels[chosen]]


def accuracy(parameters, images, labels):
    """The share of images that the network reads rightly."""
    return np.mean(scores(*parameters, images).argmax(axis=1) == labels)


def train(images, labels, batch_size=32, learning_rate=0.1, seed=0):
    """Fit the network; returns its parameters and the loss of every batch."""
    rng = np.random.default_rng(seed)
    parameters = initial_parameters(rng)
    optimizer = SGD(parameters, lr=learning_rate, momentum=0.9, weight_decay=1e-4)
    losses = []
    for epoch in track(range(EPOCHS), description="training"):
        optimizer.param_groups[0]["lr"] = learning_rate * (1 - epoch / EPOCHS)
        for batch in batches(images, labels, batch_size, rng):
            optimizer.zero_grad()
            out = loss.forward(*parameters, *batch)
            out.backward()
            optimizer.step()
            losses.append(out.item())
    return parameters, losses


def plot(losses, reached):
    """Save the loss of every batch and every epoch's mean as a picture."""
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    epochs = np.linspace(0, EPOCHS, len(losses), endpoint=False)
    means = np.mean(np.reshape(losses, (EPOCHS, -1)), axis=1)
    axes.semilogy(epochs, losses, linewidth=0.5, alpha=0.4, label="every batch")
    axes.semilogy(np.arange(EPOCHS) + 0.5, means, linewidth=2, label="mean of the epoch")
    axes.set(xlabel="epoch", ylabel="cross-entropy", title=f"{reached:.1%} of the test digits read rightly")
    axes.legend()
    PICTURE.parent.mkdir(exist_ok=True)
    figure.savefig(PICTURE, dpi=150)
    plt.close(figure)


def main(seed=0):
    """Train on four fifths of the digits, test on the rest; returns the test accuracy."""
    images, labels = load_digits(return_X_y=True)
    split = train_test_split(images / 16.0, labels, test_size=0.2, stratify=labels, random_state=seed)
    train_images, test_images, train_labels, test_labels = split

    parameters, losses = train(train_images, train_labels, seed=seed)
    reached = accuracy(parameters, test_images, test_labels)
    plot(losses, reached)
    print(f"test accuracy {reached:.2%}, last loss {losses[-1]:.2g}, curve in {PICTURE}")
    assert reached >= 0.97, "the network should read at least 97 % of the test digits"
    return reached


if __name__ == "__main__":
    main()
    print(loss.source)
