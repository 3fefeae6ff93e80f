"""Record PyTorch's losses on the two-layer net, for srcgrad to be compared with.

Run where torch is installed: `python examples/record_two_layer_net.py`.
It writes tests/data/two_layer_net_pytorch.json.
"""

import json
from pathlib import Path

import numpy as np
import torch

N, D_IN, HIDDEN, D_OUT = 64, 1000, 100, 10
LEARNING_RATE, STEPS, SEED = 1e-6, 500, 0
TARGET = Path(__file__).parents[1] / "tests" / "data" / "two_layer_net_pytorch.json"


def initial_arrays():
    """x, y, w1, w2, drawn in this order, float32."""
    rng = np.random.default_rng(SEED)
    shapes = ((N, D_IN), (N, D_OUT), (D_IN, HIDDEN), (HIDDEN, D_OUT))
    return [rng.standard_normal(shape, dtype=np.float32) for shape in shapes]


def pytorch_losses():
    """The loss before each of the steps."""
    x, y, w1, w2 = (torch.from_numpy(array) for array in initial_arrays())
    w1.requires_grad_()
    w2.requires_grad_()
    losses = []
    for _ in range(STEPS):
        y_pred = x.mm(w1).clamp(min=0).mm(w2)
        loss = (y_pred - y).pow(2).sum()
        losses.append(loss.item())
        loss.backward()
        with torch.no_grad():
            w1 -= LEARNING_RATE * w1.grad
            w2 -= LEARNING_RATE * w2.grad
            w1.grad.zero_()
            w2.grad.zero_()
    return losses


def main():
    """Write every 10th loss and those the tutorial prints, with what is needed to repeat them."""
    torch.set_num_threads(1)
    losses = pytorch_losses()
    kept = sorted({*range(0, STEPS, 10), *range(99, STEPS, 100)})
    record = {
        "torch": torch.__version__,
        "seed": SEED,
        "shapes": {"x": [N, D_IN], "y": [N, D_OUT], "w1": [D_IN, HIDDEN], "w2": [HIDDEN, D_OUT]},
        "dtype": "float32",
        "learning_rate": LEARNING_RATE,
        "loss": {str(step): losses[step] for step in kept},
    }
    TARGET.parent.mkdir(parents=True, exist_ok=True)
    TARGET.write_text(json.dumps(record, indent=2) + "\n")
    print(*(f"{step:4d} {losses[step]:.7g}" for step in range(99, STEPS, 100)), sep="\n")


if __name__ == "__main__":
    main()
