"""Functions in, compiled derivatives out: what users call."""

from __future__ import annotations

from .checking import check_grads
from .functions import grad, value_and_grad, vjp
from .gradient import Gradient
from .jacobians import hessian, jacfwd, jacobian, jacrev
from .tangents import hvp, jvp

__all__ = [
    "Gradient",
    "check_grads",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "value_and_grad",
    "vjp",
]
