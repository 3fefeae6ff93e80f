"""Optimizers: objects that move Parameters, the pure functions beside them, learning rates and gradient clipping."""

from srcgrad.optim import functional, lr_scheduler
from srcgrad.optim.adagrad import Adagrad
from srcgrad.optim.adam import Adam, AdamW
from srcgrad.optim.clip import clip_grad_norm_, clip_grad_value_, get_total_norm
from srcgrad.optim.functional import ShapeMismatch
from srcgrad.optim.optimizer import Optimizer
from srcgrad.optim.rmsprop import RMSprop
from srcgrad.optim.sgd import SGD

__all__ = [
    "SGD",
    "Adagrad",
    "Adam",
    "AdamW",
    "Optimizer",
    "RMSprop",
    "ShapeMismatch",
    "clip_grad_norm_",
    "clip_grad_value_",
    "functional",
    "get_total_norm",
    "lr_scheduler",
]
