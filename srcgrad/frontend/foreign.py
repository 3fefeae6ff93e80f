"""Calls of functions that nobody can differentiate, such as `logging.info` and `time.perf_counter`: they pass through.

They happen once, in order, in the forward sweep, as the user wrote them. Where the result is used, its type must be
known: of a few functions it is, of others the user says it, `k: float = f(...)` or `float(f(...))`. They have no
derivative: reverse mode refuses where one is needed.
"""

from __future__ import annotations

import ast
import sys
import sysconfig
import types
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from ..errors import Unsupported
from ..ir.types import BOOL, FLOAT, INT, Type
from ..rules.effects import FOREIGN, SLOT
from .effects import slot
from .values import BoundMethod

if TYPE_CHECKING:
    from .calls import Calls

_CASTS: dict[Any, Type] = {float: FLOAT, int: INT, bool: BOOL}
_READ = {"numpy", "scipy", "math", "operator", "functools", "itertools", "builtins"}  # their rules say what is known
_FLOATS = {"time.time", "time.perf_counter", "time.monotonic", "time.process_time", "time.thread_time", "random.random"}
_INTEGERS = {"time.time_ns", "time.perf_counter_ns", "time.monotonic_ns", "time.process_time_ns", "os.getpid"}


@lru_cache(maxsize=256)
def in_standard_library(module: str) -> bool:
    """Whether a module comes with Python, and is no user's module of the same name."""
    if module.split(".")[0] not in sys.stdlib_module_names:
        return False
    file = getattr(sys.modules.get(module), "__file__", None)
    return file is None or file.startswith(sysconfig.get_path("stdlib"))


def is_foreign(function: Any) -> bool:
    """Whether a function comes with Python, or with another library as machine code."""
    owner = type(getattr(function, "__self__", None))
    module = getattr(function, "__module__", None) or owner.__module__
    if module.split(".")[0] in _READ:
        return False
    if isinstance(function, (types.FunctionType, types.MethodType)):
        return in_standard_library(module)
    return isinstance(function, (types.BuiltinFunctionType, types.BuiltinMethodType))


def call(c: Calls, node: ast.Call, function: Any, cast: Any = None) -> Any:
    """The call as it stands; `cast` is float, int or bool where the user says that it gives one."""
    module, name = _home(c, node, function)
    if any(isinstance(arg, ast.Starred) for arg in node.args) or any(k.arg is None for k in node.keywords):
        raise Unsupported("a call that passes through with `*` or `**`", "Write its arguments out.")
    inputs: list[Any] = []
    parts = [slot(c.ev(arg), inputs) for arg in node.args]
    keywords = [ast.keyword(k.arg, slot(c.ev(k.value), inputs)) for k in node.keywords]
    target = ast.Attribute(ast.Name(f"{SLOT}{len(inputs)}", ast.Load()), name, ast.Load())
    template: ast.expr = ast.Call(target, parts, keywords)
    full = f"{module}.{name}"
    if node is c.discarded:
        kinds: tuple[Type, ...] = ()
    elif cast is not None:
        template = ast.Call(ast.Name(cast.__name__, ast.Load()), [template], [])
        kinds = (_CASTS[cast],)
    elif full in _FLOATS or full in _INTEGERS:
        kinds = (FLOAT if full in _FLOATS else INT,)
    else:
        raise Unsupported(
            f"the type of what `{ast.unparse(node.func)}` returns is not known when compiling",
            f"Say what it is, `k: float = {ast.unparse(node.func)}(...)`, or call it before, and pass its result. "
            "A function that is to be differentiated needs a rule: `srcgrad.rule(f)`.",
        )
    c.modules.setdefault(module, ast.unparse(node.func).removesuffix(f".{name}"))
    return c.apply(FOREIGN, inputs, {"template": template, "types": kinds, "module": module, "name": full})


def _home(c: Calls, node: ast.Call, function: Any) -> tuple[str, str]:
    """The module and the name that a function is found under."""
    if isinstance(node.func, ast.Attribute):
        owner = c.ev(node.func.value)
        if isinstance(owner, types.ModuleType):
            return owner.__name__, node.func.attr
    module, name = getattr(function, "__module__", None) or "", getattr(function, "__name__", "")
    if getattr(sys.modules.get(module), name, None) is not function:
        raise Unsupported(
            f"`{ast.unparse(node.func)}` cannot be found in a module", "Call it as `module.function(...)`."
        )
    return module, name


def cast_of(c: Calls, node: ast.expr | None) -> Any:
    """float, int or bool, where an annotation or a function says so."""
    kind = c.ev(node) if isinstance(node, ast.Name) else None
    return kind if isinstance(kind, type) and kind in _CASTS else None


def foreign_call(c: Calls, node: ast.AST | None) -> Any:
    """The function that an expression calls, if it is one that passes through."""
    if not isinstance(node, ast.Call) or not isinstance(node.func, (ast.Name, ast.Attribute)):
        return None
    function = c.ev(node.func)
    return function if not isinstance(function, BoundMethod) and c.passes_through(function) else None
