"""Objects of one kind: of one class, whose attributes are of the same types and hold objects of one kind again.

Methods of such objects are likely to be read as the same text. The texts are compared then, so this need not be exact.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..runtime.signature import is_instance, slots_of
from .state import Key

INSTANCE = "instance"  # marks an object in a key: ("instance", the object's id, the way to it)
_LONG = 64  # items: what a longer list holds is not looked at


def kind_of(key: Key, objects: dict[int, Any]) -> Key:
    """A call's key with the kinds of objects in place of the objects, which are given by their ids."""
    if len(key) == 4 and key[0] is INSTANCE:
        return ("kind", hash(structure(objects[key[1]], {})))
    return tuple(kind_of(each, objects) if isinstance(each, tuple) else each for each in key)


def structure(thing: Any, seen: dict[int, int]) -> Any:
    """What a thing is made of; numbers and strings by their types, what is met again by its place."""
    if isinstance(thing, (bool, type(None))):
        return thing
    if isinstance(thing, (int, float, complex, str, bytes, np.generic)):
        return type(thing)
    if id(thing) in seen:
        return ("again", seen[id(thing)])
    seen[id(thing)] = len(seen)
    if hasattr(thing, "requires_grad"):
        return ("parameter", structure(thing.data, seen))
    if isinstance(thing, np.ndarray):
        return ("array", thing.dtype.str, tuple(n == 1 for n in thing.shape))
    if isinstance(thing, (list, tuple, dict)):
        items = thing.items() if isinstance(thing, dict) else enumerate(thing)
        parts = [(key, structure(each, seen)) for key, each in items] if len(thing) <= _LONG else [("", len(thing))]
        return (type(thing), *parts)
    if not is_instance(thing):
        return id(thing) if callable(thing) else type(thing)
    held = dict(getattr(thing, "__dict__", {}))
    held |= {name: getattr(thing, name) for name in slots_of(type(thing)) if hasattr(thing, name)}
    return (type(thing), *((name, structure(each, seen)) for name, each in held.items()))
