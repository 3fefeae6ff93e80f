"""Calls of `nn.functional` that PyTorch has too, their values and gradients there, and PyTorch's record.

`python tests/nn/functional_cases.py`, where torch is installed, writes tests/data/functional_pytorch.json.
"""

import json
import zlib
from pathlib import Path

import numpy as np

RECORD = Path(__file__).parents[1] / "data" / "functional_pytorch.json"


def floats(*shape):
    return lambda rng: rng.standard_normal(shape)


def shares(*shape):
    return lambda rng: rng.uniform(0.05, 0.95, shape)


def distribution(*shape):
    def drawn(rng):
        x = rng.uniform(0.1, 1.0, shape)
        return x / x.sum(axis=-1, keepdims=True)

    return drawn


def bits(*shape):
    return lambda rng: rng.integers(0, 2, shape).astype(float)


def integers(high, *shape):
    return lambda rng: rng.integers(0, high, shape)


IMAGES, KERNELS = floats(2, 4, 7, 6), floats(6, 4, 3, 2)

# name: (function, makers of its arrays, how many of them are differentiated, keywords here, keywords in PyTorch)
CASES = {}


def case(function, makers, differentiated=None, theirs=None, **ours):
    name = f"{function} {len([n for n in CASES if n.split()[0] == function])}"
    options = "".join(f" {key}={value}" for key, value in ours.items())
    CASES[name + options] = (
        function, makers, len(makers) if differentiated is None else differentiated, ours,
        {key: tuple(v) if isinstance(v, list) else v for key, v in (ours if theirs is None else theirs).items()},
    )  # fmt: skip


for activation in ("relu", "leaky_relu", "elu", "gelu", "sigmoid", "silu", "softplus"):
    case(activation, [floats(3, 5)])
case("leaky_relu", [floats(3, 5)], negative_slope=0.2)
case("elu", [floats(3, 5)], alpha=0.5)
case("gelu", [floats(3, 5)], approximate="tanh")
case("softplus", [floats(3, 5)], beta=2.0)
for normal in ("softmax", "log_softmax"):
    case(normal, [floats(3, 5)], theirs={"dim": -1})
    case(normal, [floats(2, 3, 4)], axis=1, theirs={"dim": 1})

PAIR = [floats(4, 3), floats(4, 3)]
for loss in ("mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"):
    for reduction in ("mean", "sum", "none"):
        case(loss, PAIR, reduction=reduction)
case("smooth_l1_loss", PAIR, beta=0.5)
case("huber_loss", PAIR, delta=0.7)
for loss in ("cross_entropy", "nll_loss"):
    for reduction in ("mean", "sum", "none"):
        case(loss, [floats(5, 4), integers(4, 5)], 1, reduction=reduction)
        case(loss, [floats(5, 4), integers(4, 5), shares(4)], 1, reduction=reduction)
for reduction in ("mean", "sum", "none"):
    case("cross_entropy", [floats(5, 4), distribution(5, 4)], reduction=reduction)
    case("cross_entropy", [floats(5, 4), integers(4, 5)], 1, reduction=reduction, label_smoothing=0.1)
    case("cross_entropy", [floats(5, 4), integers(4, 5), shares(4)], 1, reduction=reduction, label_smoothing=0.1)
    case("cross_entropy", [floats(5, 4), distribution(5, 4), shares(4)], 2, reduction=reduction, label_smoothing=0.1)
    case("binary_cross_entropy", [shares(4, 3), bits(4, 3)], 1, reduction=reduction)
    case("binary_cross_entropy", [shares(4, 3), shares(4, 3), shares(3)], 1, reduction=reduction)
    case("binary_cross_entropy_with_logits", [floats(4, 3), bits(4, 3)], 1, reduction=reduction)
    case("binary_cross_entropy_with_logits", [floats(4, 3), shares(4, 3), shares(3)], 2, reduction=reduction)
for reduction in ("mean", "sum", "none", "batchmean"):
    case("kl_div", [floats(4, 3), distribution(4, 3)], reduction=reduction)
    case("kl_div", [floats(4, 3), floats(4, 3)], reduction=reduction, log_target=True)

case("linear", [floats(5, 3), floats(4, 3)])
case("linear", [floats(2, 5, 3), floats(4, 3), floats(4)])
case("conv2d", [IMAGES, KERNELS])
case("conv2d", [IMAGES, KERNELS, floats(6)])
case("conv2d", [IMAGES, KERNELS, floats(6)], stride=2, padding=1)
case("conv2d", [IMAGES, KERNELS, floats(6)], stride=3, padding=2, dilation=2)
case("conv2d", [IMAGES, floats(6, 2, 3, 2), floats(6)], padding=1, groups=2)
case("conv2d", [IMAGES, floats(8, 2, 3, 2)], stride=2, groups=2)
case("max_pool2d", [IMAGES], size=2, theirs={"kernel_size": 2})
case("avg_pool2d", [IMAGES], size=3, theirs={"kernel_size": 3})
case("conv2d", [IMAGES, KERNELS, floats(6)], stride=(2, 1), padding=(0, 2), dilation=(1, 2))
for pool in ("max_pool2d", "avg_pool2d"):
    case(pool, [IMAGES], size=(3, 2), theirs={"kernel_size": (3, 2)})
    case(pool, [IMAGES], size=3, stride=1, padding=1, theirs={"kernel_size": 3, "stride": 1, "padding": 1})
    case(
        pool, [IMAGES], size=(3, 2), stride=(2, 3), padding=(1, 0),
        theirs={"kernel_size": (3, 2), "stride": (2, 3), "padding": (1, 0)},
    )  # fmt: skip
case("embedding", [integers(6, 2, 5), floats(6, 3)], -1)
ATTENTION = [floats(2, 4, 3), floats(2, 5, 3), floats(2, 5, 6)]
case("scaled_dot_product_attention", ATTENTION)
case("scaled_dot_product_attention", ATTENTION, causal=True, theirs={"is_causal": True})


def arrays_of(name, dtype):
    """The call's arrays, and the cotangent's generator."""
    _, makers, _, _, _ = CASES[name]
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    made = [make(rng) for make in makers]
    return [a if a.dtype.kind == "i" else a.astype(dtype) for a in made], rng


def positions(name):
    """Which arrays are differentiated; -1 stands for the last alone."""
    _, makers, count, _, _ = CASES[name]
    return [len(makers) - 1] if count == -1 else list(range(count))


def pytorchs(name, dtype):
    """(value, gradients of sum(value * cotangent), cotangent) in PyTorch."""
    import torch

    function, _, _, _, options = CASES[name]
    arrays, rng = arrays_of(name, dtype)
    tensors = [torch.from_numpy(array) for array in arrays]
    chosen = [tensors[k].requires_grad_() for k in positions(name)]
    value = getattr(torch.nn.functional, function)(*tensors, **options)
    cotangent = rng.standard_normal(tuple(value.shape)).astype(dtype)
    grads = torch.autograd.grad((value * torch.from_numpy(np.asarray(cotangent))).sum(), chosen)
    return value.detach().numpy(), [grad.numpy() for grad in grads], cotangent


def main():
    """Write value and gradients, in float64, as their sums with fixed random numbers."""
    import torch

    torch.set_num_threads(1)
    entries = []
    for name in CASES:
        value, grads, _ = pytorchs(name, np.float64)
        entries.append(f" {json.dumps(name)}: {json.dumps([digest(each) for each in (value, *grads)])}")
    RECORD.write_text("{\n" + ",\n".join(entries) + "\n}\n")
    print(f"{len(entries)} calls in {RECORD}")


def digest(array):
    """Two numbers that any change of an element changes."""
    flat = np.ravel(array)
    weights = np.random.default_rng(0).uniform(0.5, 1.5, (2, flat.size))
    return [float(x) for x in weights @ flat]


if __name__ == "__main__":
    main()
