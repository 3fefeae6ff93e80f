"""What all derivatives of a function share: the plain function, the steps that lead from it, what has been compiled."""

from __future__ import annotations

import functools
import importlib
import inspect
import pickle
import types
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..dispatch import Dispatcher, Specialisation
from ..errors import GradTypeError, SourceNotFound
from ..request import Places, Request, Step
from ..runtime.captures import follow
from ..runtime.examples import NoExample, example_arguments
from ..runtime.leaves import unwrap
from ..runtime.parameter import Parameter
from ..runtime.source import find_source, short_name
from .bound import Bound

if TYPE_CHECKING:
    from ..inspect.explanation import Explanation
    from ..inspect.page.report import Report

F = TypeVar("F", bound=Callable[..., Any])


class Derivative:
    """A function of the user's, and a derivative of it; base of what `grad`, `jvp`, `jacobian` and the like return.

    `function` is what was differentiated, which may be a derivative itself.
    """

    def __init__(self, function: Any):
        self._python, self._inner, self._signature = origin(function)
        functools.update_wrapper(self, self._python)  # type: ignore[arg-type]
        self.function = function
        self._parameters = tuple(self._signature.parameters)
        self._layout = tuple(layout(p) for p in self._signature.parameters.values())
        self._plain = all(
            p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in self._signature.parameters.values()
        )
        self._count = len(self._parameters) if self._plain else -1
        self._dispatchers: dict[Any, Dispatcher] = {}
        self._last: Dispatcher | None = None

    @property
    def source(self) -> str:
        """The generated source of the derivative last called, or looked at.

        Before any call, of arguments like the defaults, and like what annotations say: `float`, `int`,
        `Annotated[np.ndarray, "f8[n, d]"]`, or jaxtyping's `Float64[np.ndarray, "n d"]`.
        """
        return joined(self._latest().texts)

    def source_for(self, *args: Any, annotate: bool = False, **kwargs: Any) -> str:
        """The generated source for a call with these arguments, without calling it.

        annotate : say behind each line of the backward sweep which line of the function it differentiates
        """
        return self.shown(self._look(*self._served(args, kwargs)), annotate)

    def shown(self, made: Specialisation, annotate: bool = False, half: int | None = None) -> str:
        """The text of something compiled; `half` is 0 for the forward one, 1 for the backward one."""
        texts = list(made.texts)
        if annotate:
            from ..inspect.annotate import annotated

            own = short_name(find_source(self._python).file.name)
            texts = [annotated(text, made.lines.get(file, {}), own) for text, file in zip(texts, made.files)]
        return joined(texts) if half is None else texts[half]

    def specialize(self, *args: Any, **kwargs: Any) -> Callable[..., Any]:
        """The bare generated function for a call with these arguments: no dispatch, no checks, plain NumPy.

        Globals and closure variables that the function reads are bound to their values of now.
        """
        dispatcher, values = self._served(args, kwargs)
        made = self._look(dispatcher, values)
        if len(made.functions) != 1:
            raise TypeError(f"{self!r} runs a forward and a backward half: there is no one function that it calls")
        (bare,) = made.functions
        taken = inspect.signature(bare).parameters
        captures = [(route, unique) for route, unique in made.captures.items() if unique in taken]
        if not captures:
            return bare
        arguments = dict(zip(dispatcher.names, values))
        return functools.partial(bare, **{unique: follow(self._python, r, arguments) for r, unique in captures})

    def explain(self, *args: Any, **kwargs: Any) -> Explanation:
        """What the derivative of this call stores for its backward sweep, computes again, and finds zero, and why.

        Runs the compiled function once on these arguments, to count and to measure. Print it or read its fields.
        """
        from ..inspect.explain import explain  # the compiler is imported when it is asked for

        return explain(*self._served(args, kwargs), self.title)

    def report(self, *args: Any, measure: bool = False, **kwargs: Any) -> Report:
        """A page about the derivative of this call: `.save("report.html")`, or let a notebook show it.

        One file that needs no network: the function and its derivative side by side, with the lines that belong
        together, what `explain` says, the computation graph, what has been compiled. Runs the compiled function once,
        as `explain` does. Needs the extra `srcgrad[report]`.

        measure : run it some more times, and show how long each line takes and what shapes it makes
        """
        from ..inspect.page.report import report

        return report(self, *self._shown(args, kwargs), measure)

    @property
    def specializations(self) -> list[Specialisation]:
        """Everything compiled so far for this function: what, when, and where its text lies."""
        return [each for dispatcher in self._dispatchers.values() for each in dispatcher.specialisations]

    def __get__(self, instance: Any, owner: type | None = None) -> Any:
        return self if instance is None else Bound(self, instance)

    # In notebooks and in IPython, which asks for forms of its own where `__repr__` stands

    def __repr__(self) -> str:
        names = ", ".join(dict.fromkeys(name for name, _ in self._named()))
        return f"<{self.title} of {self._python.__qualname__}{f' with respect to {names}' if names else ''}>"

    def _named(self) -> Places:
        """What is differentiated, where somebody has said it."""
        return getattr(self, "_wrt", ())

    def _repr_html_(self) -> str | None:
        from ..inspect.display import html

        return html(self)

    def _repr_markdown_(self) -> str | None:
        from ..inspect.display import markdown

        return markdown(self)

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:
        from ..inspect.display import plain

        printer.text(plain(self))

    def __reduce__(self) -> Any:
        """By reference, as functions are pickled: by its own name if it decorates, else by the plain function's."""
        name = self._python.__module__, self._python.__qualname__
        try:
            if _find_by_name(*name) is self:
                return _find_by_name, name
        except (ImportError, AttributeError):
            pass
        return self._rebuild()

    def _rebuild(self) -> Any:
        raise NotImplementedError

    # Inside

    title = "derivative"

    def _served(self, args: Any, kwargs: Any) -> tuple[Dispatcher, list[Any]]:
        """What serves a call with these arguments, and one value for each of its parameters."""
        raise NotImplementedError

    def _shown(self, args: Any, kwargs: Any) -> tuple[list[Dispatcher], list[Any]]:
        """What a page shows of such a call: what serves it, and what else computes the same."""
        dispatcher, values = self._served(args, kwargs)
        return [dispatcher], values

    def like(self, values: list[Any]) -> tuple[Dispatcher, list[Any]]:
        """The same, of a call whose own arguments are like these: directions are made up."""
        return self._served(values, {})

    def _look(self, dispatcher: Dispatcher, values: Sequence[Any]) -> Specialisation:
        self._last = dispatcher
        return dispatcher.find(values)

    def _dispatcher(self, step: Step) -> Dispatcher:
        if step not in self._dispatchers:
            held = tuple((name, "keyword" if not self._plain else "plain", None) for name in step.tangents)
            request = Request(
                self._python, {}, step.wrt, step.mode, step.single, insert(self._layout, held), aux=step.aux,
                tangents=step.tangents, inner=self._inner, repeated=step.repeated,
                holomorphic=step.holomorphic, batched=step.batched,
            )  # fmt: skip
            self._dispatchers.setdefault(step, Dispatcher(request))
        return self._dispatchers[step]

    def _run(self, dispatcher: Dispatcher, values: Sequence[Any]) -> Any:
        for value in values:
            if isinstance(value, (Parameter, list, tuple, dict)):
                return dispatcher([unwrap(each) for each in values])
        return dispatcher(values)

    def _bind(self, args: Any, kwargs: Any) -> tuple[Any, ...]:
        if not kwargs and len(args) == self._count:
            return tuple(args)
        bound = self._signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return tuple(bound.arguments.values())

    def _call_plain(self, values: Sequence[Any]) -> Any:
        """What was differentiated, called as it is."""
        bound = inspect.BoundArguments(self._signature, OrderedDict(zip(self._parameters, values)))
        return self.function(*bound.args, **bound.kwargs)

    def _latest(self) -> Specialisation:
        if self._last is not None and self._last.latest is not None:
            return self._last.latest
        return self._look(*self.like(self._example("source_for")))

    def _example(self, method: str) -> list[Any]:
        """Arguments as defaults and annotations describe them; `method` is what shows the source for others."""
        try:
            signature = inspect.signature(self._python, eval_str=True)
        except Exception:  # a name that only a type checker knows
            signature = self._signature
        own = [p for name, p in signature.parameters.items() if name in self._parameters]
        try:
            return example_arguments(signature.replace(parameters=own))
        except NoExample as error:
            raise RuntimeError(
                f"`{self.__name__}` has not been called yet, and {error}: call it, or show it arguments, as in "
                f'`{method}(*args)`; or annotate them, as in `Annotated[np.ndarray, "f8[n, d]"]`.'
            ) from None

    def _names(self, wrt: Places, single: bool) -> Any:
        """`wrt=` again, for pickling."""
        if any(path for _, path in wrt):
            raise pickle.PicklingError(f"{self!r} differentiates positions of *args, and cannot be pickled")
        names = tuple(name for name, _ in wrt)
        return names[0] if single else names

    __name__: str
    __qualname__: str


def origin(function: Any) -> tuple[types.FunctionType, tuple[Step, ...], inspect.Signature]:
    """The user's own function, the derivatives taken of it so far, and how the last of them is called."""
    if isinstance(function, types.FunctionType):
        return function, (), inspect.signature(function)
    owner = function.__self__ if isinstance(function, types.MethodType) else function
    if isinstance(owner, Derivative):
        called = function.__name__ if isinstance(function, types.MethodType) else "__call__"
        step = owner.as_step(called) if hasattr(owner, "as_step") else None
        if step is not None:
            return owner._python, (*owner._inner, step), signature_with(owner._signature, step.tangents)
        raise GradTypeError(
            f"{owner!r} cannot be differentiated as it stands. Differentiate a function that calls `grad`, `jvp` or "
            "`hvp`."
        )
    raise SourceNotFound(
        f"{function!r} is not a Python function, so there is no source to differentiate. Wrap it in a `def` "
        "that calls NumPy."
    )


def signature_with(signature: inspect.Signature, tangents: Sequence[str]) -> inspect.Signature:
    """The signature with parameters for tangents behind its own."""
    own = list(signature.parameters.values())
    plain = all(p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD) for p in own)
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD if plain else inspect.Parameter.KEYWORD_ONLY
    if plain and tangents:
        own = [p.replace(default=p.empty) for p in own]
    return signature.replace(parameters=[*own, *(inspect.Parameter(name, kind) for name in tangents)])


def insert(own: Sequence[tuple[str, str, str | None]], held: Sequence[tuple[str, str, str | None]]) -> Any:
    """The generated signature: tangents come last, so that what stands before them can have no default."""
    if held and held[0][1] == "plain":
        own = [(name, kind, None) for name, kind, _ in own]
    return (*own, *held)


def layout(parameter: inspect.Parameter) -> tuple[str, str, str | None]:
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


def remembered(function: Any, key: Any, make: Callable[[], Any]) -> Any:
    """A derivative made for a function once, so that calling `vjp(f, x)` again compiles nothing."""
    if not isinstance(function, (types.FunctionType, Derivative)):
        return make()
    owner, known = vars(function).setdefault("__derivatives__", (function, {}))
    if owner is not function:  # `functools.wraps` has copied another function's attributes
        owner, known = vars(function)["__derivatives__"] = function, {}
    if key not in known:
        known[key] = make()
    return known[key]


def with_keywords(make: F) -> F:
    """Serves as a decorator with arguments too: `@hessian(wrt="x")`."""

    @functools.wraps(make)
    def either(*args: Any, **kwargs: Any) -> Any:
        return make(*args, **kwargs) if args or "function" in kwargs else lambda function: make(function, **kwargs)

    return cast("F", either)


def joined(texts: Sequence[str]) -> str:
    """Several generated functions as one module."""
    lines = [line for text in texts for line in text.splitlines() if line.startswith(("import ", "from "))]
    bodies = []
    for text in texts:
        body = [line for line in text.splitlines() if not line.startswith(("import ", "from "))]
        bodies.append("\n".join(body).strip("\n") + "\n")
    head = "\n".join(dict.fromkeys(lines))
    return (f"{head}\n\n\n" if head else "") + "\n\n".join(bodies)


def _find_by_name(module: str, qualname: str) -> Any:
    thing: Any = importlib.import_module(module)
    for part in qualname.split("."):
        thing = getattr(thing, part)
    return thing
