"""Functions in, compiled derivatives out: what users call."""

from __future__ import annotations

from .functions import grad, value_and_grad, vjp
from .gradient import Gradient

__all__ = ["Gradient", "grad", "value_and_grad", "vjp"]
