"""Source-to-source differentiation: the gradient of a NumPy function, as a readable NumPy function."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from . import cuda, optim
from .api import Gradient, check_grads, grad, hessian, hvp, jacfwd, jacobian, jacrev, jvp, value_and_grad, vjp
from .creation import full, ones, rand, randn, zeros
from .custom import checkpoint, checkpointed, hook, rule
from .errors import CompileError, GradientMismatch, GradTypeError, SourceNotFound, SrcgradError
from .inspect import make_dot
from .markers import stop_gradient
from .runtime.device import device
from .runtime.grad_mode import is_grad_enabled, no_grad, set_grad_enabled
from .runtime.parameter import Parameter
from .runtime.result import Result

if TYPE_CHECKING:
    from . import data, metrics, nn, serialization, training

__version__ = "0.1.0"

_WHEN_USED = ("data", "metrics", "nn", "serialization", "training")  # importing srcgrad imports little

__all__ = [
    "CompileError",
    "GradTypeError",
    "Gradient",
    "GradientMismatch",
    "Parameter",
    "Result",
    "SourceNotFound",
    "SrcgradError",
    "__version__",
    "check_grads",
    "checkpoint",
    "checkpointed",
    "cuda",
    "data",
    "device",
    "full",
    "grad",
    "hessian",
    "hook",
    "hvp",
    "is_grad_enabled",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "make_dot",
    "metrics",
    "nn",
    "no_grad",
    "ones",
    "optim",
    "rand",
    "randn",
    "rule",
    "serialization",
    "set_grad_enabled",
    "stop_gradient",
    "training",
    "value_and_grad",
    "vjp",
    "zeros",
]


def __getattr__(name: str) -> Any:
    """`srcgrad.nn` and its like, after `import srcgrad` alone."""
    if name in _WHEN_USED:
        return importlib.import_module(f".{name}", __name__)
    raise AttributeError(f"module 'srcgrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *_WHEN_USED])
