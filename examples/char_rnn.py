"""A character-level recurrent network in the style of min-char-rnn: dicts of arrays, a step of Adagrad for each piece.

It reads this project's README and writes in its manner.
"""

from pathlib import Path

import numpy as np
from pictures import OUTPUT, axes, path, save
from rich.progress import track

from srcgrad import value_and_grad

README = Path(__file__).parents[1] / "README.md"
HIDDEN, PIECE = 64, 25


def loss(params, inputs, targets, hprev):
    """The cross-entropy of every next character, in nats, summed over a piece of the text; and the last state."""
    xs, hs, ps = {}, {-1: hprev}, {}
    total = 0.0
    for t in range(len(inputs)):
        xs[t] = params["Wxh"][:, inputs[t]]
        hs[t] = np.tanh(xs[t] + params["Whh"] @ hs[t - 1] + params["bh"])
        ys = params["Why"] @ hs[t] + params["by"]
        ps[t] = np.exp(ys - np.max(ys)) / np.sum(np.exp(ys - np.max(ys)))
        total += -np.log(ps[t][targets[t]])
    return total, hs[len(inputs) - 1]


def initial(size, rng):
    """Small random weights, biases of zero."""
    shapes = {"Wxh": (HIDDEN, size), "Whh": (HIDDEN, HIDDEN), "Why": (size, HIDDEN)}
    params = {name: rng.normal(0.0, 0.05, shape) for name, shape in shapes.items()}
    return params | {"bh": np.zeros(HIDDEN), "by": np.zeros(size)}


def sample(params, h, index, count, rng):
    """Characters, each drawn from what the network expects after those before."""
    written = []
    for _ in range(count):
        h = np.tanh(params["Wxh"][:, index] + params["Whh"] @ h + params["bh"])
        y = params["Why"] @ h + params["by"]
        p = np.exp(y - np.max(y))
        index = rng.choice(len(p), p=p / np.sum(p))
        written.append(index)
    return written


def main(steps=8000, picture=OUTPUT / "char_rnn.png", seed=0, learning_rate=0.1):
    """Read the text again and again; returns the smoothed loss per character before the first and the last step."""
    text = README.read_text()
    characters = sorted(set(text))
    indices = np.array([characters.index(c) for c in text])
    rng = np.random.default_rng(seed)
    params = initial(len(characters), rng)
    memory = {name: np.zeros_like(value) for name, value in params.items()}
    differentiate = value_and_grad(loss, has_aux=True)
    smoothed = [np.log(len(characters))]
    place, h = 0, np.zeros(HIDDEN)
    for _ in track(range(steps), description="reading"):
        if place + PIECE + 1 > len(indices):
            place, h = 0, np.zeros(HIDDEN)
        inputs, targets = indices[place : place + PIECE], indices[place + 1 : place + PIECE + 1]
        (value, h), grads = differentiate(params, inputs, targets, h)
        for name, gradient in grads.items():
            np.clip(gradient, -5.0, 5.0, out=gradient)
            memory[name] += gradient**2
            params[name] -= learning_rate * gradient / np.sqrt(memory[name] + 1e-8)
        smoothed.append(0.99 * smoothed[-1] + 0.01 * value / PIECE)
        place += PIECE
    print("".join(characters[k] for k in sample(params, h, indices[0], 200, rng)))
    print(f"loss per character {smoothed[0]:.2f} to {smoothed[-1]:.2f} nats")
    plot = axes(xlabel="step", ylabel="nats per character", title=f"reading {README.name}")
    plot.plot(smoothed)
    save(plot, picture)
    return smoothed[0], smoothed[-1]


if __name__ == "__main__":
    main(picture=path("char_rnn.png", __doc__))
