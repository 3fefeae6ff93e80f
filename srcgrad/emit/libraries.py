"""Which libraries the text imports beside NumPy, and under which names."""

from __future__ import annotations

import ast
from collections.abc import Collection, Mapping

from ..ir.nodes import Function, walk

_SPARSE = ("sparse_solve", "sparse_iterate")


def choose(function: Function, taken: Collection[str], imported: Mapping[str, str]) -> dict[str, str]:
    """Modules of other libraries, and how calls spell them: as the user did, where no variable has that name.

    `imported` are the names in use already, by other functions of the same text, and the modules that have them.
    """
    written: Mapping[str, str] = function.notes.get("modules", {})
    names = {*taken, *(param.name for param in function.params)}
    used = {"scipy.sparse.linalg" for op in walk(function.body.ops) if op.prim.name in _SPARSE}
    used |= {"scipy.linalg" for op in walk(function.body.ops) if op.prim.name in ("factor_solve", "cho_solve")}
    used |= {op.attrs.get("module", op.prim.module) for op in walk(function.body.ops)}
    chosen: dict[str, str] = {}
    for module in sorted(used):
        if not module or module.split(".")[0] in ("np", "math"):
            continue
        last = module.rpartition(".")[2]
        ways = (written.get(module, last), last, module, module.replace(".", "_"))
        free = (way for way in ways if way.split(".")[0] not in names and imported.get(way, module) == module)
        chosen[module] = next(way for way in free if way not in chosen.values())
    return chosen


def statement(module: str, spelling: str) -> ast.stmt:
    """`import scipy.special`, `from scipy import special` or `import scipy.special as sp`."""
    package, _, last = module.rpartition(".")
    if spelling == module:
        return ast.Import([ast.alias(module, None)])
    if spelling == last:
        return ast.ImportFrom(package, [ast.alias(last, None)], 0)
    return ast.Import([ast.alias(module, spelling)])
