"""A module's syntax tree in CuPy's spelling: `np` is `cp`, but for what is computed from Python's numbers alone."""

from __future__ import annotations

import ast

from .expressions import HOST

ALIAS = "cp"


def in_cupy(module: ast.Module) -> ast.Module:
    """The same text for arrays on the GPU. NumPy stays where it computes with Python's numbers."""
    taken = any(isinstance(node, ast.arg) and node.arg == ALIAS for node in ast.walk(module))
    alias = "cupy" if taken else ALIAS
    used: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and node.id in ("np", HOST):
            node.id = alias if node.id == "np" else "np"
            used.add(node.id)
    for node in ast.walk(module):
        _in_cupyx(node)
    body = [node for node in module.body if not _is_numpy(node)]
    place = next((k for k, node in enumerate(body) if not isinstance(node, (ast.Import, ast.ImportFrom))), 0)
    imports = [(alias, ast.alias("cupy", alias if alias != "cupy" else None)), ("np", ast.alias("numpy", "np"))]
    body[place:place] = [ast.Import([imported]) for name, imported in imports if name in used]
    return ast.Module(body, [])


def _in_cupyx(node: ast.AST) -> None:
    """scipy.special is cupyx.scipy.special, in imports and in calls."""
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("scipy"):
        node.module = f"cupyx.{node.module}"
    elif isinstance(node, ast.Import) and node.names[0].name.startswith("scipy"):
        node.names = [ast.alias(f"cupyx.{each.name}", each.asname) for each in node.names]
    elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "scipy":
        node.value = ast.Attribute(ast.Name("cupyx", ast.Load()), "scipy", ast.Load())


def _is_numpy(node: ast.stmt) -> bool:
    return isinstance(node, ast.Import) and node.names[0].name == "numpy"
