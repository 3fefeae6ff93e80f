"""What is measured: functions with a gradient written by hand, at sizes at which people use them.

Most come from the tests' specimens, where their hand-written gradients are checked.
"""

import importlib
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))


@dataclass(frozen=True)
class Workload:
    """`module` holds loss, by_hand and WRT; `torch` names the same loss in `peers`."""

    name: str
    module: Any
    arguments: Callable[[np.random.Generator], tuple[Any, ...]]
    torch: str
    seconds: float = 1.5


def specimen(name: str) -> Any:
    return importlib.import_module(f"specimens.{name}")


def workloads() -> list[Workload]:
    from . import elementwise, scalar

    return [
        Workload("two-layer net, float32", specimen("two_layer_net"), _two_layer_net, "two_layer_net"),
        Workload("MLP, float32", specimen("mlp"), _mlp, "mlp"),
        Workload("logistic regression", specimen("logistic_regression"), _logistic_regression, "logistic_regression"),
        Workload("softmax classifier", specimen("softmax_cross_entropy_one_hot"), _softmax, "softmax"),
        Workload("layer norm", specimen("layer_norm"), _layer_norm, "layer_norm"),
        Workload("RNN, 50 steps", specimen("rnn"), _rnn, "rnn"),
        Workload("elementwise, 1e5", elementwise, lambda rng: (rng.uniform(0.1, 2.0, 10**5),), "elementwise"),
        Workload("elementwise, 1e7", elementwise, lambda rng: (rng.uniform(0.1, 2.0, 10**7),), "elementwise", 20.0),
        Workload("Rosenbrock, 1e6", specimen("rosenbrock"), lambda rng: (rng.normal(size=10**6),), "rosenbrock", 4.0),
        Workload("Black-Scholes, 1e6", specimen("black_scholes"), _black_scholes, "black_scholes", 15.0),
        Workload("scalar 3x^2 + 6x - 9", scalar, lambda rng: (10.0,), "scalar", 0.5),
    ]


def _normal(rng: np.random.Generator, *shapes: tuple[int, ...], dtype: Any = np.float64) -> tuple[Any, ...]:
    """Normal arrays; matrices scaled as weights are, so that nothing saturates."""
    return tuple((rng.normal(size=s) / np.sqrt(s[0])).astype(dtype) for s in shapes)


def _two_layer_net(rng: np.random.Generator) -> tuple[Any, ...]:
    return _normal(rng, (1000, 100), (100, 10), (64, 1000), (64, 10), dtype=np.float32)


def _mlp(rng: np.random.Generator) -> tuple[Any, ...]:
    shapes = ((256, 512), (512,), (512, 512), (512,), (512, 10), (10,), (128, 256), (128, 10))
    return _normal(rng, *shapes, dtype=np.float32)


def _logistic_regression(rng: np.random.Generator) -> tuple[Any, ...]:
    w, x = _normal(rng, (100,), (10000, 100))
    return w, 0.1, x, rng.choice([-1.0, 1.0], size=10000)


def _softmax(rng: np.random.Generator) -> tuple[Any, ...]:
    return *_normal(rng, (64, 100), (100,), (1000, 64)), np.eye(100)[rng.integers(100, size=1000)]


def _layer_norm(rng: np.random.Generator) -> tuple[Any, ...]:
    return tuple(rng.normal(size=s) for s in ((1000, 256), 256, 256, (1000, 256)))


def _rnn(rng: np.random.Generator) -> tuple[Any, ...]:
    return _normal(rng, (32, 64), (64, 64), (64,), (64, 8), (50, 32, 32), (32, 8))


def _black_scholes(rng: np.random.Generator) -> tuple[Any, ...]:
    size = 10**6
    spot, volatility = rng.uniform(80.0, 120.0, size), rng.uniform(0.15, 0.4, size)
    return spot, volatility, 0.03, np.full(size, 100.0), rng.uniform(0.5, 2.0, size)
