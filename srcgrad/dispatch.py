"""From a call's arguments to the specialisation that serves them: in memory, then on disk, then compiled.

A specialisation is entered through a small generated function that checks its signature and guards and calls it:

    def enter(_f, x, w):
        reg = _f.__globals__.get('reg')
        if _type(x) is _ndarray and ... and x.shape[1] == w.shape[0]:
            return _run(x, w, reg=reg)
        return _miss
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache, partial
from pathlib import Path as FilePath
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np

from .custom import Checkpoint, Rule
from .errors import GradTypeError, InternalError, SourceNotFound, SrcgradError
from .request import Request
from .runtime.cache import DISK, Entry
from .runtime.captures import MISSING, Route, follow, route_text
from .runtime.leaves import Place, places
from .runtime.load import explain_failure, load
from .runtime.overlap import apart
from .runtime.placement import placement
from .runtime.signature import (
    ArraySpec,
    FunctionSpec,
    InstanceSpec,
    NumberSpec,
    OpaqueSpec,
    Path,
    Spec,
    UnknownArgument,
    Wanted,
    describe,
    differentiated,
    leaves,
    path_text,
    predicate,
)
from .runtime.source import Source, find_source

if TYPE_CHECKING:
    from .pipeline import Compiled

MISS = object()


@dataclass(repr=False)
class Specialisation:
    """One compiled signature: its source, its functions, and how a call enters it."""

    texts: tuple[str, ...]
    functions: tuple[Callable[..., Any], ...]
    enter: Callable[..., Any]
    signature: str
    lines: Mapping[str, Mapping[int, str]]  # generated file -> line -> the user's lines, as `file:number: text`
    captures: Mapping[Route, str]
    origin: str = "compiled"  # or "disk"
    seconds: Mapping[str, float] = field(default_factory=dict)
    specs: Mapping[str, Spec] = field(default_factory=dict)
    statics: Mapping[Route, Any] = field(default_factory=dict)
    guards: Sequence[str] = ()
    file: FilePath | None = None  # its entry on disk, there or not
    when: datetime = field(default_factory=datetime.now)

    @property
    def files(self) -> tuple[str, ...]:
        """Where debuggers, profilers and coverage see the text of each function."""
        return tuple(function.__code__.co_filename for function in self.functions)

    def __repr__(self) -> str:
        names = " and ".join(function.__name__ for function in self.functions)
        took = f" in {1e3 * sum(self.seconds.values()):.0f} ms" if self.origin == "compiled" else ""
        how = "compiled" if self.origin == "compiled" else "read from disk"
        return f"<{names}({self.signature}), {how} at {self.when:%Y-%m-%d %H:%M:%S}{took}, {' and '.join(self.files)}>"


class Dispatcher:
    """All specialisations of one function for one set of differentiated leaves and one mode."""

    def __init__(self, request: Request):
        self.request = request
        self.names = tuple(name for name, _, _ in request.signature)
        self.specialisations: list[Specialisation] = []
        self.entries: tuple[Callable[..., Any], ...] = ()
        self._latest: Callable[..., Any] | None = None
        self._lock = RLock()

    def __call__(self, values: Sequence[Any]) -> Any:
        """Call with one value for each parameter, in the signature's order."""
        function = self.request.function
        try:
            for enter in self.entries:
                result = enter(function, *values)
                if result is not MISS:
                    self._latest = enter
                    return result
            self._latest = enter = self.find(values).enter
            result = enter(function, *values)
            if result is MISS:  # a promise broken, unless another thread has changed what the function reads
                raise InternalError(f"`{function.__qualname__}`: a fresh compilation does not accept its own call")
            return result
        except SrcgradError:
            raise
        except Exception as error:
            self._explain(error)
            raise

    @property
    def latest(self) -> Specialisation | None:
        """The specialisation that served the last call, or was last compiled."""
        used = (each for each in self.specialisations if each.enter is self._latest)
        return next(used, self.specialisations[0] if self.specialisations else None)

    def find(self, values: Sequence[Any]) -> Specialisation:
        """The specialisation that serves these arguments, compiled if there is none."""
        with self._lock:
            function = self.request.function
            for known in self.specialisations:
                if _accepts(known, function, values):
                    self._latest = known.enter
                    return known
            specs = self.describe(values)
            _check_wrt(self.request, specs)
            key = _key(self.request, specs)
            made, variant = self._from_disk(key, specs, values)
            if made is None:
                made = self._compile(f"{key[:-2]}{variant:02x}", specs, values)
            made.file = DISK.path_of(f"{key[:-2]}{variant:02x}")
            self.specialisations.insert(0, made)
            self._latest = made.enter
            self.entries = tuple(each.enter for each in self.specialisations)
            return made

    def describe(self, values: Sequence[Any]) -> dict[str, Spec]:
        """The signature of a call. Raises GradTypeError for an argument that no gradient can take."""
        specs = {}
        home = places(dict(zip(self.names, values)))
        for name, value in zip(self.names, values):
            try:
                specs[name] = describe(value, self._wanted(name), (), partial(_at_home, home, name))
            except UnknownArgument as error:
                raise GradTypeError(
                    f"argument `{name}` of `{self.request.function.__qualname__}` is {error.args[0]}, which a compiled "
                    f"gradient cannot take. {error.way_out}"
                ) from None
        placement(self.request.function.__qualname__, specs)
        return specs

    def _wanted(self, name: str) -> Wanted:
        """Which leaves of an argument are differentiated, for the objects in it."""
        paths = [path for each, path in self.request.wrt if each == name]
        return None if not paths else True if None in paths else frozenset(path for path in paths if path is not None)

    def _compile(self, key: str, specs: dict[str, Spec], values: Sequence[Any]) -> Specialisation:
        example = dict(zip(self.names, values))
        request = replace(self.request, specs=specs)
        from .pipeline import compile_function  # the compiler is imported when something must be compiled

        compiled = compile_function(request, example)
        meta = _meta(compiled, request)
        texts = tuple(each.text for each in compiled.emitted)
        if meta is not None:
            DISK.put(key, Entry(_SEPARATOR.join(texts), meta))
        captures = {route: unique for route, (unique, _) in compiled.lowered.captures.items()}
        capture_specs = dict(compiled.lowered.captures.values())
        guards = _guards(compiled)
        names = tuple(each.name for each in compiled.emitted)
        lines = _places(compiled)
        return self._build(
            request.specs,
            texts,
            names,
            lines,
            captures,
            capture_specs,
            compiled.lowered.statics,
            guards,
            compiled.seconds,
            written=_written(compiled),
        )

    def _from_disk(self, key: str, specs: dict[str, Spec], values: Sequence[Any]) -> tuple[Specialisation | None, int]:
        """A stored specialisation whose captures, code and guards are what they are now; else the next free number."""
        for variant in range(16):
            entry = DISK.get(f"{key[:-2]}{variant:02x}")
            if entry is None:
                return None, variant
            try:
                made = self._revive(entry, specs, dict(zip(self.names, values)))
            except (KeyError, TypeError, ValueError, SyntaxError, AttributeError):
                return None, variant
            if made is not None and _accepts(made, self.request.function, values):
                return made, variant
        return None, 0

    def _revive(self, entry: Entry, specs: dict[str, Spec], arguments: Mapping[str, Any]) -> Specialisation | None:
        meta, function = entry.meta, self.request.function
        captures: dict[Route, str] = {}
        capture_specs: dict[str, Spec] = {}
        for steps, unique, text in meta["captures"]:
            route = _route(steps)
            value = follow(function, route, arguments)
            if value is MISSING:
                return None
            spec = describe(value)
            if str(spec) != text:
                return None
            captures[route], capture_specs[unique] = unique, spec
        statics: dict[Route, Any] = {}
        for steps, print_ in meta["statics"]:
            route = _route(steps)
            statics[route] = follow(function, route, arguments)
            if statics[route] is MISSING or fingerprint(statics[route]) != print_:
                return None
        lines = [{int(n): text for n, text in part.items()} for part in meta["lines"]]
        texts = tuple(entry.text.split(_SEPARATOR))
        return self._build(
            specs,
            texts,
            tuple(meta["names"]),
            lines,
            captures,
            capture_specs,
            statics,
            meta["guards"],
            {},
            "disk",
            meta["written"],
        )

    def _build(
        self,
        specs: Mapping[str, Spec],
        texts: tuple[str, ...],
        names: tuple[str, ...],
        lines: Sequence[Mapping[int, str]],
        captures: Mapping[Route, str],
        capture_specs: Mapping[str, Spec],
        statics: Mapping[Route, Any],
        guards: Sequence[str],
        seconds: Mapping[str, float],
        origin: str = "compiled",
        written: Sequence[str] = (),
    ) -> Specialisation:
        functions = tuple(load(text, name)[name] for text, name in zip(texts, names))
        enter = _entrance(self.request, specs, functions, captures, capture_specs, statics, guards, written)
        files = {function.__code__.co_filename: part for function, part in zip(functions, lines)}
        signature = ", ".join(f"{name}: {spec}" for name, spec in specs.items())
        return Specialisation(
            texts, functions, enter, signature, files, captures, origin, seconds, specs, statics, guards
        )

    def _explain(self, error: Exception) -> None:
        for specialisation in self.specialisations:
            for file, lines in specialisation.lines.items():
                explain_failure(error, lines, file)


_SEPARATOR = "\n\n# --- backward ---\n\n"


def _accepts(specialisation: Specialisation, function: Any, values: Sequence[Any]) -> bool:
    check = specialisation.enter.__globals__["accepts"]
    return bool(check(function, *values))


def _entrance(
    request: Request,
    specs: Mapping[str, Spec],
    functions: Sequence[Callable[..., Any]],
    captures: Mapping[Route, str],
    capture_specs: Mapping[str, Spec],
    statics: Mapping[Route, Any],
    guards: Sequence[str],
    written: Sequence[str],
) -> Callable[..., Any]:
    """The generated function that checks a call and makes it; `accepts`, beside it, checks alone.

    Where the function writes into an argument, the call is made only if no other argument shares its memory.
    """
    constants: dict[str, Any] = {
        "_ndarray": np.ndarray, "_type": type, "_len": len, "_tuple": tuple, "_miss": MISS, "_run": functions[0],
        "_rest": functions[1:], "_apart": apart, "_default": lambda f, name: follow(f, (("default", name),)),
    }  # fmt: skip
    fetched = {route: unique for route, unique in captures.items() if unique.isidentifier()}  # not `self.w`
    tests: list[str] = []
    for number, (route, thing) in enumerate(statics.items()):
        constants[f"_s{number}"] = thing
        same = "==" if type(thing) in (str, int, float, bytes) else "is"
        tests += [f"_type({route_text(route)}) is {type(thing).__name__}"] if same == "==" else []
        tests.append(f"{route_text(route)} {same} _s{number}")
    known = {path_text(name, path): leaf for name, spec in specs.items() for path, leaf in leaves(spec)}
    unchecked = {name: spec for name, spec in capture_specs.items() if known.get(name) != spec}
    for name, spec in [*specs.items(), *unchecked.items()]:
        tests += predicate(name, spec, constants)
    condition = " and ".join([*tests, *guards]) or "True"
    exec(
        compile(
            _entrance_text(
                request, fetched, capture_specs, condition, functions, _separate(written, specs, capture_specs)
            ),
            "<srcgrad dispatch>",
            "exec",
        ),
        constants,
    )
    entrance: Callable[..., Any] = constants["enter"]
    return entrance


def _entrance_text(
    request: Request,
    fetched: Mapping[Route, str],
    capture_specs: Mapping[str, Spec],
    condition: str,
    functions: Sequence[Callable[..., Any]],
    checks: Sequence[str],
) -> str:
    call = []
    for name, kind, _ in request.signature:
        call.append({"keyword": f"{name}={name}", "sequence": f"*{name}"}.get(kind, name))
    data = (
        ArraySpec,
        NumberSpec,
        OpaqueSpec,
    )  # captured containers of strings and the like are compared, not passed
    passed = [n for n in fetched.values() if any(isinstance(leaf, data) for _, leaf in leaves(capture_specs[n]))]
    call += [f"{unique}={unique}" for unique in passed]
    result = f"_run({', '.join(call)})" + (", _rest[0]" if len(functions) > 1 else "")
    head = ", ".join(["_f", *(name for name, _, _ in request.signature)])
    # what the routes and paths lead through may have changed its shape: then this is not the specialisation wanted
    body = ["    try:", *(f"        {unique} = {route_text(route)}" for route, unique in fetched.items())]
    body += [f"        _ok = {condition}", f"    except {_CHANGED}:", "        _ok = False"]
    run = [*(f"        {check}" for check in checks), f"        return {result}"]
    enter = [f"def enter({head}):", *body, "    if _ok:", *run, "    return _miss"]
    return "\n".join([*enter, f"def accepts({head}):", *body, "    return _ok"])


def _separate(written: Sequence[str], specs: Mapping[str, Spec], captured: Mapping[str, Spec]) -> list[str]:
    """Text that checks that the arrays written into share no memory with any other array."""
    arrays = [
        path_text(name, path)
        for name, spec in [*specs.items(), *captured.items()]
        for path, leaf in leaves(spec)
        if isinstance(leaf, ArraySpec)
    ]
    pairs = {each: [other for other in arrays if other != each] for each in written}
    return [
        f"_apart(_f, {each!r}, {each}, {{{', '.join(f'{other!r}: {other}' for other in others)}}})"
        for each, others in pairs.items()
    ]


def _written(compiled: Compiled) -> list[str]:
    return sorted(path_text(name, path) for name, path in compiled.lowered.written)


_CHANGED = "(AttributeError, LookupError, ValueError, TypeError, NameError)"


def _at_home(home: Mapping[int, Place], name: str, thing: Any, path: Path) -> bool:
    return home.get(id(thing)) == (name, path)


def _check_wrt(request: Request, specs: Mapping[str, Spec]) -> None:
    """Raises GradTypeError, naming the parameter, for what is no floating-point number or array."""
    for name, wanted in request.wrt:
        found = differentiated(specs[name], wanted)
        if not found and (wanted is not None or isinstance(specs[name], InstanceSpec)):
            text = path_text(name, wanted or ())
            raise GradTypeError(f"`{request.function.__qualname__}` was called without a number or array at `{text}`")
        for path, spec in found:
            if not (isinstance(spec, (ArraySpec, NumberSpec)) and np.dtype(spec.dtype).kind in "fc"):
                raise GradTypeError(
                    f"`{request.function.__qualname__}` cannot be differentiated with respect to "
                    f"`{path_text(name, path)}`, which is {_kind(spec)}. {_way_out(spec)}"
                )


def _kind(spec: Spec) -> str:
    words = {"i": "integers", "u": "integers", "b": "booleans"}
    if isinstance(spec, ArraySpec):
        return f"an array of {words[np.dtype(spec.dtype).kind]} ({np.dtype(spec.dtype)})"
    if isinstance(spec, NumberSpec):
        return f"a number of type {spec}"
    return f"{spec}, not a number or an array"


def _way_out(spec: Spec) -> str:
    if isinstance(spec, ArraySpec):
        return "Convert it with .astype(float), or leave it out of wrt."
    return "Pass a float (or an array of floats), or leave it out of wrt."


# The disk cache's key and what is stored beside the text


def _key(request: Request, specs: Mapping[str, Spec]) -> str:
    """A digest of all that the text depends on and that is known before compiling."""
    source = find_source(request.function)
    parts = [
        toolchain(), source.file.name, _span(source), source.text, request.function.__qualname__,
        [(name, str(spec)) for name, spec in specs.items()], request.wrt, request.mode, request.single,
        request.aux, request.tangents, request.inner, request.repeated, request.batched,
        request.signature, request.optimize, request.holomorphic, _foreign_rules(),
    ]  # fmt: skip
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:40]


def _foreign_rules() -> str:
    """A digest of rules that users have registered, which they can only have done where the compiler is loaded."""
    known = sys.modules.get("srcgrad.ir.primitive")
    return known.foreign_rules() if known is not None and "srcgrad.rules" in sys.modules else ""


@lru_cache(maxsize=1)
def toolchain() -> str:
    """Versions, and a digest of the compiler's own files: text from another compiler is never served."""
    digest = hashlib.sha256()
    folder = FilePath(__file__).parent
    for file in sorted(folder.rglob("*.py")):
        status = file.stat()
        digest.update(f"{file.relative_to(folder)} {status.st_size} {status.st_mtime_ns}".encode())
    return f"{platform.python_version()} {np.__version__} {digest.hexdigest()}"


def fingerprint(thing: Any) -> str:
    """What a piece of code is, so that it can be recognised in another process; empty if it cannot."""
    if isinstance(thing, types.FunctionType):
        try:
            source = find_source(thing)
            return f"function {thing.__module__}.{thing.__qualname__} {_span(source)} {_digest(source.text)}"
        except (SourceNotFound, SyntaxError):
            return ""
    if isinstance(thing, (Rule, Checkpoint)):  # their functions have fingerprints of their own
        return f"{type(thing).__name__} {thing.__name__}"
    if isinstance(thing, types.ModuleType):
        return f"module {thing.__name__}"
    if isinstance(thing, (type, types.BuiltinFunctionType, np.ufunc)):
        return f"{getattr(thing, '__module__', '')}.{getattr(thing, '__qualname__', thing)}"
    if thing is None or isinstance(thing, (bool, int, float, complex, str, bytes)):
        return f"{type(thing).__name__} {thing!r}"
    return ""


def _span(source: Source) -> tuple[int, ...]:
    """Where a definition stands: there may be several lambdas on its lines."""
    node = source.node
    return node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _meta(compiled: Compiled, request: Request) -> dict[str, Any] | None:
    """What the disk entry must remember beside the text; None if something has no fingerprint."""
    statics = [[list(map(list, route)), fingerprint(thing)] for route, thing in compiled.lowered.statics.items()]
    if any(not mark for _, mark in statics):
        return None
    if any(isinstance(spec, FunctionSpec) for _, spec in compiled.lowered.captures.values()):
        return None
    meta: dict[str, Any] = {
        "names": [each.name for each in compiled.emitted],
        "captures": [
            [list(map(list, r)), unique, str(spec)] for r, (unique, spec) in compiled.lowered.captures.items()
        ],
        "statics": statics,
        "guards": _guards(compiled),
        "written": _written(compiled),
        "lines": [{str(n): text for n, text in each.items()} for each in _places(compiled)],
        "function": f"{request.function.__module__}.{request.function.__qualname__}",
        "signature": ", ".join(f"{name}: {spec}" for name, spec in request.specs.items()),
    }
    try:
        json.dumps(meta, allow_nan=False)
    except (TypeError, ValueError):
        return None
    return meta


def _guards(compiled: Compiled) -> list[str]:
    """What a call must fulfil besides its signature: relations of lengths, and of objects."""
    return [*(f"{a} {relation} {b}" for relation, a, b in compiled.facts.guards), *compiled.lowered.relations]


def _route(steps: Sequence[Sequence[Any]]) -> Route:
    return tuple((kind, tuple(name) if isinstance(name, list) else name) for kind, name in steps)


def _places(compiled: Compiled) -> list[dict[int, str]]:
    """For each text, and each of its lines, the user's lines that it computes or differentiates, one a line."""
    found: list[dict[int, str]] = []
    for emitted in compiled.emitted:
        places = {n: emitted.places(n) for n in range(1, emitted.text.count("\n") + 1)}
        quoted = {n: dict.fromkeys(f"{o.file}:{o.line}: {o.text.strip()}" for o in each) for n, each in places.items()}
        found.append({n: "\n".join(texts) for n, texts in quoted.items() if texts})
    return found


__all__ = ["DISK", "Dispatcher", "Specialisation", "fingerprint", "os", "toolchain"]
