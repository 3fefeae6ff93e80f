"""Generated text behaves as if it lay in a file: tracebacks, pdb and inspect show it."""

from __future__ import annotations

import inspect
import io
import linecache
import pdb
import subprocess
import sys
import threading
import traceback
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from srcgrad.runtime.cache import DISK
from srcgrad.runtime.load import explain_failure, file_of, load

pytestmark = pytest.mark.quick

TEXT = '''\
def loss_grad(w, x):
    """The gradient of loss."""
    error = w * x - 1  # how far off
    d_w = 2 / error
    return d_w
'''
LINES = {3: "model.py:12: error = w * x - 1", 4: "model.py:13: return np.log(error)"}


def failure(function: Any, *args: Any) -> BaseException:
    """The exception that `function(*args)` raises."""
    with pytest.raises(BaseException) as caught:  # noqa: PT011
        function(*args)
    return caught.value


def notes(error: BaseException) -> list[str]:
    return getattr(error, "__notes__", [])


# --- loading ------------------------------------------------------------------------------------------------


def test_loads_functions() -> None:
    loss_grad = load(TEXT, "loss_grad")["loss_grad"]
    assert loss_grad(2, 1) == 2.0
    assert loss_grad.__doc__ == "The gradient of loss."


def test_functions_say_where_they_come_from() -> None:
    loss_grad = load(TEXT, "loss_grad")["loss_grad"]
    assert loss_grad.__module__ == "srcgrad.generated.loss_grad"
    assert loss_grad.__code__.co_filename == file_of(TEXT, "loss_grad")


def test_a_namespace_is_copied() -> None:
    given = {"base": 10, "__name__": "users_module"}
    loaded = load("def f():\n    return base\nbase += 1\n", "f", given)
    assert loaded["f"]() == 11
    assert loaded["f"].__module__ == "users_module"
    assert given == {"base": 10, "__name__": "users_module"}


def test_two_loads_share_nothing() -> None:
    first, second = load("state = []\n", "f"), load("state = []\n", "f")
    first["state"].append(1)
    assert second["state"] == []


def test_this_packages_future_imports_do_not_leak_in() -> None:
    loaded = load("def f(x: int): pass\n", "f")
    assert loaded["f"].__annotations__ == {"x": int}


def test_errors_at_load_are_shown_with_their_line() -> None:
    error = failure(load, "a = 1\nb = a / 0\n", "f")
    assert "b = a / 0" in "".join(traceback.format_exception(error))
    assert isinstance(failure(load, "def f(:\n", "f"), SyntaxError)


# --- file names ---------------------------------------------------------------------------------------------


def test_equal_text_shares_a_file_name() -> None:
    assert file_of(TEXT, "loss_grad") == file_of(TEXT, "loss_grad")
    assert file_of(TEXT, "loss_grad") != file_of(TEXT + "\n", "loss_grad")


def test_the_file_name_is_the_same_in_every_process() -> None:
    code = f"from srcgrad.runtime.load import file_of; print(file_of({TEXT!r}, 'loss_grad'))"
    printed = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert printed.strip() == file_of(TEXT, "loss_grad") == str(DISK.folder / "sources" / "loss_grad-a3d42e0a12f4.py")


def test_the_file_holds_the_text() -> None:
    file = Path(load(TEXT, "loss_grad")["loss_grad"].__code__.co_filename)
    assert file.read_text() == TEXT
    file.write_text("changed = True\n")
    assert file_of(TEXT, "loss_grad") == str(file)
    assert file.read_text() == TEXT


def test_without_a_cache_there_is_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRCGRAD_CACHE", "0")
    loss_grad = load(TEXT, "loss_grad")["loss_grad"]
    assert loss_grad.__code__.co_filename == file_of(TEXT, "loss_grad") == "<srcgrad loss_grad-a3d42e0a12f4>"
    assert inspect.getsource(loss_grad) == TEXT


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Net.forward", "Net.forward"),
        ("<lambda>", "lambda"),
        ("a\nb>", "a_b"),
        ("größe", "größe"),
        ("", "text"),
    ],
)
def test_any_name_makes_a_plain_file_name(name: str, plain: str) -> None:
    assert Path(file_of("", name)).name == f"{plain}-e3b0c44298fc.py"


# --- what tools see -----------------------------------------------------------------------------------------


def test_inspect_shows_the_source() -> None:
    loss_grad = load(TEXT, "loss_grad")["loss_grad"]
    assert inspect.getsource(loss_grad) == TEXT
    assert inspect.getsourcefile(loss_grad) == file_of(TEXT, "loss_grad")


def test_inspect_finds_each_of_several_functions() -> None:
    second = "def backward(saved):\n    return 2 * saved\n"
    loaded = load(TEXT + "\n\n" + second, "loss")
    assert inspect.getsource(loaded["loss_grad"]) == TEXT
    assert inspect.getsource(loaded["backward"]) == second


def test_inspect_shows_the_source_under_a_real_modules_name() -> None:
    loaded = load(TEXT, "loss_grad", {"__name__": __name__})
    assert inspect.getsource(loaded["loss_grad"]) == TEXT


def test_tracebacks_show_the_line() -> None:
    error = failure(load(TEXT, "loss_grad")["loss_grad"], 1, 1)
    shown = "".join(traceback.format_exception(error))
    assert f'File "{file_of(TEXT, "loss_grad")}", line 4, in loss_grad\n    d_w = 2 / error' in shown


@pytest.mark.parametrize("cache", ["1", "0"])
def test_the_interpreters_own_traceback_names_the_line(cache: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRCGRAD_CACHE", cache)
    code = f"from srcgrad.runtime.load import load; load({TEXT!r}, 'loss_grad')['loss_grad'](1, 1)"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stderr
    assert ", line 4, in loss_grad" in printed
    # since 3.13 it prints through `traceback`; before, it knows only files on disk (so notes quote the line)
    assert ("d_w = 2 / error" in printed) == (cache == "1" or sys.version_info >= (3, 13))


def test_warnings_show_the_line() -> None:
    text = "import warnings\ndef f():\n    warnings.warn('steep', stacklevel=1)\n"
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        load(text, "f")["f"]()
    shown = warnings.formatwarning(caught[0].message, UserWarning, caught[0].filename, caught[0].lineno)
    assert shown.endswith(":3: UserWarning: steep\n  warnings.warn('steep', stacklevel=1)\n")


def test_a_debugger_steps_through_it() -> None:
    typed, printed = io.StringIO("step\nnext\nnext\np error\nlist 3, 4\ncontinue\n"), io.StringIO()
    debugger = pdb.Pdb(stdin=typed, stdout=printed, nosigint=True, readrc=False)
    debugger.runcall(load(TEXT, "loss_grad")["loss_grad"], 3, 1)
    shown = printed.getvalue()
    assert "-> error = w * x - 1  # how far off" in shown
    assert "d_w = 2 / error" in shown
    assert f"> {file_of(TEXT, 'loss_grad')}(4)loss_grad()" in shown
    assert "(Pdb) 2\n" in shown


def test_the_source_outlives_checkcache() -> None:
    loss_grad = load(TEXT, "loss_grad")["loss_grad"]
    linecache.checkcache()
    linecache.checkcache(file_of(TEXT, "loss_grad"))
    assert inspect.getsource(loss_grad) == TEXT


def test_loading_again_brings_the_source_back_after_clearcache(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(linecache, "cache", {})
    loss_grad = load(TEXT, "loss_grad")["loss_grad"]
    linecache.clearcache()
    load(TEXT, "loss_grad")
    assert inspect.getsource(loss_grad) == TEXT


@pytest.mark.parametrize("odd", ["\x0c", "\x0b", "\x1c", "\x85", "\u2028"])
def test_odd_characters_in_comments_shift_no_line(odd: str) -> None:
    error = failure(load, f"a = 0  # odd {odd} odd\n1 / a\n", "f")
    assert traceback.extract_tb(error.__traceback__)[-1].line == "1 / a"


@pytest.mark.parametrize("end", ["\r\n", "\r"])
def test_foreign_line_ends_shift_no_line(end: str) -> None:
    error = failure(load, f"a = 0{end}1 / a{end}", "f")
    assert traceback.extract_tb(error.__traceback__)[-1].line == "1 / a"


def test_threads_may_load_at_once() -> None:
    texts = [f"def f():\n    return {number}\n" for number in range(20)] * 2
    results: dict[int, tuple[int, str]] = {}

    def work(place: int) -> None:
        function = load(texts[place], "f")["f"]
        results[place] = function(), inspect.getsource(function)

    threads = [threading.Thread(target=work, args=(place,)) for place in range(len(texts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {place: (place % 20, text) for place, text in enumerate(texts)}


# --- explaining failures ------------------------------------------------------------------------------------


def test_a_failure_names_the_users_line() -> None:
    error = failure(load(TEXT, "loss_grad")["loss_grad"], 1, 1)
    explain_failure(error, LINES, file_of(TEXT, "loss_grad"))
    assert notes(error) == [
        "srcgrad: generated line 4, `d_w = 2 / error`, comes from model.py:13: return np.log(error)"
    ]
    assert "".join(traceback.format_exception(error)).endswith(notes(error)[0] + "\n")


def test_the_note_is_added_once() -> None:
    error = failure(load(TEXT, "loss_grad")["loss_grad"], 1, 1)
    error.add_note("the caller's own note")
    explain_failure(error, LINES, file_of(TEXT, "loss_grad"))
    explain_failure(error, {4: "outer.py:1: loss(w)"}, file_of(TEXT, "loss_grad"))
    assert len(notes(error)) == 2
    assert "model.py:13" in notes(error)[1]


def test_a_failure_beneath_generated_code_names_the_line_that_called() -> None:
    def broken(value: float) -> float:
        raise KeyError("users' own")

    text = "def f(w, callback):\n    return callback(w)\n"
    error = failure(load(text, "f")["f"], 1.0, broken)
    explain_failure(error, {2: "model.py:7: callback(w)"}, file_of(text, "f"))
    assert notes(error) == ["srcgrad: generated line 2, `return callback(w)`, comes from model.py:7: callback(w)"]


def test_lines_can_be_tied_to_their_file() -> None:
    outer_text = "def outer(f):\n    return f(1, 1)\n"
    error = failure(load(outer_text, "outer")["outer"], load(TEXT, "inner")["loss_grad"])
    explain_failure(error, {2: "outer.py:5: f(w, x)", 4: "not this one"}, file_of(outer_text, "outer"))
    assert notes(error) == ["srcgrad: generated line 2, `return f(1, 1)`, comes from outer.py:5: f(w, x)"]


def test_no_note_is_better_than_a_wrong_one() -> None:
    error = failure(load(TEXT, "loss_grad")["loss_grad"], 1, 1)
    explain_failure(error, {3: "the line before"}, file_of(TEXT, "loss_grad"))
    explain_failure(error, {}, file_of(TEXT, "loss_grad"))
    explain_failure(error, {4: "another file's"}, file_of("", "other"))
    assert notes(error) == []


def test_failures_elsewhere_are_left_alone() -> None:
    raised, fresh = failure(lambda: 1 / 0), ValueError("never raised")
    explain_failure(raised, {1: "x"}, __file__ + ".other")
    explain_failure(fresh, {1: "x"}, __file__)
    assert notes(raised) == notes(fresh) == []


def test_an_exception_that_takes_no_note_still_arrives() -> None:
    @dataclass(frozen=True)
    class Frozen(Exception):
        code: int

    def fail() -> None:
        raise Frozen(3)

    text = "def f(callback):\n    callback()\n"
    error = failure(load(text, "f")["f"], fail)
    explain_failure(error, {2: "model.py:7: callback()"}, file_of(text, "f"))
    assert isinstance(error, Frozen)
    assert notes(error) == []
