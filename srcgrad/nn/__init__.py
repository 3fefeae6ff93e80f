"""Neural networks: functions, initial values, gradient clipping."""

from srcgrad.nn import functional, init, utils

__all__ = ["functional", "init", "utils"]
