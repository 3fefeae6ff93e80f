"""Modules that PyTorch has too, with equal parameters: outputs, gradients and buffers there, and PyTorch's record.

`python tests/nn/module_cases.py`, where torch is installed, writes tests/data/modules_pytorch.json.
"""

import json
import zlib
from pathlib import Path

import numpy as np
from functional_cases import bits, digest, distribution, floats, integers, shares

RECORD = Path(__file__).parents[1] / "data" / "modules_pytorch.json"

# name: (class, arguments, makers of its inputs, how many of them are differentiated, method)
CASES = {}


def case(kind, makers, *args, differentiated=None, mode="train", **options):
    given = [*map(repr, args), *(f"{key}={value!r}" for key, value in options.items())]
    name = f"{kind}({', '.join(given)}) {mode}"
    count = len(makers) if differentiated is None else differentiated
    CASES[f"{name} {sum(n.startswith(name) for n in CASES)}"] = (kind, args, options, makers, count, mode)


MATRIX, IMAGES, SEQUENCES = floats(6, 4), floats(3, 4, 7, 6), floats(5, 3, 4)

for activation in (
    "ELU", "GELU", "SELU", "Hardtanh", "LeakyReLU", "LogSigmoid", "Mish", "PReLU",
    "ReLU", "ReLU6", "Sigmoid", "SiLU", "Softplus", "Softsign", "Tanh", "Identity",
):  # fmt: skip
    case(activation, [MATRIX])
case("Hardtanh", [MATRIX], -0.5, 0.3)
case("ELU", [MATRIX], alpha=0.5)
case("GELU", [MATRIX], approximate="tanh")
case("LeakyReLU", [MATRIX], 0.2)
case("PReLU", [IMAGES], 4)
case("Softplus", [MATRIX], beta=2.0)
for normal in ("Softmax", "LogSoftmax"):
    case(normal, [MATRIX], dim=-1)
    case(normal, [SEQUENCES], dim=1)

case("Linear", [MATRIX], 4, 3)
case("Linear", [SEQUENCES], 4, 3, bias=False)
case("Flatten", [IMAGES])
case("Embedding", [integers(6, 2, 5)], 6, 3, differentiated=0)
case("Embedding", [integers(6, 2, 5)], 6, 3, padding_idx=2, differentiated=0)
case("Dropout", [MATRIX], 0.3, mode="eval")

case("Conv2d", [IMAGES], 4, 6, 3)
case("Conv2d", [IMAGES], 4, 6, (3, 2), bias=False)
case("Conv2d", [IMAGES], 4, 6, 3, padding="same")
case("Conv2d", [IMAGES], 4, 6, 3, stride=2, padding=1, groups=2)
case("Conv2d", [IMAGES], 4, 2, (3, 2), stride=(2, 1), padding=(1, 0), dilation=(1, 2))
for pool in ("MaxPool2d", "AvgPool2d"):
    case(pool, [IMAGES], 2)
    case(pool, [IMAGES], (3, 2))
    case(pool, [IMAGES], 3, stride=1, padding=1)
    case(pool, [IMAGES], 3, 2)

for mode in ("train", "eval"):
    case("BatchNorm1d", [MATRIX], 4, mode=mode)
    case("BatchNorm1d", [floats(3, 4, 4)], 4, mode=mode)
    case("BatchNorm1d", [floats(3, 4, 4)], 4, affine=False, track_running_stats=False, mode=mode)
    case("BatchNorm2d", [IMAGES], 4, mode=mode)
    case("BatchNorm2d", [IMAGES], 4, momentum=None, affine=False, mode=mode)
    case("BatchNorm1d", [MATRIX], 4, eps=0.1, momentum=0.3, track_running_stats=False, mode=mode)
case("LayerNorm", [SEQUENCES], 4)
case("LayerNorm", [SEQUENCES], (3, 4), eps=0.1, bias=False)
case("LayerNorm", [SEQUENCES], (3, 4), elementwise_affine=False)

for recurrent in ("RNN", "LSTM", "GRU"):
    case(recurrent, [SEQUENCES], 4, 3)
    case(recurrent, [SEQUENCES], 4, 3, num_layers=2, bias=False)
    case(recurrent, [SEQUENCES], 4, 3, batch_first=True)
    case(recurrent, [SEQUENCES], 4, 3, num_layers=2, bidirectional=True)
for recurrent in ("RNN", "GRU"):
    case(recurrent, [SEQUENCES, floats(1, 3, 3)], 4, 3)
case("RNN", [SEQUENCES], 4, 3, nonlinearity="relu")
case("MultiheadAttention", [floats(2, 3, 6), floats(5, 3, 6), floats(5, 3, 6)], 6, 2)
case("MultiheadAttention", [floats(3, 2, 6), floats(3, 5, 6), floats(3, 5, 6)], 6, 3, bias=False, batch_first=True)
case(
    "MultiheadAttention",
    [floats(3, 2, 6), floats(3, 5, 6), floats(3, 5, 6), lambda rng: np.arange(5) >= np.array([[5], [4], [2]])],
    6, 2, batch_first=True, differentiated=3,
)  # fmt: skip

PAIR = [floats(4, 3), floats(4, 3)]
for reduction in ("mean", "sum", "none"):
    for loss in ("MSELoss", "L1Loss", "SmoothL1Loss", "HuberLoss"):
        case(loss, PAIR, reduction=reduction)
    case("CrossEntropyLoss", [floats(5, 4), integers(4, 5)], reduction=reduction, differentiated=1)
    case("NLLLoss", [floats(5, 4), integers(4, 5)], reduction=reduction, differentiated=1)
    case("BCEWithLogitsLoss", [floats(4, 3), bits(4, 3)], reduction=reduction)
    case("BCELoss", [shares(4, 3), bits(4, 3)], reduction=reduction, differentiated=1)
case("CrossEntropyLoss", [floats(5, 4), integers(4, 5)], label_smoothing=0.1, differentiated=1)
case("SmoothL1Loss", PAIR, beta=0.5)
case("HuberLoss", PAIR, delta=0.7)
case("KLDivLoss", [floats(4, 3), distribution(4, 3)], reduction="batchmean")
case("KLDivLoss", [floats(4, 3), floats(4, 3)], reduction="sum", log_target=True)


def drawn(name, key, shape, dtype):
    """Values of a parameter or buffer, the same everywhere; variances are positive."""
    rng = np.random.default_rng(zlib.crc32(f"{name} {key}".encode()))
    values = rng.standard_normal(shape)
    return (np.abs(values) + 0.5 if key.endswith("running_var") else values).astype(dtype)


def inputs_of(name, dtype):
    """The call's inputs."""
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    made = [make(rng) for make in CASES[name][3]]
    return [array.astype(dtype) if array.dtype.kind == "f" else array for array in made]


def flat(output):
    """The arrays of a result, which may hold None and tuples of them."""
    if isinstance(output, (tuple, list)):
        return [array for part in output for array in flat(part)]
    return [] if output is None else [output]


def cotangents(name, shapes, dtype):
    """One for each output."""
    return [drawn(name, f"cotangent {k}", shape, dtype) for k, shape in enumerate(shapes)]


def pytorchs(name, dtype):
    """(outputs, gradients of inputs, gradients of parameters by name, buffers afterwards, text) in PyTorch."""
    import torch

    kind, args, options, _, count, mode = CASES[name]
    module = getattr(torch.nn, kind)(*args, **options).to(getattr(torch, np.dtype(dtype).name))
    values = {
        key: torch.from_numpy(np.asarray(drawn(name, key, tuple(value.shape), dtype)))
        for key, value in module.state_dict().items()
        if value.is_floating_point()
    }
    module.load_state_dict(values, strict=False)
    module.train(mode == "train")
    tensors = [torch.from_numpy(array) for array in inputs_of(name, dtype)]
    for tensor in tensors[:count]:
        tensor.requires_grad_()
    outputs = flat(module(*tensors))
    weights = cotangents(name, [tuple(o.shape) for o in outputs], dtype)
    total = sum((o * torch.from_numpy(np.asarray(w))).sum() for o, w in zip(outputs, weights))
    total.backward()
    return (
        [o.detach().numpy() for o in outputs],
        [tensor.grad.numpy() for tensor in tensors[:count]],
        {key: parameter.grad.numpy() for key, parameter in module.named_parameters()},
        {key: buffer.numpy() for key, buffer in module.named_buffers()},
        repr(module),
    )


def record(results):
    """Outputs, gradients and buffers as two numbers each, with the text."""
    outputs, inputs, parameters, buffers, text = results
    return {
        "outputs": [digest(each) for each in outputs],
        "inputs": [digest(each) for each in inputs],
        "parameters": {key: digest(each) for key, each in parameters.items()},
        "buffers": {key: digest(each) for key, each in buffers.items()},
        "repr": text,
    }


def main():
    """Write the record, in float64."""
    import torch

    torch.set_num_threads(1)
    entries = [f" {json.dumps(name)}: {json.dumps(record(pytorchs(name, np.float64)))}" for name in CASES]
    RECORD.write_text("{\n" + ",\n".join(entries) + "\n}\n")
    print(f"{len(entries)} modules in {RECORD}")


if __name__ == "__main__":
    main()
