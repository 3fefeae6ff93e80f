"""Runs the pages' code as tests, and keeps the tests' compiled gradients out of the user's cache."""

import atexit
import os
import shutil
import tempfile

from pages import examples
from sybil import Sybil

if "SRCGRAD_CACHE_DIR" not in os.environ:  # pytest's worker processes inherit it
    os.environ["SRCGRAD_CACHE_DIR"] = tempfile.mkdtemp(prefix="srcgrad-tests-")
    atexit.register(shutil.rmtree, os.environ["SRCGRAD_CACHE_DIR"], ignore_errors=True)

pytest_collect_file = Sybil(parsers=[examples], patterns=["README.md", "docs/*.md"]).pytest()
