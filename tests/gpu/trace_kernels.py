"""Run CuPy's own tracer on fused functions, without a GPU: `trace_kernels.py kernels.json`; fails where one differs."""

import json
import sys
from pathlib import Path

import cupy as cp
import numpy as np
from cupy._core import _fusion_thread_local, fusion


def array(dtype, ndim):
    """An array that is never read."""
    memory = cp.cuda.UnownedMemory(4096, 1 << 30, None, device_id=0)
    return cp.ndarray((3,) * ndim, np.dtype(dtype), memptr=cp.cuda.MemoryPointer(memory, 0))


def traced(function, args):
    """The dtype of the kernel that CuPy makes of the function."""
    history, local = fusion._FusionHistory(), _fusion_thread_local.thread_local
    local.history, local.is_old_fusing = history, True
    try:
        kernel, _ = history.get_fusion(function, args, function.__name__)
    finally:
        local.history, local.is_old_fusing = None, False
    return kernel.params[-2].dtype  # the last is the index


kernels = json.loads(Path(sys.argv[1]).read_text())
for source, name, given, expected in kernels:
    scope = {"cp": cp}
    exec(source.replace("@cp.fuse()\n", ""), scope)
    args = [array(*each) if isinstance(each, list) else each for each in given]
    found = traced(scope[name], args)
    assert found == expected, f"{found} instead of {expected}:\n{source}\n{given}"
print(f"{len(kernels)} traced")
