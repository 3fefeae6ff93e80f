"""IR to Python text: readable, deterministic, needing NumPy alone, or CuPy for arrays on a GPU."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import NOWHERE, Origin
from ..ir.dims import Facts
from ..ir.nodes import Atom, Function, Op, Rebuilt, Value
from .codegen import Codegen, arguments
from .cupy import ALIAS, in_cupy
from .expressions import Expressions
from .fold import fold, operands
from .fusing import Fuser, Kernels
from .libraries import choose, statement
from .liveness import Liveness, Memory
from .names import Naming
from .printer import print_module
from .returning import needed_modules
from .statements import Scheduler
from .versions import read_newest, without_same

# spelled wherever they are read, of no line in particular
_IN_PASSING = {"np.transpose", "shape_of", "dim", "constant"}


@dataclass(frozen=True)
class Emitted:
    """A function's text, for its lines the user's places they stem from, and what values are called in it.

    ops : by the line's number, every op that the line spells, those folded into it too
    """

    text: str
    name: str
    origins: dict[int, Origin]
    names: Mapping[Value, str] = field(default_factory=dict)
    ops: Mapping[int, tuple[Op, ...]] = field(default_factory=dict)

    def places(self, number: int) -> list[Origin]:
        """The user's places that a line computes or differentiates, without what is only spelled in passing."""
        ops = [op for op in self.ops.get(number, ()) if op.origin.file]
        own = [op for op in ops if op.prim.name not in _IN_PASSING] or ops
        return list(dict.fromkeys(op.origin for op in own)) or [o for o in [self.origins.get(number)] if o]


def emit(function: Function, facts: Facts, helpers: Sequence[tuple[Function, Facts]] = ()) -> Emitted:
    """Print one function, after the helpers that it calls. Assumes verified IR; guarantees text that computes the same
    and imports NumPy alone, and SciPy for its own functions; for a function on the GPU, CuPy in NumPy's place.
    """
    imported: dict[str, str] = {}
    kernels: Kernels = {}
    nodes = [_definition(helper, known, imported, kernels)[0] for helper, known in helpers]
    node, names = _definition(function, facts, imported, kernels)
    module = _module([*kernels.values(), *nodes, node], needed_modules(function.result), imported)
    text, lines = print_module(in_cupy(module) if _on_device(function) else module)
    origins = {n: origin for n, each in lines.items() if (origin := getattr(each, "origin", NOWHERE)).file}
    return Emitted(text, function.name, origins, names, {n: getattr(each, "ops", ()) for n, each in lines.items()})


def _on_device(function: Function) -> bool:
    return function.notes.get("namespace") == "cupy"


def _definition(
    function: Function, facts: Facts, imported: dict[str, str], kernels: Kernels
) -> tuple[ast.FunctionDef, Mapping[Value, str]]:
    """One function as syntax, and what its values are called.

    `imported` grows by the libraries that the function needs, `kernels` by the fused functions that it calls.
    """
    several = isinstance(function.result, (tuple, list, dict, Rebuilt)) and len(function.body.results) > 1
    function = read_newest(without_same(function))
    folding = fold(function, several)
    scheduler = Scheduler(function, folding, facts)
    block = scheduler.run()

    def reads(atoms: Iterable[Atom]) -> dict[Value, None]:
        found: dict[Value, None] = {}
        for atom in atoms:
            op = folding.op(atom)
            if op is not None:
                found.update(reads(operands(op)))
                if op in scheduler.shapes:
                    found.update(dict.fromkeys(scheduler.shapes[op].reads))
            elif isinstance(atom, Value):
                found[atom] = None
        return found

    liveness = Liveness(reads)
    params = frozenset(p.value for p in function.params)
    at_start = liveness.block(block, frozenset())
    liveness._defines([p.value for p in function.params if not p.path], (at_start & params) | frozenset())
    naming = Naming(function, folding, liveness.conflicts, scheduler.source, scheduler.groups, scheduler.items)
    naming.taken |= needed_modules(function.result) | ({ALIAS} if _on_device(function) else set())
    naming.coalesce(block)
    names = naming.assign(block)
    modules = choose(function, {*names.values(), *naming.taken}, imported)
    imported.update((spelling, module) for module, spelling in modules.items())
    fuser = Fuser(folding, kernels, {*names.values(), *naming.taken}) if _on_device(function) else None
    expressions = Expressions(folding, names, scheduler.shapes, facts, modules, fuser)
    body = Codegen(function, expressions, Memory(function)).block(block)
    signature = function.notes.get("signature") or [
        (name, "plain", None) for name in dict.fromkeys(p.name for p in function.params if not p.capture)
    ]
    captured = list(dict.fromkeys(p.name for p in function.params if p.capture))
    node = ast.FunctionDef(function.name, arguments(signature, captured), body, [], None, None)
    if hasattr(node, "type_params") or "type_params" in ast.FunctionDef._fields:
        node.type_params = []  # type: ignore[attr-defined,unused-ignore]
    return node, names


def _module(nodes: Sequence[ast.FunctionDef], needed: set[str], imported: Mapping[str, str]) -> ast.Module:
    used = {n.id for node in nodes for n in ast.walk(node) if isinstance(n, ast.Name)}
    imports: list[ast.stmt] = [ast.Import([ast.alias(module, None)]) for module in sorted(needed)]
    if "math" in used:
        imports.append(ast.Import([ast.alias("math", None)]))
    if "np" in used:
        imports.append(ast.Import([ast.alias("numpy", "np")]))
    imports += [statement(module, spelling) for spelling, module in sorted(imported.items(), key=lambda item: item[1])]
    return ast.Module([*imports, *nodes], [])
