"""Checkpoints: every tree comes back as it was, whole or not at all, and nothing in a file is run."""

import sys
from collections import Counter, OrderedDict

import numpy as np
import pytest

from srcgrad import Parameter

safetensors = pytest.importorskip("safetensors")

from srcgrad.serialization import load, save  # noqa: E402 - without safetensors there is nothing to test

pytestmark = pytest.mark.quick

NAN = float("nan")


@pytest.mark.parametrize(
    "tree",
    [
        np.arange(6.0).reshape(2, 3),
        np.float32(1.5),
        np.array(2.5),
        np.zeros((0, 3), np.int8),
        np.array([True, False]),
        {"a": [1, 2.5, "x", None, True], "b": (np.ones(2), {"c": ()})},
        {0: {"step": 3, "exp_avg": np.ones(2)}, "0": np.zeros(1), 0.5: np.ones(1), None: 1},
        OrderedDict(w=np.ones(2), b=np.zeros(1)),
        Counter({3: 2, 8: 1}),
        [float("inf"), -float("inf"), 10**40, -0.0],
        np.random.default_rng(0).bit_generator.state,
        np.random.RandomState(0).get_state(legacy=False),
        [],
        None,
        3.5,
        {"array": "name", "scalar": 1, "dict": []},
        {"a.b": np.ones(1), "a": {"b": np.zeros(1)}},
    ],
    ids=lambda tree: str(tree)[:40],
)
def test_trees_come_back_as_they_were(tree, tmp_path):
    save(tree, tmp_path / "tree.safetensors")
    loaded = load(tmp_path / "tree.safetensors")
    assert type(loaded) is type(tree)
    np.testing.assert_equal(loaded, tree)
    assert str(loaded) == str(tree)


@pytest.mark.parametrize("dtype", [">f8", "<f4", "f2", "u1", "i8", "?"])
def test_dtypes_and_layouts(dtype, tmp_path):
    array = np.arange(12).reshape(3, 4).astype(dtype)
    views = [array.T, array[::2, 1:], array[::-1], np.asfortranarray(array), np.broadcast_to(array[0], (2, 4))]
    save(views, tmp_path / "views")
    for loaded, view in zip(load(tmp_path / "views"), views, strict=True):
        assert loaded.dtype == view.dtype.newbyteorder("=")
        np.testing.assert_array_equal(loaded, view)


def test_parameters_are_saved_as_their_arrays(tmp_path):
    save({"w": Parameter([1.0, 2.0])}, tmp_path / "p")
    assert type(load(tmp_path / "p")["w"]) is np.ndarray


def test_another_programs_file_gives_its_arrays_by_name(tmp_path):
    from safetensors.numpy import save_file

    save_file({"layer.weight": np.ones((2, 2))}, tmp_path / "other")
    assert load(tmp_path / "other")["layer.weight"].tolist() == [[1, 1], [1, 1]]


def test_others_find_our_arrays_by_name(tmp_path):
    from safetensors.numpy import load_file

    save({"layer": [Parameter(np.ones(2))]}, tmp_path / "ours")
    assert load_file(tmp_path / "ours")["layer.0"].tolist() == [1, 1]


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        ({"model": [object()]}, r"model\.0 is a object, which a checkpoint does not hold"),
        (len, "the whole is a builtin_function_or_method"),
        ({"z": np.ones(2, complex)}, "z is an array of complex128"),
        ({"names": np.array(["a"])}, "names is an array of <U1"),
        ([1, {2}], "1 is a set"),
    ],
)
def test_what_is_not_held_is_named_and_the_old_file_stays(tree, message, tmp_path):
    save(1.0, tmp_path / "kept")
    with pytest.raises(TypeError, match=message):
        save(tree, tmp_path / "kept")
    assert load(tmp_path / "kept") == 1.0
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_save_that_fails_leaves_no_file_behind(tmp_path, monkeypatch):
    save(1.0, tmp_path / "kept")
    monkeypatch.setattr("os.replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        save(2.0, tmp_path / "kept")
    assert load(tmp_path / "kept") == 1.0
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_files_that_are_none(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file"):
        load(tmp_path / "missing")
    (tmp_path / "text").write_text("no checkpoint at all")
    with pytest.raises(ValueError, match="is no safetensors file"):
        load(tmp_path / "text")
    save(np.arange(1000.0), tmp_path / "cut")
    (tmp_path / "cut").write_bytes((tmp_path / "cut").read_bytes()[:-100])
    with pytest.raises(ValueError, match="is no safetensors file"):
        load(tmp_path / "cut")


def test_without_safetensors_the_extra_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    for attempt in (lambda: save(1.0, tmp_path / "a"), lambda: load(tmp_path / "a")):
        with pytest.raises(ImportError, match=r"pip install 'srcgrad\[safetensors\]'"):
            attempt()
