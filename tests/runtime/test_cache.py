"""The disk cache gives back exactly what was put in, or nothing; and it never makes a call fail."""

from __future__ import annotations

import ast
import errno
import hashlib
import json
import multiprocessing
import os
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from srcgrad.runtime import cache as module
from srcgrad.runtime.cache import FORMAT, MAX_BYTES, CacheWarning, DiskCache, Entry

pytestmark = pytest.mark.quick
posix = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="Windows has neither owners nor modes")

KEY = "0123456789abcdef" * 4
OTHER = "fedcba9876543210" * 4
TEXT = "def loss_grad(w, x):\n    return 2.0 * w * x  # chain rule\n"
LOSS = Entry(TEXT, {"wrt": ["w"], "lines": {"2": "m.py:9"}})


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SRCGRAD_CACHE", raising=False)
    monkeypatch.delenv("SRCGRAD_CACHE_DIR", raising=False)


@pytest.fixture
def disk(tmp_path: Path) -> DiskCache:
    return DiskCache(tmp_path / "cache")


@pytest.fixture
def full(disk: DiskCache) -> DiskCache:
    """A cache that holds LOSS under KEY."""
    assert disk.put(KEY, LOSS)
    return disk


# --- round trips --------------------------------------------------------------------------------------------


def test_gives_back_what_was_put(disk: DiskCache) -> None:
    assert disk.get(KEY) is None
    assert disk.put(KEY, LOSS)
    assert disk.get(KEY) == LOSS
    assert disk.get(OTHER) is None


def test_whoever_opens_the_folder_next_finds_it(full: DiskCache) -> None:
    assert DiskCache(full.folder).get(KEY) == LOSS


def test_the_latest_put_wins(full: DiskCache) -> None:
    assert full.put(KEY, Entry("pass\n"))
    assert full.get(KEY) == Entry("pass\n", {})


def test_a_file_is_plain_python_that_a_person_can_read(full: DiskCache) -> None:
    head, seal, meta, *source = full.path_of(KEY).read_text().split("\n")
    assert head == "# srcgrad cache 1, checked when read, safe to delete"
    assert seal.startswith("# sha256 ")
    assert meta == '# meta {"wrt": ["w"], "lines": {"2": "m.py:9"}}'
    assert "\n".join(source) == LOSS.text
    assert isinstance(ast.parse(full.path_of(KEY).read_text()).body[0], ast.FunctionDef)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n",
        "no newline at the end",
        "α = 'ünï' # 勾配 🙂\n",
        "a = 1\r\nb = 2\rc = 3\n",
        "\x0c\u2028\x00",
        "# coding: x",
    ],
)
def test_keeps_every_character(disk: DiskCache, text: str) -> None:
    entry = Entry(text, {"ключ": ["\u2028", "\udc80", text, None, True, -0.0, 1e300, {"n": 1}]})
    assert disk.put(KEY, entry)
    assert disk.get(KEY) == entry


def test_a_meta_line_stays_one_line(disk: DiskCache) -> None:
    assert disk.put(KEY, Entry("pass", {"a": "line\nbreak\r\u2028\x85"}))
    text = disk.path_of(KEY).read_text(encoding="utf-8")
    assert len(text.splitlines()) == 4
    assert json.loads(text.splitlines()[2].removeprefix("# meta ")) == {"a": "line\nbreak\r\u2028\x85"}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=60, deadline=None)
@given(text=st.text(), meta=st.dictionaries(st.text(), json_values, max_size=3))
def test_any_text_and_any_json_survive(text: str, meta: dict[str, Any]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        disk = DiskCache(Path(folder))
        assert disk.put(KEY, Entry(text, meta))
        assert disk.get(KEY) == Entry(text, meta)


def test_lists_and_deletes(full: DiskCache) -> None:
    full.put(OTHER, Entry("pass\n"))
    (full.folder / "notes.py").write_text("somebody's own file")
    assert list(full.entries()) == [(KEY, LOSS), (OTHER, Entry("pass\n"))]
    assert full.remove(OTHER)
    assert not full.remove(OTHER)
    assert full.clear() == 1
    assert list(full.entries()) == []
    assert os.listdir(full.folder) == ["notes.py"]


def test_entries_come_in_the_order_of_their_keys(disk: DiskCache) -> None:
    keys = [hashlib.sha256(bytes([number])).hexdigest() for number in range(20)]
    assert all(disk.put(key, LOSS) for key in keys)
    assert [key for key, _ in disk.entries()] == sorted(keys)


def test_clear_sweeps_up_after_killed_writers(full: DiskCache) -> None:
    tempfile.mkstemp(".tmp", f".{KEY}-", full.folder)
    full.path_of(OTHER).write_text("unsound, but an entry all the same")
    assert full.clear() == 2
    assert os.listdir(full.folder) == []


def test_an_absent_folder_is_an_empty_cache(disk: DiskCache) -> None:
    assert (disk.get(KEY), disk.remove(KEY), disk.clear(), list(disk.entries())) == (None, False, 0, [])
    assert not disk.folder.exists()


# --- what may be put ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", ["", "abc", "0" * 15, "0" * 65, "A" * 16, "g" * 16, "0" * 16 + "\n", "../" + "0" * 16])
@pytest.mark.parametrize("method", [DiskCache.get, DiskCache.remove, DiskCache.path_of])
def test_a_key_is_a_hex_digest(disk: DiskCache, key: str, method: Callable[[DiskCache, str], object]) -> None:
    with pytest.raises(ValueError, match="16 to 64 lower-case hex digits"):
        method(disk, key)
    with pytest.raises(ValueError, match="16 to 64 lower-case hex digits"):
        disk.put(key, LOSS)


@pytest.mark.parametrize("value", [(1, 2), {3: "integer key"}, float("nan"), float("inf"), {1, 2}, b"bytes", Path("x")])
def test_meta_that_json_would_change_is_refused(disk: DiskCache, value: object) -> None:
    with pytest.raises((TypeError, ValueError)):
        disk.put(KEY, Entry("", {"value": value}))


def test_text_that_no_file_can_hold_is_not_stored(disk: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not disk.put(KEY, Entry("lone surrogate \ud800"))
    monkeypatch.setattr(module, "MAX_BYTES", 1000)
    assert not disk.put(KEY, Entry("x" * 1000))
    assert disk.put(KEY, Entry("x" * 500))


# --- damage: each kind is a miss, and the next put mends it -------------------------------------------------


def is_missed_then_mended(disk: DiskCache) -> bool:
    return disk.get(KEY) is None and disk.put(KEY, LOSS) and disk.get(KEY) == LOSS


def test_any_flipped_byte_is_noticed(full: DiskCache) -> None:
    path, sound = full.path_of(KEY), full.path_of(KEY).read_bytes()
    for place in range(len(sound)):
        path.write_bytes(sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :])
        assert full.get(KEY) is None, f"byte {place}"
    assert is_missed_then_mended(full)


def test_any_truncation_is_noticed(full: DiskCache) -> None:
    path, sound = full.path_of(KEY), full.path_of(KEY).read_bytes()
    for length in range(len(sound)):
        path.write_bytes(sound[:length])
        assert full.get(KEY) is None, f"cut after {length} bytes"
    assert is_missed_then_mended(full)


def sealed(key: str, body: bytes, head: bytes = FORMAT) -> bytes:
    """A file whose hash is right, whatever else is wrong with it."""
    digest = hashlib.sha256(key.encode() + b"\n" + body).hexdigest()
    return head + b"\n# sha256 " + digest.encode() + b"\n" + body


def test_the_helper_seals_as_the_cache_does(full: DiskCache) -> None:
    full.path_of(KEY).write_bytes(sealed(KEY, b'# meta {"a": 1}\ntext'))
    assert full.get(KEY) == Entry("text", {"a": 1})


@pytest.mark.parametrize(
    "damage",
    {
        "something appended": lambda sound: sound + b"import os\n",
        "something put before": lambda sound: b"import os\n" + sound,
        "line ends changed": lambda sound: sound.replace(b"\n", b"\r\n"),
        "another program's file": lambda sound: b"print('hello')\n",
        "zeros after a power cut": lambda sound: bytes(len(sound)),
        "another format": lambda sound: sealed(KEY, b"# meta {}\n", FORMAT.replace(b"1", b"2")),
        "the hash of another key": lambda sound: sealed(OTHER, b"# meta {}\n"),
        "not UTF-8": lambda sound: sealed(KEY, b"# meta {}\n\xff\xfe"),
        "not JSON": lambda sound: sealed(KEY, b"# meta {oops}\n"),
        "JSON, but no object": lambda sound: sealed(KEY, b"# meta [1]\n"),
        "JSON without end": lambda sound: sealed(KEY, b"# meta " + b"[" * 100_000),
        "no meta": lambda sound: sealed(KEY, b""),
    }.items(),
    ids=lambda item: item[0],
)
def test_damage_is_a_miss(full: DiskCache, damage: tuple[str, Callable[[bytes], bytes]]) -> None:
    path = full.path_of(KEY)
    path.write_bytes(damage[1](path.read_bytes()))
    assert is_missed_then_mended(full)
    assert [key for key, _ in full.entries()] == [KEY]


def test_an_entry_copied_to_another_key_is_a_miss(full: DiskCache) -> None:
    shutil.copy(full.path_of(KEY), full.path_of(OTHER))
    assert full.get(OTHER) is None


def test_a_huge_file_is_not_even_read(full: DiskCache) -> None:
    os.truncate(full.path_of(KEY), MAX_BYTES + 1)  # sparse: takes no room
    assert is_missed_then_mended(full)


def test_a_sound_file_above_the_limit_is_a_miss(full: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BYTES", full.path_of(KEY).stat().st_size - 1)
    assert full.get(KEY) is None


# --- what lies in an entry's place --------------------------------------------------------------------------


@posix
def test_a_symlink_is_not_followed_and_its_target_stays(full: DiskCache, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere.py"
    full.path_of(KEY).rename(elsewhere)
    full.path_of(KEY).symlink_to(elsewhere)
    before = elsewhere.read_bytes()
    assert full.get(KEY) is None
    assert full.put(KEY, Entry("pass\n"))
    assert full.get(KEY) == Entry("pass\n")
    assert elsewhere.read_bytes() == before


@posix
def test_a_fifo_does_not_hang_the_reader(full: DiskCache) -> None:
    full.path_of(KEY).unlink()
    os.mkfifo(full.path_of(KEY))
    assert is_missed_then_mended(full)


def test_a_folder_in_an_entrys_place_only_keeps_that_entry_out(disk: DiskCache) -> None:
    disk.path_of(KEY).mkdir(parents=True)
    handles = open_handles()
    assert disk.get(KEY) is None
    assert not disk.put(KEY, LOSS)
    assert not disk.remove(KEY)
    assert disk.put(OTHER, LOSS)
    assert sorted(os.listdir(disk.folder)) == [f"{KEY}.py", f"{OTHER}.py"]
    assert open_handles() == handles


def open_handles() -> int:
    return len(os.listdir("/proc/self/fd")) if os.path.exists("/proc/self/fd") else 0


@posix
@pytest.mark.parametrize("mode", [0o666, 0o620, 0o602])
def test_a_file_that_others_can_write_is_a_miss(full: DiskCache, mode: int) -> None:
    full.path_of(KEY).chmod(mode)
    assert is_missed_then_mended(full)


@posix
def test_somebody_elses_file_is_a_miss(full: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fstat", lambda handle: owned_by_another(os.stat(handle)))
    assert full.get(KEY) is None
    monkeypatch.undo()
    assert full.get(KEY) == LOSS


def owned_by_another(info: os.stat_result) -> os.stat_result:
    fields = list(info)
    fields[stat.ST_UID] += 1
    return os.stat_result(fields)


# --- the folder ---------------------------------------------------------------------------------------------


@posix
@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_folder_and_files_are_for_their_owner_alone(tmp_path: Path, umask: int) -> None:
    disk = DiskCache(tmp_path / "new" / "cache")
    before = os.umask(umask)
    try:
        assert disk.put(KEY, LOSS)
    finally:
        os.umask(before)
    assert stat.S_IMODE(disk.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE(disk.path_of(KEY).stat().st_mode) == 0o600


def is_refused(disk: DiskCache, *, because: str) -> bool:
    """One warning, naming the folder, `because` and the way out; no reading, writing or deleting."""
    with pytest.warns(CacheWarning, match=because) as caught:
        outcomes = use_all_of(disk) + use_all_of(DiskCache(disk.folder))
    text = str(caught[0].message)
    assert outcomes == [None, False, False, 0, []] * 2
    return len(caught) == 1 and str(disk.folder) in text and "SRCGRAD_CACHE=0" in text


def use_all_of(disk: DiskCache) -> list[object]:
    return [disk.get(KEY), disk.put(KEY, LOSS), disk.remove(KEY), disk.clear(), list(disk.entries())]


@posix
@pytest.mark.parametrize("mode", [0o777, 0o770, 0o702, 0o1777])
def test_a_folder_that_others_can_write_is_refused(full: DiskCache, mode: int) -> None:
    full.folder.chmod(mode)
    assert is_refused(full, because="can be written to by others; run: chmod go-w ")
    full.folder.chmod(mode & ~0o022)
    assert full.get(KEY) == LOSS


@posix
def test_a_folder_that_others_can_only_read_will_do(full: DiskCache) -> None:
    full.folder.chmod(0o755)
    assert full.get(KEY) == LOSS


@posix
def test_somebody_elses_folder_is_refused(full: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    me = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: me + 1)
    assert is_refused(full, because=rf"belongs to another user \(uid {me}\); set SRCGRAD_CACHE_DIR")
    monkeypatch.undo()
    assert full.get(KEY) == LOSS


@posix
def test_a_symlinked_folder_is_refused_and_its_target_named(full: DiskCache, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(full.folder)
    assert is_refused(DiskCache(link), because="is a symbolic link; set SRCGRAD_CACHE_DIR to .*/cache,")
    assert full.get(KEY) == LOSS


def test_a_file_in_the_folders_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert is_refused(DiskCache(tmp_path / "file"), because="is not a folder; move it away")


def test_a_folder_deleted_meanwhile_is_made_again(full: DiskCache) -> None:
    shutil.rmtree(full.folder)
    assert is_missed_then_mended(full)


# --- disks that refuse --------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EACCES], ids=errno.errorcode.get)
@pytest.mark.parametrize("place", [(tempfile, "mkstemp"), (os, "replace")], ids=lambda place: place[1])
def test_a_disk_that_refuses_costs_only_the_cache(
    full: DiskCache, monkeypatch: pytest.MonkeyPatch, place: tuple[Any, str], code: int
) -> None:
    monkeypatch.setattr(*place, refuse(code))
    assert not full.put(KEY, Entry("newer"))
    monkeypatch.undo()
    assert full.get(KEY) == LOSS
    assert os.listdir(full.folder) == [f"{KEY}.py"], "no half-written file stays behind"


def refuse(code: int) -> Callable[..., Any]:
    def fail(*args: object, **kwargs: object) -> Any:
        raise OSError(code, os.strerror(code))

    return fail


def test_a_disk_that_fills_up_while_writing_costs_only_the_cache(full: DiskCache) -> None:
    resource = pytest.importorskip("resource")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, limits[1]))  # Python ignores SIGXFSZ: write gives EFBIG
    try:
        assert not full.put(KEY, Entry("x" * 10_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert full.get(KEY) == LOSS
    assert os.listdir(full.folder) == [f"{KEY}.py"]


@posix
@pytest.mark.skipif(hasattr(os, "geteuid") and os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_still_read(full: DiskCache) -> None:
    full.folder.chmod(0o500)
    try:
        assert full.get(KEY) == LOSS
        assert not full.put(OTHER, LOSS)
    finally:
        full.folder.chmod(0o700)


def test_a_folder_that_cannot_be_made_costs_only_the_cache(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    disk = DiskCache(tmp_path / "file" / "cache")  # fails for root, too
    assert not disk.put(KEY, LOSS)
    assert disk.get(KEY) is None


# --- settings -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("wish", ["0", "off", "OFF", "false", "no", " 0 "])
def test_can_be_turned_off(full: DiskCache, monkeypatch: pytest.MonkeyPatch, wish: str) -> None:
    monkeypatch.setenv("SRCGRAD_CACHE", wish)
    assert full.get(KEY) is None
    assert not full.put(OTHER, LOSS)
    assert list(full.entries()) == []
    assert full.clear() == 1, "housekeeping still works, and finds nothing new"


@posix
def test_turned_off_it_does_not_warn(full: DiskCache, monkeypatch: pytest.MonkeyPatch) -> None:
    full.folder.chmod(0o777)
    monkeypatch.setenv("SRCGRAD_CACHE", "0")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert full.get(KEY) is None
        assert not full.put(KEY, LOSS)


@pytest.mark.parametrize("wish", ["", "1", "on"])
def test_other_wishes_leave_it_on(full: DiskCache, monkeypatch: pytest.MonkeyPatch, wish: str) -> None:
    monkeypatch.setenv("SRCGRAD_CACHE", wish)
    assert full.get(KEY) == LOSS


def test_the_environment_names_the_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SRCGRAD_CACHE_DIR", str(tmp_path / "mine"))
    assert DiskCache().folder == tmp_path / "mine"
    assert DiskCache(tmp_path / "given").folder == tmp_path / "given", "an argument is nearer"


def test_a_relative_folder_is_fixed_at_first_use(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SRCGRAD_CACHE_DIR", "mine")
    disk = DiskCache()
    assert disk.put(KEY, LOSS)
    monkeypatch.chdir("/")
    assert disk.get(KEY) == LOSS
    assert disk.folder == tmp_path / "mine"


def test_by_default_it_lies_in_the_users_cache_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    platformdirs = pytest.importorskip("platformdirs")
    monkeypatch.setenv("SRCGRAD_CACHE_DIR", "")
    assert DiskCache().folder == Path(platformdirs.user_cache_dir("srcgrad", appauthor=False))


@posix
def test_a_home_that_nobody_knows_turns_it_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SRCGRAD_CACHE_DIR", "~nobody-of-this-name/cache")
    assert not DiskCache().put(KEY, LOSS)
    assert DiskCache().get(KEY) is None
    assert os.listdir(tmp_path) == [], "no folder called ~nobody-of-this-name"


def test_importing_it_is_cheap() -> None:
    late = {"platformdirs", "tempfile", "numpy", "pickle"}
    code = f"import sys, srcgrad.runtime.cache; print(sorted({late} & set(sys.modules)))"
    if "numpy" in fresh_process("import sys, srcgrad; print(list(sys.modules))"):
        pytest.skip("`import srcgrad` brings NumPy, which may bring the others")
    assert fresh_process(code) == "[]"


def fresh_process(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return done.stdout.strip()


# --- many at once -------------------------------------------------------------------------------------------

SHARED_KEYS = [digit * 32 for digit in "0123"]


def shared_entry(key: str, writer: int) -> Entry:
    """Long enough that an interleaved write would show, and different for each writer."""
    return Entry(f"# {key} {writer}\n" * 2000, {"key": key, "writer": writer})


def hammer(folder: Path, writer: int, rounds: int) -> str:
    """Write and read the same few keys; what was wrong, or an empty text."""
    disk = DiskCache(folder)
    for step in range(rounds):
        key = SHARED_KEYS[(step + writer) % len(SHARED_KEYS)]
        if not disk.put(key, shared_entry(key, writer)):
            return f"put failed in round {step}"
        found = disk.get(key)  # somebody's entry, whole: a file is replaced, never absent
        if found is None or found != shared_entry(key, found.meta["writer"]):
            return f"torn or missing in round {step}"
    return ""


def at_once(count: int, work: Callable[[int], object]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_threads_may_share_it(tmp_path: Path) -> None:
    faults: list[str] = []
    at_once(8, lambda writer: faults.append(hammer(tmp_path, writer, 60)))
    assert faults == [""] * 8
    assert sorted(os.listdir(tmp_path)) == [f"{key}.py" for key in SHARED_KEYS]


def test_processes_may_share_it(tmp_path: Path) -> None:
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        faults = pool.starmap(hammer, [(tmp_path, writer, 60) for writer in range(6)])
    assert faults == [""] * 6
    assert sorted(os.listdir(tmp_path)) == [f"{key}.py" for key in SHARED_KEYS]


@posix
def test_threads_are_warned_once(full: DiskCache) -> None:
    full.folder.chmod(0o777)
    with pytest.warns(CacheWarning) as caught:
        at_once(8, lambda _: full.get(KEY))
    assert len(caught) == 1
