"""Neural networks: modules and layers, functions, initial values, gradient clipping."""

from srcgrad.nn import functional, init, utils
from srcgrad.nn.layers import GELU, Linear, ReLU, Sequential, Sigmoid, SiLU, Tanh
from srcgrad.nn.module import Module

__all__ = [
    "GELU",
    "Linear",
    "Module",
    "ReLU",
    "Sequential",
    "SiLU",
    "Sigmoid",
    "Tanh",
    "functional",
    "init",
    "utils",
]
