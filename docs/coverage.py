"""The page of functions that have a derivative, made from the rules: `python docs/coverage.py` writes it anew."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

import srcgrad.rules  # noqa: F401
from srcgrad.frontend.solvers import FAMILIES
from srcgrad.ir.primitive import Primitive, all_primitives, load_installed

PAGE = Path(__file__).with_name("coverage.md")

HEAD = """# Coverage

Every function that srcgrad differentiates, with the keywords that its rule looks at; any other keyword is an error.
Array methods (`x.sum(axis=0)`) and operators (`a @ b`) count as their functions, and a function under two names is
listed under one. Each works in reverse and in forward mode, and may be differentiated again. `python docs/coverage.py`
makes this page from the rules.

What has no derivative (comparisons, `np.argsort`, `np.zeros`) may be called as well, and is listed at the end.
"""

SOLVERS = """What a function that is passed reads may come by `args=`, from around it, or both. [Solvers](solvers.md)
shows what the gradients look like.
"""


OBJECTS = """## Sparse matrices, factorised ones and splines

| object | what is differentiated |
|---|---|
| matrices of `scipy.sparse` | `A @ x`, `x @ A`, `A.dot(x)`, `A.T`, `A.toarray()` |
| `scipy.sparse.csr_array`, `csc_array`, `coo_array`, `csr_matrix`, `csc_matrix`, `coo_matrix` | in `data`, of \
`(data, (rows, columns)), shape=(m, n)` |
| `scipy.sparse.linalg.spsolve`, `splu(A).solve` | in the right-hand side and the data; `trans` |
| `scipy.sparse.linalg.cg`, `gmres`, `bicgstab`, `minres` | the same; RuntimeError where they have not converged; \
`rtol`, `atol`, `maxiter`, `restart` |
| `scipy.linalg.cho_factor`, `cho_solve` | in the matrix (the gradient is symmetric, as the matrix is), in the \
factor, and in the right-hand side; `lower` |
| `scipy.linalg.lu_factor`, `lu_solve` | in the matrix, and in the right-hand side; `trans` |
| `scipy.interpolate.CubicSpline`, `make_interp_spline` | in values and places; `bc_type`, `k`, `nu` |
| `scipy.interpolate.interp1d` | in values; `kind` |
| `scipy.interpolate.BSpline` | in coefficients and places; `k`, `extrapolate`, `nu` |
| `scipy.interpolate.PchipInterpolator`, `Akima1DInterpolator`, `PPoly` | in places; `nu` |
"""


def page() -> str:
    """The whole page, as the rules are now."""
    load_installed()
    known = [prim for prim in all_primitives() if "." in prim.name]
    derived = [prim for prim in known if any(prim.partials)]
    constants = [prim for prim in known if prim.kind == "constant"]
    parts = [HEAD]
    for section in sorted({_section(prim) for prim in derived}, key=lambda name: (not name.startswith("np"), name)):
        parts += [f"## {section}", "", *_table([prim for prim in derived if _section(prim) == section]), ""]
    parts += ["## Functions that take functions", "", SOLVERS, *_families(), "", OBJECTS]
    parts += ["## Refused", "", "Of the calls that tests try, one for each keyword:", "", *_refused(), ""]
    parts += ["## Without a derivative", "", ", ".join(f"`{prim.name}`" for prim in constants)]
    return "\n".join(parts) + "\n"


def _families() -> Iterator[str]:
    yield "| function | keywords | derivative |"
    yield "|---|---|---|"
    for name, family in sorted(FAMILIES.items()):
        options = ", ".join(f"`{each}`" for each in sorted({"args", *family.functions, *family.options}))
        yield f"| `{name}` | {options} | {family.convention} |"


CALLS = PAGE.parents[1] / "tests" / "names"


def _refused() -> Iterator[str]:
    """The calls of NumPy's functions that are refused, as their tests have them."""
    yield "| call | the error says |"
    yield "|---|---|"
    for file in sorted(CALLS.glob("*.txt")):
        calls = [part for line in file.read_text().splitlines() for part in line.split(" ; ") if " -> " in part]
        for call, _, words in (part.partition(" -> ") for part in calls):
            call = re.sub(r"^[\w.]+: ", "", call.strip())
            words = words.replace("\\", "")
            yield f"| `{call}` | {words} |"


def _section(prim: Primitive) -> str:
    """The module; methods of ufuncs (np.add.reduce) are in one section."""
    owner = getattr(np, prim.module.removeprefix("np."), None)
    return "np: methods of ufuncs" if isinstance(owner, np.ufunc) else prim.module


def _table(prims: list[Primitive]) -> Iterator[str]:
    yield "| function | keywords | convention |"
    yield "|---|---|---|"
    for prim in sorted(prims, key=lambda prim: prim.name.lower()):
        options = ", ".join(f"`{name}`" for name in sorted({*prim.keywords, *prim.named}))
        yield f"| `{prim.name}` | {options} | {prim.convention} |"


if __name__ == "__main__":
    PAGE.write_text(page())
