"""Random programs on the device: the gradient of CuPy arrays is that of NumPy arrays, or is refused."""

from __future__ import annotations

import warnings
from types import ModuleType

import cupy_simulator
import numpy as np
from agreement import leaves
from fuzz_judge import Wrong
from on_device import to_device, to_host

from srcgrad import grad


def same_on_device(module: ModuleType) -> None:
    """Raises Wrong where they differ; the check that `fuzz_judge.judge` takes."""
    gradient = grad(module.loss, wrt=module.WRT)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        expected = gradient.value_and_grad(*module.arguments())
        with cupy_simulator.simulated() as cp:
            given = to_device(module.arguments(), cp)
            found = gradient.value_and_grad(*given)
            result = gradient.forward(*given)
            halves = result.value, result.backward()
            both, after = to_host([list(found), list(halves)]), to_host(given)
    single = any(np.asarray(arg).dtype == np.float32 for arg in after)
    for ours in both:
        for one, other in zip(leaves(ours), leaves(list(expected)), strict=True):
            tolerance = 1e-4 if single else 1e-8
            close = np.allclose(one, other, rtol=tolerance, atol=tolerance, equal_nan=True)
            if np.shape(one) != np.shape(other) or not close:
                raise Wrong("differs on the device", f"{one} and {other}\n{gradient.source}")
    for one, other in zip(leaves(after), leaves(module.arguments()), strict=True):
        if isinstance(other, np.ndarray) and not np.array_equal(one, other, equal_nan=True):
            raise Wrong("an argument is changed on the device", f"{one} and {other}\n{gradient.source}")
