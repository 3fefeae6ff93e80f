"""Source-to-source differentiation: the gradient of a NumPy function, as a readable NumPy function."""

from __future__ import annotations

from . import cuda, optim
from .api import Gradient, check_grads, grad, hessian, hvp, jacfwd, jacobian, jacrev, jvp, value_and_grad, vjp
from .custom import checkpoint, hook, rule
from .errors import CompileError, GradientMismatch, GradTypeError, SourceNotFound, SrcgradError
from .inspect import make_dot
from .markers import stop_gradient
from .runtime.device import device
from .runtime.grad_mode import is_grad_enabled, no_grad, set_grad_enabled
from .runtime.parameter import Parameter
from .runtime.result import Result

__version__ = "0.1.0"

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
    "cuda",
    "device",
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
    "no_grad",
    "optim",
    "rule",
    "set_grad_enabled",
    "stop_gradient",
    "value_and_grad",
    "vjp",
]
