"""A function together with its compiled gradient, in every form in which it can be asked for."""

from __future__ import annotations

import functools
import importlib
import inspect
import os
import pickle
import types
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Generic, ParamSpec, TypeVar

from ..dispatch import Dispatcher, Specialisation
from ..errors import GradTypeError, SourceNotFound
from ..request import Request
from ..runtime.captures import follow
from ..runtime.grad_mode import is_grad_enabled
from ..runtime.leaves import Step, parameters, unwrap
from ..runtime.parameter import Parameter
from ..runtime.result import Result
from .choosing import Names, Places, Positions, choose
from .pullback import Pullback

if TYPE_CHECKING:
    from ..inspect.explanation import Explanation

P = ParamSpec("P")
R = TypeVar("R")


class Gradient(Generic[P, R]):
    """A function's gradient, compiled when it is called; made by `grad`.

    f(*args) is the gradient, f.value_and_grad(*args) the value beside it, f.forward(*args) the training style.
    """

    def __init__(
        self,
        function: Callable[P, R],
        wrt: Names | None = None,
        argnums: Positions | None = None,
        holomorphic: bool = False,
    ):
        if isinstance(function, Gradient):
            raise GradTypeError(
                f"`{function.__name__}` is a gradient already. Differentiate the plain function, "
                f"`{function.__name__}.function`; gradients of gradients are not available yet."
            )
        if not isinstance(function, types.FunctionType):
            raise SourceNotFound(
                f"{function!r} is not a Python function, so there is no source to differentiate. Wrap it in a `def` "
                "that calls NumPy."
            )
        functools.update_wrapper(self, function)
        self.function: Callable[P, R] = function
        self._python = function
        self._holomorphic = holomorphic
        self._signature = inspect.signature(function)
        self._parameters = tuple(self._signature.parameters)
        self._layout = tuple(_layout(p) for p in self._signature.parameters.values())
        self._wrt, self._single = choose(function, self._signature, wrt, argnums)
        self._plain = all(
            p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in self._signature.parameters.values()
        )
        self._count = len(self._parameters) if self._plain else -1
        self._dispatchers: dict[Any, Dispatcher] = {}
        self._pairs: dict[tuple[Step, ...], Dispatcher] = {}
        self._last: Dispatcher | None = None
        self._last_pair: Dispatcher | None = None
        self._grad = self._dispatcher("grad", self._wrt, self._single)

    def __call__(self, *args: P.args, **kwargs: P.kwargs) -> Any:
        """The gradient: one array (or number, or structure) for each differentiated argument."""
        values = args if not kwargs and len(args) == self._count else self._bind(args, kwargs)
        self._last = self._grad
        return self._run(self._grad, values)

    def value_and_grad(self, *args: P.args, **kwargs: P.kwargs) -> tuple[R, Any]:
        """(value, gradient), from one function that computes both."""
        self._last = self._dispatcher("value_and_grad", self._wrt, self._single)
        result: tuple[R, Any] = self._run(self._last, self._bind(args, kwargs))
        return result

    def forward(self, *args: P.args, **kwargs: P.kwargs) -> Result:
        """Run the compiled forward half; `.backward()` of the result runs the other.

        Differentiates with respect to every Parameter with requires_grad found among the arguments; where no argument
        is a Parameter, with respect to `wrt`, and `backward()` returns the gradients.
        """
        values = self._bind(args, kwargs)
        found = parameters(dict(zip(self._parameters, values)))
        plain = [unwrap(value) for value in values]
        active = [entry for entry in found if entry[0].requires_grad]
        if not is_grad_enabled() or (found and not active):
            return Result(self._call_plain(plain), None, None, None)
        dispatcher = self._last = self._last_pair = self._pair_of(tuple(step for _, step in active))
        (value, saved), backward = dispatcher(plain)
        pullback = Pullback(backward, saved, dispatcher, value)
        return Result(value, pullback, [parameter for parameter, _ in active] if found else None, backward)

    def specialize(self, *args: P.args, **kwargs: P.kwargs) -> Callable[P, Any]:
        """The bare gradient function for arguments like these: no dispatch, no checks, plain NumPy.

        Globals and closure variables that the function reads are bound to their values of now.
        """
        values = tuple(unwrap(value) for value in self._bind(args, kwargs))
        self._last = self._grad
        made = self._grad.find(values)
        (bare,) = made.functions
        taken = inspect.signature(bare).parameters
        captures = [(route, unique) for route, unique in made.captures.items() if unique in taken]
        if not captures:
            return bare
        arguments = dict(zip(self._parameters, values))
        return functools.partial(bare, **{unique: follow(self._python, r, arguments) for r, unique in captures})

    @property
    def source(self) -> str:
        """The generated source of the gradient last called (or specialised, or run forward)."""
        first, *rest = self._latest().texts
        imports = [line for line in first.splitlines() if line.startswith(("import ", "from "))]
        bodies = [_without_imports(text) for text in (first, *rest)]
        imports += [line for text in rest for line in text.splitlines() if line.startswith(("import ", "from "))]
        head = "\n".join(dict.fromkeys(imports))
        return (f"{head}\n\n\n" if head else "") + "\n\n".join(bodies)

    @property
    def forward_source(self) -> str:
        """The forward half of the compiled pair, as text."""
        return self._pair().texts[0]

    @property
    def backward_source(self) -> str:
        """The backward half of the compiled pair, as text."""
        return self._pair().texts[1]

    def explain(self, *args: P.args, **kwargs: P.kwargs) -> Explanation:
        """What the gradient of this call stores for its backward sweep, computes again, and finds zero, and why.

        Runs the compiled function once on these arguments, to count and to measure. Print it or read its fields.
        """
        from ..inspect.explain import explain  # the compiler is imported when it is asked for

        return explain(self._grad, [unwrap(value) for value in self._bind(args, kwargs)])

    def source_for(self, *args: Any, annotate: bool = False, **kwargs: Any) -> str:
        """The generated source of the gradient for arguments like these, without calling it.

        annotate : say behind each line of the backward sweep which line of the function it differentiates
        """
        self._last = self._grad
        made = self._grad.find([unwrap(value) for value in self._bind(args, kwargs)])
        if not annotate:
            return self.source
        from ..inspect.annotate import annotated

        (text,), (places,) = made.texts, made.lines.values()
        return annotated(text, places)

    def compiled(self, mode: str, values: Sequence[Any]) -> Specialisation:
        """What serves arguments like these; mode is "grad", "value_and_grad" or "split"."""
        return self._dispatcher(mode, self._wrt, self._single and mode != "split").find([unwrap(v) for v in values])

    def export(self, path: str | os.PathLike[str], *args: Any, **kwargs: Any) -> None:
        """Write a module with the gradient for arguments like these, which needs NumPy alone.

        It holds the gradient, value and gradient, and the forward and backward halves, and refuses arguments of another
        form with a ValueError. The same function and types of arguments give the same text.
        """
        from ..inspect.export import export_text

        text = export_text(self, list(self._bind(args, kwargs)))
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)

    @property
    def wrt(self) -> Places:
        """What is differentiated: names, and for items of `*args` the place in it."""
        return self._wrt

    @property
    def single(self) -> bool:
        """Whether the gradient comes by itself, not in a tuple."""
        return self._single

    @property
    def specializations(self) -> list[Specialisation]:
        """Everything compiled so far for this function."""
        return [each for dispatcher in self._dispatchers.values() for each in dispatcher.specialisations]

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else types.MethodType(self, instance)

    def __reduce__(self) -> Any:
        """By reference, as functions are pickled: by its own name if it decorates, else by the plain function's."""
        name = self._python.__module__, self._python.__qualname__
        try:
            if _find_by_name(*name) is self:
                return _find_by_name, name
        except (ImportError, AttributeError):
            pass
        names, positions = (
            [n for n, path in self._wrt if path is None],
            [path for _, path in self._wrt if path],
        )
        if positions:
            raise pickle.PicklingError(f"{self!r} differentiates positions of *args, and cannot be pickled")
        return Gradient, (self._python, names[0] if self._single else tuple(names))

    def __repr__(self) -> str:
        return f"<gradient of {self._python.__qualname__} with respect to {', '.join(name for name, _ in self._wrt)}>"

    # Inside

    def _dispatcher(self, mode: str, wrt: Places, single: bool) -> Dispatcher:
        key = (mode, wrt, single)
        if key not in self._dispatchers:
            request = Request(self._python, {}, wrt, mode, single, self._layout, holomorphic=self._holomorphic)
            self._dispatchers.setdefault(key, Dispatcher(request))
        return self._dispatchers[key]

    def _pair_of(self, steps: tuple[Step, ...]) -> Dispatcher:
        """The dispatcher of the forward and backward halves for the Parameters at these places."""
        if steps not in self._pairs:
            wrt: Places = tuple(step.place for step in steps) or self._wrt
            self._pairs[steps] = self._dispatcher("split", wrt, False)
        return self._pairs[steps]

    def _run(self, dispatcher: Dispatcher, values: Sequence[Any]) -> Any:
        for value in values:
            if isinstance(value, (Parameter, list, tuple, dict)):
                return dispatcher([unwrap(each) for each in values])
        return dispatcher(values)

    def _bind(self, args: Any, kwargs: Any) -> tuple[Any, ...]:
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return tuple(bound.arguments.values())

    def _call_plain(self, values: Sequence[Any]) -> Any:
        bound = inspect.BoundArguments(self._signature, OrderedDict(zip(self._parameters, values)))
        return self._python(*bound.args, **bound.kwargs)

    def _latest(self) -> Specialisation:
        if self._last is None or self._last.latest is None:
            self._from_annotations()
        assert self._last is not None
        assert self._last.latest is not None
        return self._last.latest

    def _from_annotations(self) -> None:
        """Before any call: numbers that annotations or defaults describe are signature enough."""
        example = []
        for parameter in self._signature.parameters.values():
            kind = {"float": 1.0, "int": 2, float: 1.0, int: 2}.get(parameter.annotation)
            if parameter.default is not parameter.empty:
                example.append(parameter.default)
            elif kind is not None:
                example.append(kind)
            else:
                raise RuntimeError(
                    f"`{self.__name__}` has not been called yet, so the types of its arguments are unknown: "
                    "call it, or `specialize(*args)` it, and then look at the source."
                )
        self._last = self._grad
        self._grad.find(example)

    def _pair(self) -> Specialisation:
        if self._last_pair is not None and self._last_pair.latest is not None:
            return self._last_pair.latest
        raise RuntimeError(f"`{self.__name__}` has no compiled pair yet: call `.forward(*args)` first.")

    __name__: str
    __qualname__: str


def _layout(parameter: inspect.Parameter) -> tuple[str, str, str | None]:
    """A parameter's name, kind and default, for the generated signature; only literal defaults are spelled."""
    if parameter.kind is parameter.VAR_KEYWORD:
        raise GradTypeError(f"`**{parameter.name}` cannot be differentiated: name the keyword arguments.")
    kinds: dict[Any, str] = {
        parameter.POSITIONAL_ONLY: "positional",
        parameter.VAR_POSITIONAL: "sequence",
        parameter.KEYWORD_ONLY: "keyword",
    }
    kind = kinds.get(parameter.kind, "plain")
    default = parameter.default
    spelled = type(default) in (bool, int, float, str) or default is None
    return parameter.name, kind, repr(default) if spelled and default is not parameter.empty else None


def _without_imports(text: str) -> str:
    lines = [line for line in text.splitlines() if not line.startswith(("import ", "from "))]
    return "\n".join(lines).strip("\n") + "\n"


def _find_by_name(module: str, qualname: str) -> Any:
    thing: Any = importlib.import_module(module)
    for part in qualname.split("."):
        thing = getattr(thing, part)
    return thing


__all__ = ["Gradient"]
