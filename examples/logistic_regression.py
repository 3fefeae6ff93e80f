"""Logistic regression on the Wisconsin breast cancer data, by Newton's method with the Hessian from srcgrad."""

import numpy as np
from pictures import OUTPUT, axes, path, save
from rich.progress import track
from sklearn.datasets import load_breast_cancer

from srcgrad import grad, hessian
from srcgrad.data import train_test_split
from srcgrad.metrics import accuracy


def loss(w, x, y):
    """Mean cross-entropy of sigmoid(x @ w), with a penalty on the weights."""
    scores = x @ w
    return np.mean(np.logaddexp(0.0, scores) - y * scores) + 1e-3 * np.sum(w**2)


slope, curvature = grad(loss), hessian(loss)


def main(steps=10, picture=OUTPUT / "logistic_regression.png", seed=0):
    """Fit on three quarters of the patients, test on the rest; returns test accuracy and the last gradient's norm."""
    x, y = load_breast_cancer(return_X_y=True)
    x = np.column_stack([(x - x.mean(axis=0)) / x.std(axis=0), np.ones(len(x))])
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, stratify=y, generator=seed)
    w = np.zeros(x.shape[1])
    norms = []
    for _ in track(range(steps), description="Newton"):
        gradient = slope(w, x_train, y_train)
        norms.append(np.linalg.norm(gradient))
        w = w - np.linalg.solve(curvature(w, x_train, y_train), gradient)
    reached = accuracy(x_test @ w > 0.0, y_test.astype(bool))
    print(f"test accuracy {reached:.2%}, norm of the gradient {norms[0]:.2g} to {norms[-1]:.2g}")
    plot = axes(xlabel="step", ylabel="norm of the gradient", title=f"{reached:.1%} of the test patients told rightly")
    plot.semilogy(norms, ".-")
    save(plot, picture)
    return reached, norms[-1]


if __name__ == "__main__":
    main(picture=path("logistic_regression.png", __doc__))
    print(slope.source)
