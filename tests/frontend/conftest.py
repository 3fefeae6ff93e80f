"""Functions whose text is written by the test itself."""

import importlib.util
import linecache
import sys

import pytest


@pytest.fixture
def load_text(tmp_path, monkeypatch):
    """A module from text, in a file of its own."""

    def load(text, name="module_under_test"):
        file = tmp_path / f"{name}.py"
        file.write_text(text)
        linecache.checkcache()
        spec = importlib.util.spec_from_file_location(name, file)
        module = importlib.util.module_from_spec(spec)
        monkeypatch.setitem(sys.modules, name, module)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)
        spec.loader.exec_module(module)
        return module

    return load
