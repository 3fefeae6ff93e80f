"""Optimizer steps on a GPU: one CUDA kernel moves all parameters of a group that take the same step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from srcgrad.runtime.device import device_of, namespace_of

CHUNK = 65536  # elements that one block of threads moves
THREADS = 512
_REAL = {"float32": "float", "float64": "double"}


@dataclass(frozen=True)
class Step:
    """What happens to one element: CUDA lines that read and write `p`, its gradient `g`, and the states by name.

    states : names of the arrays in the parameter's state, which the lines use
    numbers : values that the lines use, by name; they are arguments of the kernel
    lines : statements; `real` is the parameter's type
    """

    states: tuple[str, ...]
    numbers: Mapping[str, float]
    lines: tuple[str, ...]

    @property
    def kind(self) -> tuple[Any, ...]:
        return self.states, tuple(self.numbers.items()), self.lines


@dataclass
class Move:
    """One parameter's arrays, in the order in which the kernel takes them."""

    step: Step
    arrays: Sequence[Any]  # the parameter, the gradient, the states

    @property
    def together(self) -> tuple[Any, ...]:
        """Moves for which this is equal go into one launch."""
        return self.step.kind, self.arrays[0].dtype.name, str(device_of(self.arrays[0]))


def descent(weight_decay: float, maximize: bool) -> tuple[str, ...]:
    """The lines that start with the slope to step down: as `slope` does on the CPU."""
    lines = ("real d = -g;" if maximize else "real d = g;",)
    return (*lines, "d += weight_decay * p;") if weight_decay else lines


def launch(name: str, moves: Sequence[Move]) -> None:
    """Make every move, with one kernel for all that are alike. Nothing waits for the device.

    Raises TypeError for other dtypes than float32 and float64.
    """
    groups: dict[tuple[Any, ...], list[Move]] = {}
    for move in moves:
        groups.setdefault(move.together, []).append(move)
    for (_, dtype, _), alike in groups.items():
        _launch(name, dtype, alike)


def kernel_source(name: str, dtype: str, step: Step) -> str:
    """The kernel's CUDA text."""
    if dtype not in _REAL:
        raise TypeError(f"an optimizer on the GPU moves float32 and float64 parameters, not {dtype}")
    arrays = ("param", "grad", *step.states)
    numbers = "".join(f", real {number}" for number in step.numbers)
    unpacked = [f"real* {array}s = (real*)arrays[{k}];" for k, array in enumerate(arrays)]
    states = [f"real& {state} = {state}s[i];" for state in step.states]
    return "\n".join(
        [
            f"typedef {_REAL[dtype]} real;",
            "",
            "// Block k moves elements chunks[3 k + 1] to chunks[3 k + 2] of tensor chunks[3 k].",
            'extern "C" __global__',
            f"void {name}(const long long* tensors, const long long* chunks{numbers})",
            "{",
            "    const long long* chunk = chunks + 3 * blockIdx.x;",
            f"    const long long* arrays = tensors + {len(arrays)} * chunk[0];",
            *(f"    {line}" for line in unpacked),
            "    for (long long i = chunk[1] + threadIdx.x; i < chunk[2]; i += blockDim.x) {",
            "        real& p = params[i];",
            "        const real g = grads[i];",
            *(f"        {line}" for line in (*states, *step.lines)),
            "    }",
            "}",
            "",
        ]
    )


def _launch(name: str, dtype: str, moves: Sequence[Move]) -> None:
    cp = namespace_of(moves[0].arrays[0])
    step = moves[0].step
    with moves[0].arrays[0].device:
        plain = [[_as_the_kernel_walks(array, cp) for array in move.arrays] for move in moves]
        tensors = cp.asarray(np.array([[array.data.ptr for array in arrays] for arrays in plain], np.int64))
        sizes = tuple(arrays[0].size for arrays in plain)
        chunks = _chunks(sizes, str(device_of(moves[0].arrays[0])))
        real = np.dtype(dtype).type
        numbers = [real(value) for value in step.numbers.values()]
        if len(chunks):
            _compiled(kernel_source(name, dtype, step), name)((len(chunks),), (THREADS,), (tensors, chunks, *numbers))
        for move, arrays in zip(moves, plain):
            for own, moved in zip(move.arrays, arrays):
                if own is not moved and own is not move.arrays[1]:
                    own[...] = moved


def _as_the_kernel_walks(array: Any, cp: Any) -> Any:
    """The elements one behind the other, in C's order; a copy where they are not."""
    return array if array.flags.c_contiguous else cp.ascontiguousarray(array)


@lru_cache(maxsize=256)
def _chunks(sizes: tuple[int, ...], device: str) -> Any:
    """(tensor, first element, end) for each block, on the device that is the current one."""
    import cupy

    rows = [
        (number, start, min(start + CHUNK, size))
        for number, size in enumerate(sizes)
        for start in range(0, size, CHUNK)
    ]
    return cupy.asarray(np.array(rows, np.int64).reshape(-1, 3))


@lru_cache(maxsize=256)
def _compiled(source: str, name: str) -> Any:
    import cupy

    return cupy.RawKernel(source, name)
