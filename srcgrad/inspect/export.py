"""A compiled gradient as a module of its own, which imports NumPy alone and can be committed, read and diffed."""

from __future__ import annotations

import ast
import builtins
import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..dispatch import Specialisation
from ..errors import GradTypeError
from ..runtime.captures import Route, follow
from ..runtime.device import is_array, namespace_of
from ..runtime.signature import ArraySpec, DictSpec, NumberSpec, SequenceSpec, Spec, StaticSpec
from ..runtime.source import find_source

if TYPE_CHECKING:
    from ..api import Gradient

_WIDTH = 88


def export_text(gradient: Gradient[..., Any], values: Sequence[Any]) -> str:
    """The module's text: the value, the gradient, both, and the forward and backward halves, for one signature.

    The same function and signature give the same text. Raises GradTypeError where the code would need an object that
    no module can hold, such as a random generator that the function takes from outside.
    """
    made = {mode: gradient.compiled(mode, values) for mode in ("value", "grad", "value_and_grad", "split")}
    whole, name = made["grad"], gradient.function.__name__
    routes = {unique: route for each in made.values() for route, unique in each.captures.items()}
    captured = {unique: follow(gradient._python, route) for unique, route in routes.items()}
    _refuse_objects(gradient, whole)
    module = _Module(whole, captured)
    halves = made["split"]
    functions = [
        module.function(made["value"].texts[0], f"The value of {name}."),
        module.function(whole.texts[0], f"The gradient of {name}.", _gradient_type(gradient, whole)),
        module.function(made["value_and_grad"].texts[0], f"The value of {name}, and its gradient.", "tuple"),
        module.function(halves.texts[0], f"The value of {name}, and what the backward half needs.", "tuple"),
        module.function(
            halves.texts[1], "The gradients as a tuple, from what the forward half saved.", "tuple", takes=False
        ),
    ]
    imports = sorted({line for text in _texts(made.values()) for line in text.splitlines() if _is_import(line)})
    parts = [module.header(gradient), "\n".join(imports), *module.helpers.values(), *functions, *module.check()]
    return parts[0] + "\n\n" + "\n\n\n".join(part for part in parts[1:] if part) + "\n"


def _texts(made: Iterable[Specialisation]) -> list[str]:
    return [text for each in made for text in each.texts]


def _is_import(line: str) -> bool:
    return line.startswith(("import ", "from "))


def _refuse_objects(gradient: Gradient[..., Any], made: Specialisation) -> None:
    for name, spec in made.specs.items():
        if not isinstance(spec, (ArraySpec, NumberSpec, StaticSpec, SequenceSpec, DictSpec)):
            raise GradTypeError(
                f"`{gradient.function.__qualname__}` cannot be exported: `{name}` is of type {spec}, which a module of "
                "plain NumPy does not know. Pass its arrays."
            )


def _described(spec: Spec) -> str:
    match spec:
        case ArraySpec(dtype=dtype, ones=ones, namespace=namespace):
            axes = ", ".join("1" if one else ":" for one in ones)
            return f"{'CuPy ' if namespace == 'cupy' else ''}array of {_dtype(dtype)} [{axes}]"
        case NumberSpec(dtype=dtype, python=python):
            return str(spec) if python else f"NumPy scalar of {_dtype(dtype)}"
        case StaticSpec():
            return f"{spec} and nothing else"
    return str(spec)


def _dtype(text: str) -> str:
    return np.dtype(text).name


class _Module:
    """What the functions of one exported module share."""

    def __init__(self, made: Specialisation, captured: Mapping[str, Any]):
        self.made, self.captured = made, captured
        self.helpers: dict[str, str] = {}  # functions that the gradients call, by name
        self.wrong = [test for name, spec in made.specs.items() for test in _mismatch(name, spec)]
        for route, value in made.statics.items():
            if route and route[0][0] == "arg" and isinstance(value, (int, float, str)):
                self.wrong.append(f"{_argument(route)} != {value!r}")
        self.wrong += [g.replace(" == ", " != ") if " == " in g else f"not {g}" for g in made.guards]

    def header(self, gradient: Gradient[..., Any]) -> str:
        """The module's docstring: where it comes from, what it takes."""
        function, file = gradient.function, Path(find_source(gradient._python).file.name).name
        wrt = ", ".join(dict.fromkeys(name for name, _ in gradient.wrt))
        lines = [f'"""The gradient of `{function.__qualname__}` in {file} with respect to {wrt}, by srcgrad.', ""]
        lines += ["Arguments:", *(f"    {name} : {_described(spec)}" for name, spec in self.made.specs.items())]
        lines += [f"    {name} : {_captured(value)}" for name, value in self.captured.items()]
        if self.made.guards:
            lines += ["", *textwrap.wrap(f"Requires {', '.join(self.made.guards)}.", _WIDTH)]
        return "\n".join([*lines, '"""'])

    def function(self, text: str, title: str, returns: str | None = None, takes: bool = True) -> str:
        """One function with annotations and a docstring; `takes` says whether it takes the user's arguments."""
        text = "\n".join(line for line in text.splitlines() if not _is_import(line)).strip("\n")
        text = self._with_helpers_apart(text)
        (node,) = (each for each in ast.parse(text).body if isinstance(each, ast.FunctionDef))
        body = text.splitlines()[node.body[0].lineno - 1 - _comments_above(text, node) :]
        call = [f"    _check({', '.join(self._checked())})"] if takes and self.wrong else []
        signature = self._signature(node.args) if takes else [a.arg for a in node.args.args]
        return "\n".join([_header(node.name, signature, returns), f'    """{title}"""', *call, *body])

    def _with_helpers_apart(self, text: str) -> str:
        """The text's own function; those that it calls go into `helpers`, under names that no other has."""
        *before, _ = (each for each in ast.parse(text).body if isinstance(each, ast.FunctionDef))
        if not before:
            return text
        lines, last = text.splitlines(), before[-1].end_lineno or 0
        for node in before:
            name, number = node.name, 1
            while self.helpers.get(name, source := _renamed(_source(node, lines), node.name, name)) != source:
                number += 1
                name = f"{node.name}_{number}"
            self.helpers[name] = source
            lines = _renamed("\n".join(lines), node.name, name).split("\n")
        return "\n".join(lines[last:]).strip("\n")

    def check(self) -> list[str]:
        """The function that refuses what these texts would be silently wrong for."""
        if not self.wrong:
            return []
        names, test = self._checked(), f"    if {' or '.join(self.wrong)}:"
        if len(test) > _WIDTH:
            conditions = "\n        or ".join(self.wrong)
            test = f"    if (\n        {conditions}\n    ):"
        return [
            f"def _check({', '.join(names)}):\n"
            '    """Raise ValueError for arguments that this module was not made for."""\n'
            f"{test}\n"
            '        raise ValueError("arguments of another form than this module is for")'
        ]

    def _checked(self) -> list[str]:
        """The arguments that the check reads."""
        read = {n.id for test in self.wrong for n in ast.walk(ast.parse(test)) if isinstance(n, ast.Name)}
        return [name for name in (*self.made.specs, *self.captured) if name in read]

    def _signature(self, arguments: ast.arguments) -> list[str]:
        """The parameters, annotated; captured numbers have the value of now as their default."""
        plain = [*arguments.posonlyargs, *arguments.args]
        defaults: list[ast.expr | None] = [*[None] * (len(plain) - len(arguments.defaults)), *arguments.defaults]
        found = []
        for argument, default in zip(plain, defaults):
            found.append(self._parameter(argument.arg, None if default is None else ast.unparse(default)))
            if arguments.posonlyargs and argument is arguments.posonlyargs[-1]:
                found.append("/")
        if arguments.vararg is not None:
            found.append(f"*{arguments.vararg.arg}")
        elif arguments.kwonlyargs:
            found.append("*")
        for argument, default in zip(arguments.kwonlyargs, arguments.kw_defaults):
            text = None if default is None else ast.unparse(default)
            value = self.captured.get(argument.arg)
            found.append(self._parameter(argument.arg, repr(value) if type(value) in (int, float) else text))
        return found

    def _parameter(self, name: str, default: str | None) -> str:
        kind = _annotation(self.made.specs[name]) if name in self.made.specs else _annotation_of(self.captured[name])
        return f"{name}: {kind}" + (f" = {default}" if default is not None else "")


def _source(node: ast.FunctionDef, lines: Sequence[str]) -> str:
    first = min([node.lineno, *(each.lineno for each in node.decorator_list)])
    return "\n".join(lines[first - 1 : node.end_lineno])


def _renamed(text: str, old: str, new: str) -> str:
    return text if old == new else re.sub(rf"\b{re.escape(old)}\b", new, text)


def _header(name: str, parameters: Sequence[str], returns: str | None) -> str:
    end = f" -> {returns}:" if returns else ":"
    line = f"def {name}({', '.join(parameters)}){end}"
    if len(line) <= _WIDTH:
        return line
    return "\n".join([f"def {name}(", *(f"    {each}," for each in parameters), f"){end}"])


def _comments_above(text: str, node: ast.FunctionDef) -> int:
    """How many comment lines stand between the header and the first statement."""
    lines, first = text.splitlines(), node.body[0].lineno - 1
    count = 0
    while lines[first - 1 - count].lstrip().startswith("#"):
        count += 1
    return count


def _captured(value: Any) -> str:
    array = f"array of {value.dtype.name} {list(value.shape)}" if is_array(value) else ""
    return f"{array or type(value).__name__}, which the function reads from around it"


def _annotation_of(value: Any) -> str:
    """The value's type, as a module that imports NumPy alone (or CuPy) can name it."""
    if is_array(value):
        return f"{'np' if namespace_of(value) is np else 'cp'}.ndarray"
    kind = type(value)
    homes = {"": builtins, "np.": np, "np.random.": np.random}
    return next((f"{path}{kind.__name__}" for path, home in homes.items() if kind in vars(home).values()), "object")


def _mismatch(name: str, spec: Spec) -> list[str]:
    match spec:
        case ArraySpec(ones=ones):
            shape = [f"{name}.shape[{axis}] != 1" for axis, one in enumerate(ones) if one]
            return [f"{name}.ndim != {len(ones)}", *shape]
        case StaticSpec(value=value):
            return [f"{name} is not {value!r}" if value is None or isinstance(value, bool) else f"{name} != {value!r}"]
        case SequenceSpec(items=items):
            inner = [test for i, item in enumerate(items) for test in _mismatch(f"{name}[{i}]", item)]
            return [f"len({name}) != {len(items)}", *inner]
        case DictSpec(keys=keys, items=items):
            return [test for key, item in zip(keys, items) for test in _mismatch(f"{name}[{key!r}]", item)]
    return []


def _argument(route: Route) -> str:
    (_, text), *rest = route
    for kind, key in rest:
        text += f".{key}" if kind == "attr" else f"[{key!r}]"
    return str(text)


def _annotation(spec: Spec) -> str:
    match spec:
        case ArraySpec(namespace=namespace):
            return "np.ndarray" if namespace == "numpy" else "cp.ndarray"
        case NumberSpec(python=True):
            return str(spec)
        case NumberSpec():
            return "np.number"
        case StaticSpec(value=None):
            return "None"
        case StaticSpec(value=value):
            return type(value).__name__
        case SequenceSpec(type=kind):
            return kind.__name__
        case DictSpec():
            return "dict"
    return "object"


def _gradient_type(gradient: Gradient[..., Any], made: Specialisation) -> str:
    kinds = []
    for name, path in gradient.wrt:
        spec = made.specs[name]
        for step in path or ():
            assert isinstance(spec, SequenceSpec)
            spec = spec.items[int(step)]
        kinds.append(_annotation(spec))
    return kinds[0] if gradient.single else f"tuple[{', '.join(kinds)}]"
