"""Optimizers: objects that move Parameters, and the pure functions under them."""

from srcgrad.optim.optimizer import Optimizer, ShapeMismatch
from srcgrad.optim.sgd import SGD, sgd

__all__ = ["SGD", "Optimizer", "ShapeMismatch", "sgd"]
