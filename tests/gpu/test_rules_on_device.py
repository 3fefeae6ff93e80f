"""The rule table in CuPy's spelling: each rule's text computes what the IR computes, and stays on the device."""

import cupy_simulator
import numpy as np
from on_device import arguments_on_device, rule_in_cupy, to_host
from test_table import Refused, as_tuple, each_case

from srcgrad.errors import Unsupported
from srcgrad.runtime.load import load

# How long their results are depends on values, so that CuPy waits to know it; float(x) asks for a Python number.
WAITING = {"np.compress", "np.extract", "np.bincount", "getitem", "index_add", "index_set", "float"}
IN_PLACE_OF_A_SHAPE = ("np.broadcast_to", "np.reshape")  # the frontend makes a tuple of `shape=3`


@each_case
def test_gradient(prim, case, cp):
    if prim.name in IN_PLACE_OF_A_SHAPE and isinstance(case.attrs["shape"], int):
        return
    try:
        specimen, function, emitted = rule_in_cupy(prim, case)
    except (Refused, Unsupported):  # by its rule, or because CuPy lacks it: test_placement.py has what is said then
        return
    compiled = load(emitted.text, emitted.name)[emitted.name]
    args = arguments_on_device(specimen, cp)
    cupy_simulator.log.clear()
    found = as_tuple(compiled(*args))
    if prim.name not in WAITING:
        assert cupy_simulator.log.keys() <= {"kernel", "literal", "fused"}
    for ours, expected in zip(found, specimen.run(function), strict=True):
        assert isinstance(ours, cp.ndarray) or prim.name.startswith(("math.", "float"))
        assert np.shape(to_host(ours)) == np.shape(expected)
        assert np.asarray(to_host(ours)).dtype == np.asarray(expected).dtype
        np.testing.assert_allclose(to_host(ours), expected, rtol=1e-9, atol=1e-10)
    for ours, original in zip(args, specimen.args, strict=True):
        np.testing.assert_array_equal(to_host(ours), original)
