import numpy as np


def loss_grad(image, noisy, weight=0.3):
    down = np.diff(image, axis=0)
    across = np.diff(image, axis=1)
    pad = np.pad(weight * np.sign(across), ((0, 0), (1, 1)))
    pad_1 = np.pad(weight * np.sign(down), ((1, 1), (0, 0)))
    d_image = -np.diff(pad) - np.diff(pad_1, axis=0)
    return (d_image + (image - noisy),)
