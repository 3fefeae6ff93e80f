"""Is a program's gradient right? Everything that the compiler promises of one function, checked."""

from __future__ import annotations

import copy
import importlib.util
import inspect
import itertools
import os
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
from fuzz_referee import Doubtful, differences
from fuzz_stages import Recorder

from srcgrad import grad, pipeline
from srcgrad.errors import CompileError, GradTypeError
from srcgrad.ir.evaluate import Machine, fill
from srcgrad.ir.nodes import walk
from srcgrad.runtime.captures import follow
from srcgrad.runtime.load import load
from srcgrad.runtime.signature import describe


@dataclass(frozen=True)
class Verdict:
    """kind: right | refused | doubtful | wrong; `what` says which check, or why it was refused."""

    kind: str
    what: str = ""
    detail: str = ""


CHECKED = {"SRCGRAD_CHECK": "1", "SRCGRAD_CACHE": "off"}
_NUMBERS = itertools.count()


class Wrong(Exception):
    def __init__(self, what: str, detail: str = ""):
        self.what, self.detail = what, detail
        super().__init__(f"{what}: {detail}")


def judge(text: str, folder: Path, name: str = "program", check: Callable[[Any], None] | None = None) -> Verdict:
    """The verdict on one module's text, written to `folder` so that its source can be found.

    `check` raises what is wrong with the module's `loss`: by default, with its gradient.
    """
    name = f"{name}_{next(_NUMBERS)}"  # a fresh file each time: Python caches modules and lines by file name
    file = folder / f"{name}.py"
    file.write_text(text)
    spec = importlib.util.spec_from_file_location(name, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    with checking(), np.errstate(all="ignore"):
        try:
            spec.loader.exec_module(module)
            value = module.loss(*copy.deepcopy(module.arguments()))
            if not (np.shape(value) == () and np.isfinite(value) and abs(value) < 1e6):
                return Verdict("doubtful", "not a finite number")
        except UnboundLocalError as error:
            return _unbound(module, str(error), file)
        except Exception:
            return Verdict("invalid", "the plain function fails", traceback.format_exc())
        try:
            (check or first_order)(module)
        except (CompileError, GradTypeError) as error:
            return _refusal(error, file)
        except Doubtful as error:
            return Verdict("doubtful", str(error))
        except Wrong as error:
            return Verdict("wrong", error.what, error.detail)
        except Exception as error:
            place = traceback.extract_tb(error.__traceback__)[-1]
            what = f"{type(error).__name__} in {Path(place.filename).name}:{place.name}"
            return Verdict("wrong", what, traceback.format_exc())
        finally:
            file.unlink()
    return Verdict("right")


def first_order(module: Any) -> None:
    """Every check of the gradient."""
    _Judge(module).run()


def _unbound(module: Any, message: str, file: Path) -> Verdict:
    """A function that reads a variable before it has a value: so must its gradient."""
    try:
        grad(module.loss, wrt=module.WRT)(*module.arguments())
    except UnboundLocalError as error:
        return Verdict("right") if str(error) == message else Verdict("wrong", "another variable is not assigned")
    except (CompileError, GradTypeError) as error:
        return _refusal(error, file)
    except Exception as error:
        return Verdict("wrong", f"UnboundLocalError becomes {type(error).__name__}", traceback.format_exc())
    return Verdict("wrong", "the function fails, its gradient does not")


def examine(loss: Callable[..., Any], *args: Any) -> None:
    """Every check of one function, differentiated in all that these arguments are; raises what goes wrong."""
    wrt = tuple(inspect.signature(loss).parameters)[: len(args)]
    module = SimpleNamespace(loss=loss, WRT=wrt, arguments=lambda: copy.deepcopy(list(args)))
    with checking(), np.errstate(all="ignore"):
        _Judge(module).run()


@contextmanager
def checking() -> Iterator[None]:
    """Every stage verified, nothing read from or written to the cache."""
    before = {name: os.environ.get(name) for name in CHECKED}
    os.environ.update(CHECKED)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _refusal(error: Exception, file: Path) -> Verdict:
    if isinstance(error, CompileError):
        located = all(fault.origin.file and fault.origin.line > 0 for fault in error.faults)
        return Verdict("refused" if located else "wrong", error.faults[0].message, str(error))
    return Verdict("refused" if "loss" in str(error) else "wrong", str(error)[:80], str(error))


class _Judge:
    def __init__(self, module: Any):
        self.module = module
        self.loss, self.wrt = module.loss, module.WRT
        self.args: list[Any] = module.arguments()
        self.value = self.loss(*copy.deepcopy(self.args))

    def run(self) -> None:
        gradients = self.interface()
        self.pair(gradients)
        self.stages(gradients)
        self.unoptimised(gradients)
        self.referee(gradients)

    # The public interface

    def interface(self) -> list[Any]:
        """`grad` and `value_and_grad`, and the contract of a gradient."""
        args = copy.deepcopy(self.args)
        g = grad(self.loss, wrt=self.wrt)
        value, gradients = g.value_and_grad(*args)
        self.same_value(value, "value_and_grad")
        self.untouched(args, "value_and_grad")
        for name, arg, d in zip(self.wrt, args, gradients):
            self.contract(name, arg, d, args, gradients)
        alone = g(*args)
        self.untouched(args, "grad")
        self.close(alone, gradients, "grad against value_and_grad")
        again = g(*args)
        self.identical(again, alone, "grad called twice")
        return list(gradients)

    def contract(self, name: str, arg: Any, d: Any, args: list[Any], gradients: Any) -> None:
        if np.shape(d) != np.shape(arg):
            raise Wrong("shape of a gradient", f"d_{name} {np.shape(d)} for {np.shape(arg)}")
        if isinstance(arg, np.ndarray) and d.dtype != arg.dtype:
            raise Wrong("dtype of a gradient", f"d_{name} {np.asarray(d).dtype} for {np.asarray(arg).dtype}")
        if isinstance(arg, np.ndarray):
            if type(d) is not np.ndarray or not d.flags.writeable:
                raise Wrong("gradient is no writable array", f"d_{name}: {type(d)}")
            others = [*args, *(other for other in gradients if other is not d)]
            if any(isinstance(o, np.ndarray) and np.shares_memory(o, d) for o in others):
                raise Wrong("gradient shares memory", f"d_{name}")
            if sum(other is d for other in gradients) > 1:
                raise Wrong("gradient shares memory", f"d_{name} is returned twice")
        elif not isinstance(d, (float, np.floating)):
            raise Wrong("gradient of a number is none", f"d_{name}: {type(d)}")

    def pair(self, gradients: list[Any]) -> None:
        args = copy.deepcopy(self.args)
        result = grad(self.loss, wrt=self.wrt).forward(*args)
        self.same_value(result.value if hasattr(result, "value") else result.item(), "forward")
        backward = result.backward()
        self.untouched(args, "forward and backward")
        self.close(backward, gradients, "pair against value_and_grad")
        for name, arg, d in zip(self.wrt, args, backward):
            self.contract(name, arg, d, args, backward)

    # Stages

    def compile(self, mode: str, optimize: bool = True) -> tuple[pipeline.Compiled, list[Any]]:
        """One compilation from scratch, and every stage's IR in order."""
        names = self.loss.__code__.co_varnames[: self.loss.__code__.co_argcount]
        defaults = self.loss.__defaults__ or ()
        values = [*self.args, *defaults[len(self.args) - len(names) :]][: len(names)]
        example = dict(zip(names, values))
        g = grad(self.loss, wrt=self.wrt)
        request = pipeline.Request(
            self.loss, {name: describe(v) for name, v in example.items()}, tuple((n, None) for n in self.wrt),
            mode, False, g._layout, optimize=optimize,
        )  # fmt: skip
        recorder = Recorder()
        with recorder:
            return pipeline.compile_function(request, example), recorder.seen

    def stages(self, gradients: list[Any]) -> None:
        """Every stage's IR, executed; and the text is the same when compiled again."""
        compiled, seen = self.compile("value_and_grad")
        again, _ = self.compile("value_and_grad")
        if [e.text for e in compiled.emitted] != [e.text for e in again.emitted]:
            raise Wrong("text differs from one compilation to the next", compiled.emitted[0].text)
        for stage, function in seen:
            procedure = not function.name.startswith(self.loss.__name__)
            if procedure or any(op.prim.name == "call" for op in walk(function.body.ops)):
                continue  # procedures are compiled apart, and what calls them is not run on its own
            results = self.evaluate(function, compiled.lowered)
            if stage == "lower":
                self.same_value(fill(function.result, results), "stage lower")
            elif stage == "reverse":
                self.close(results[-len(gradients) :], gradients, "stage reverse")
            else:
                value, found = fill(function.result, results)
                self.same_value(value, f"stage {stage}")
                self.close(found, gradients, f"stage {stage}")

    def evaluate(self, function: Any, lowered: Any) -> list[Any]:
        names = self.loss.__code__.co_varnames[: self.loss.__code__.co_argcount]
        defaults = self.loss.__defaults__ or ()
        by_name = dict(zip(names, [*copy.deepcopy(self.args), *defaults]))
        captured = self.captured(lowered)
        machine = Machine(lowered.facts)
        for param in function.params:
            machine.set(param.value, (captured if param.capture else by_name)[param.name])
        return list(machine.region(function.body, ()))

    def captured(self, lowered: Any) -> dict[str, Any]:
        """Globals and defaults of helpers that the function reads."""
        return {unique: follow(self.loss, route) for route, (unique, _) in lowered.captures.items()}

    def unoptimised(self, gradients: list[Any]) -> None:
        compiled, _ = self.compile("value_and_grad", optimize=False)
        (emitted,) = compiled.emitted
        args = copy.deepcopy(self.args)
        value, found = load(emitted.text, emitted.name)[emitted.name](*args, **self.captured(compiled.lowered))
        self.same_value(value, "unoptimised")
        self.untouched(args, "unoptimised")
        self.close(found, gradients, "unoptimised against optimised")

    # Against finite differences

    def referee(self, gradients: list[Any]) -> None:
        args = [np.asarray(a, np.float64) if isinstance(a, np.ndarray) else a for a in self.args]
        positions = list(range(len(self.wrt)))
        expected = differences(self.loss, args, positions)
        double = gradients
        if self.single:
            plain = float(self.loss(*copy.deepcopy(args)))
            if abs(plain - float(self.value)) > 1e-4 * max(1.0, abs(plain)):
                raise Doubtful("ill-conditioned in float32")
            double = grad(self.loss, wrt=self.wrt)(*copy.deepcopy(args))
        scale = max(1.0, *(float(np.max(np.abs(e), initial=0.0)) for e in expected))
        for name, d, e in zip(self.wrt, double, expected):
            if not np.allclose(d, e, rtol=0, atol=2e-5 * scale):
                raise Wrong("gradient against differences", f"d_{name}\n{d}\nexpected\n{e}")
        for name, d, e in zip(self.wrt, gradients, double):
            if not np.allclose(d, e, rtol=0, atol=1e-3 * scale):
                raise Wrong("float32 against float64", f"d_{name}\n{d}\nexpected\n{e}")

    # Comparisons

    @property
    def single(self) -> bool:
        return any(isinstance(a, np.ndarray) and a.dtype == np.float32 for a in self.args)

    def same_value(self, value: Any, what: str) -> None:
        typed = np.asarray(value).dtype, np.asarray(self.value).dtype
        same = value == self.value and typed[0] == typed[1]
        if self.single and not same and np.isclose(value, self.value, rtol=1e-5, atol=1e-5):
            raise Doubtful("a dtype that depends on the path taken: float32 here, float64 there")
        if isinstance(self.value, (int, np.integer)) and value == self.value:  # `return 3` here, a float elsewhere
            return
        if what.startswith("stage") and np.isclose(value, self.value, rtol=1e-13, atol=0):
            return  # IR is executed on arrays without axes, where NumPy's numbers take another power function
        if typed[0] != typed[1]:
            raise Wrong(f"dtype of the value ({what})", f"{typed[0]}, {typed[1]}")
        if not np.array_equal(value, self.value):
            raise Wrong(f"value ({what})", f"{value!r} for {self.value!r}")

    def untouched(self, args: list[Any], what: str) -> None:
        for arg, original in zip(args, self.args):
            if not np.array_equal(arg, original):
                raise Wrong(f"argument changed ({what})", f"{arg} was {original}")

    def close(self, found: Any, expected: Any, what: str) -> None:
        scale = max(1.0, *(float(np.max(np.abs(e), initial=0.0)) for e in expected))
        for name, a, b in zip(self.wrt, found, expected):
            if np.shape(a) != np.shape(b):
                raise Wrong(what, f"d_{name}: shapes {np.shape(a)}, {np.shape(b)}")
            if not np.allclose(a, b, rtol=0, atol=(1e-4 if self.single else 1e-10) * scale):
                raise Wrong(what, f"d_{name}\n{a}\nexpected\n{b}")

    def identical(self, found: Any, expected: Any, what: str) -> None:
        for a, b in zip(found, expected):
            if not np.array_equal(a, b):
                raise Wrong(what, f"{a}\nexpected\n{b}")
