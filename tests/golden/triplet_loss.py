import numpy as np


def loss_grad(anchor, positive, negative, margin=0.5):
    root = np.sqrt(np.sum(anchor ** 2, axis=1, keepdims=True))
    anchor_1 = anchor / root
    root_1 = np.sqrt(np.sum(positive ** 2, axis=1, keepdims=True))
    positive_1 = positive / root_1
    root_2 = np.sqrt(np.sum(negative ** 2, axis=1, keepdims=True))
    negative_1 = negative / root_2
    diff = anchor_1 - positive_1
    near = np.sum(diff ** 2, axis=1)
    diff_1 = anchor_1 - negative_1
    far = np.sum(diff_1 ** 2, axis=1)
    above = np.maximum(near - far + margin, 0.0) > 0.0
    column = (above / anchor.shape[0])[:, None]
    d_negative_1 = column * (2 * diff_1)
    d_diff = column * (2 * diff)
    ratio = np.sum(d_negative_1 * negative_1, axis=1, keepdims=True) / root_2
    d_negative = d_negative_1 / root_2 - ratio / root_2 * negative
    d_root = np.sum(d_diff * positive_1, axis=1, keepdims=True) / root_1
    d_positive = d_root / root_1 * positive - d_diff / root_1
    total = np.sum((d_negative_1 - d_diff) * anchor_1, axis=1, keepdims=True)
    product = total / root / root * anchor
    d_anchor = (d_diff - d_negative_1) / root + product
    return d_anchor, d_positive, d_negative
