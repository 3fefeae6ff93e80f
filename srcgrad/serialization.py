"""`save` and `load`: nested containers of arrays in a safetensors file, which holds data alone and runs nothing."""

from __future__ import annotations

import json
import os
import tempfile
from collections import Counter, OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from srcgrad.runtime.device import is_array, on_host
from srcgrad.runtime.parameter import Parameter

Array = NDArray[Any]
Tree = Any

_KEY = "srcgrad"
_DICTS = {"dict": dict, "OrderedDict": OrderedDict, "Counter": Counter}


def save(tree: Tree, path: str | os.PathLike[str]) -> None:
    """Write a tree to a file, whole or not at all: an interrupted save leaves the file that was there.

    tree : lists, tuples and dicts of arrays, Parameters (their arrays), numbers, strings, booleans and None, such as
        state dicts of optimizers, schedulers and loaders; arrays on a GPU are copied to the CPU
    Raises TypeError, naming the place, for anything else; ImportError without the extra `safetensors`.
    """
    numpy_format = _safetensors()
    arrays: dict[str, Array] = {}
    text = json.dumps(_encoded(tree, "", arrays))
    target = Path(path)
    handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
    os.close(handle)
    try:
        numpy_format.save_file(arrays, temporary, metadata={_KEY: text})
        with open(temporary, "rb") as file:
            os.fsync(file.fileno())
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def load(path: str | os.PathLike[str]) -> Tree:
    """What `save` wrote, with Parameters as plain arrays; of another safetensors file, its arrays by name.

    Raises FileNotFoundError, ValueError for what is no safetensors file, ImportError without the extra `safetensors`.
    """
    _safetensors()
    from safetensors import SafetensorError, safe_open

    if not Path(path).exists():
        raise FileNotFoundError(f"there is no file {os.fspath(path)!r}")
    try:
        with safe_open(path, framework="numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no dict
            metadata = file.metadata() or {}
    except SafetensorError as error:
        raise ValueError(f"{os.fspath(path)!r} is no safetensors file: {error}") from None
    return _decoded(json.loads(metadata[_KEY]), arrays) if _KEY in metadata else arrays


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError:
        raise ImportError("checkpoints need safetensors: pip install 'srcgrad[safetensors]'") from None
    return safetensors.numpy


def _encoded(node: Tree, name: str, arrays: dict[str, Array]) -> Any:
    """The tree for JSON; its arrays go into `arrays`, under the way to them."""
    if node is None or type(node) in (bool, int, float, str):
        return node
    if isinstance(node, (Parameter, np.generic)) or is_array(node):
        name = name or "value"
        while name in arrays:  # the keys 1 and "1" lead to one name
            name += "'"
        arrays[name] = _storable(name, np.asarray(on_host(node.data if isinstance(node, Parameter) else node)))
        return {"array": name, "scalar": isinstance(node, np.generic)}
    if type(node).__name__ in _DICTS and type(node) is _DICTS[type(node).__name__]:
        pairs = [
            [_encoded(key, name, arrays), _encoded(value, _below(name, key), arrays)] for key, value in node.items()
        ]
        return {type(node).__name__: pairs}
    if type(node) in (list, tuple):
        items = [_encoded(item, _below(name, index), arrays) for index, item in enumerate(node)]
        return {type(node).__name__: items}
    raise TypeError(
        f"{name or 'the whole'} is a {type(node).__name__}, which a checkpoint does not hold: lists, tuples and "
        "dicts of arrays, numbers, strings, booleans and None"
    )


def _below(name: str, step: object) -> str:
    return f"{name}.{step}" if name else str(step)


def _storable(name: str, array: Array) -> Array:
    """In the order that safetensors writes: it takes the bytes as they lie, whatever their order."""
    if array.dtype.kind not in "fiub" or array.dtype.itemsize > 8:
        raise TypeError(f"{name} is an array of {array.dtype}, which safetensors does not hold")
    return np.array(array, dtype=array.dtype.newbyteorder("="), order="C", copy=None, subok=False)


def _decoded(node: Any, arrays: dict[str, Array]) -> Tree:
    if not isinstance(node, dict):
        return node
    if "array" in node:
        array = arrays[node["array"]]
        return array[()] if node["scalar"] else array
    ((kind, items),) = node.items()
    if kind in _DICTS:
        return _DICTS[kind]({_decoded(key, arrays): _decoded(value, arrays) for key, value in items})
    return (tuple if kind == "tuple" else list)(_decoded(item, arrays) for item in items)
