"""The documentation site: `python -m sphinx -W --keep-going docs docs/_build/html`.

The pages are Markdown that reads well on a code host too. What Sphinx needs beyond it is added here: the navigation is
made from the lists of links in index.md, the reference from the modules' docstrings.
"""

import os
import sys
from importlib import import_module
from pathlib import Path

DOCS = Path(__file__).parent
sys.path[:0] = [str(DOCS / "_ext"), str(DOCS.parent)]
os.environ["PYTHONPATH"] = os.pathsep.join([str(DOCS.parent), os.environ.get("PYTHONPATH", "")])  # for notebooks

project = "srcgrad"
copyright = "the srcgrad authors"
version = release = import_module("srcgrad").__version__

extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "navigation",
    "docstrings",
]
exclude_patterns = ["_build", "_ext", "_templates"]
templates_path = ["_templates"]
default_role = "code"  # docstrings write `names` with one backtick

highlight_language = "none"  # a block says what it is

myst_heading_anchors = 4
nb_execution_mode = "force"
nb_execution_in_temp = True
nb_execution_raise_on_error = True
nb_execution_timeout = 60

viewcode_follow_imported_members = False
add_module_names = False
autosummary_imported_members = False
autosummary_ignore_module_all = False
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # docstrings say what is taken, with shapes and units
maximum_signature_line_length = 90

html_theme = "furo"
html_title = "srcgrad"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False
pygments_style = "friendly"
pygments_dark_style = "github-dark"
