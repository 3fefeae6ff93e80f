"""Handwritten digits, read by a small convolutional network with batch normalisation and dropout."""

import numpy as np
from pictures import OUTPUT, axes, path, save
from rich.progress import track
from sklearn.datasets import load_digits

from srcgrad import grad, nn
from srcgrad.data import ArrayDataset, DataLoader, train_test_split
from srcgrad.metrics import accuracy
from srcgrad.optim import AdamW
from srcgrad.optim.lr_scheduler import CosineAnnealingLR


@grad
def loss(model, images, labels):
    """Mean cross-entropy."""
    return nn.functional.cross_entropy(model(images), labels)


def network(rng):
    """Two convolutions and two layers; 8x8 images become 6x6, 3x3 after pooling."""
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1, rng=rng),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 32, 3, rng=rng),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(288, 64, rng=rng),
        nn.ReLU(),
        nn.Dropout(0.25, rng=rng),
        nn.Linear(64, 10, rng=rng),
    )


def main(epochs=10, picture=OUTPUT / "digits_cnn.png", seed=0):
    """Train on four fifths of the digits, test on the rest; returns the test accuracy."""
    images, labels = load_digits(return_X_y=True)
    images = (images.reshape(-1, 1, 8, 8) / 16.0).astype(np.float32)
    split = train_test_split(images, labels, test_size=0.2, stratify=labels, generator=seed)
    train_images, test_images, train_labels, test_labels = split
    batches = DataLoader(ArrayDataset(train_images, train_labels), 64, shuffle=True, generator=seed)
    model = network(np.random.default_rng(seed))
    optimizer = AdamW(model.parameters(), lr=5e-3)
    scheduler = CosineAnnealingLR(optimizer, T_max=epochs)
    reached = []
    for _ in track(range(epochs), description="training"):
        model.train()
        for batch in batches:
            optimizer.zero_grad()
            loss.forward(model, *batch).backward()
            optimizer.step()
        scheduler.step()
        model.eval()
        reached.append(accuracy(np.argmax(model(test_images), axis=1), test_labels))
    print(model)
    print(f"test accuracy {reached[-1]:.2%}")
    plot = axes(xlabel="epoch", ylabel="test accuracy", title=f"{reached[-1]:.1%} of the test digits read rightly")
    plot.plot(np.arange(1, epochs + 1), reached, ".-")
    save(plot, picture)
    return reached[-1]


if __name__ == "__main__":
    assert main(picture=path("digits_cnn.png", __doc__)) >= 0.98, "it should read at least 98 % of the test digits"
