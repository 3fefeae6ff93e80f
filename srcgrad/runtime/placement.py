"""One call, one place: arrays on the CPU and on a GPU do not meet in one function."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import GradTypeError
from .signature import ArraySpec, OpaqueSpec, Spec, leaves, path_text


def placement(function: str, specs: Mapping[str, Spec]) -> str:
    """The namespace of all arrays that a call reads: "numpy" or "cupy". Python numbers go with both.

    specs : what the function reads, by the text that leads to it
    Raises GradTypeError, with every array's place, where they are on different devices.
    """
    arrays = {
        path_text(name, path): leaf
        for name, spec in specs.items()
        for path, leaf in leaves(spec)
        if isinstance(leaf, ArraySpec)
    }
    devices = {leaf.device for leaf in arrays.values()}
    if len(devices) > 1:
        listed = ", ".join(f"`{_said(text)}` on {leaf.device}" for text, leaf in arrays.items())
        raise GradTypeError(
            f"`{function}` was called with arrays on different devices: {listed}. Move them to one: "
            "Parameter.to(device), model.to(device), cupy.asarray(array) for the GPU, array.get() for the CPU."
        )
    cupy = any(leaf.namespace == "cupy" for leaf in arrays.values())
    for name, spec in specs.items():
        for path, leaf in leaves(spec):
            if cupy and isinstance(leaf, OpaqueSpec) and leaf.type.__module__.startswith("numpy"):
                raise GradTypeError(
                    f"`{function}` was called with arrays on a GPU, and `{path_text(name, path)}` draws on the CPU. "
                    "Pass a generator of CuPy's: cupy.random.default_rng(seed)."
                )
    return "cupy" if cupy else "numpy"


def _said(text: str) -> str:
    """A Parameter's array under the name of the Parameter."""
    return text.removesuffix(".data")
