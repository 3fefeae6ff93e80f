"""The documentation site: it builds without a warning, every page can be reached, and every link leads somewhere."""

import importlib
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

import pytest
from docstrings import restructured
from navigation import groups, with_navigation
from sphinx.util.inventory import InventoryFile

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
MODULES = [line.strip() for line in (DOCS / "api.md").read_text().splitlines() if line.startswith("   srcgrad")]


class Links(HTMLParser):
    """What a page links to, and the names in it that can be linked to."""

    def __init__(self, path):
        super().__init__()
        self.targets, self.names = set(), set()
        self.feed(path.read_text())

    def handle_starttag(self, tag, attrs):
        found = dict(attrs)
        self.names |= {found[key] for key in ("id", "name") if found.get(key)}
        self.targets |= {found[key] for key in ("href", "src") if found.get(key)}


def test_the_site(tmp_path):
    """One build, then all there is to say about it: a build takes half a minute."""
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", str(DOCS), str(tmp_path)]
    built = subprocess.run(command, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    every_page_can_be_reached(tmp_path)
    every_link_leads_somewhere(tmp_path)
    every_public_name_is_documented(tmp_path)


def every_page_can_be_reached(site):
    linked = Links(site / "index.html").targets
    for page in [*DOCS.glob("*.md"), *DOCS.glob("*.ipynb")]:
        assert page.stem == "index" or f"{page.stem}.html" in linked, f"{page.name} is not in the navigation"


def every_link_leads_somewhere(site):
    pages = {path: Links(path) for path in site.rglob("*.html")}
    for path, page in pages.items():
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme:
                continue
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert file.exists(), f"{path.name} links to {target}"
            if parts.fragment and file in pages:
                assert unquote(parts.fragment) in pages[file].names, f"{path.name} links to {target}"


def every_public_name_is_documented(site):
    documented = set()
    for kind, names in InventoryFile.loads((site / "objects.inv").read_bytes(), uri="").data.items():
        documented |= set(names) if kind.startswith("py:") else set()
    for name in MODULES:
        module = importlib.import_module(name)
        for public in getattr(module, "__all__", ()):
            value = getattr(module, public)
            if callable(value):
                assert f"{name}.{public}" in documented, f"{name}.{public} is not in the reference"


@pytest.mark.quick
def test_the_navigation_is_that_of_the_first_page():
    text = "# Title\n\n## Start\n\n- [Tour](tour.md): all of it.\n\n## Words alone\n\nNo list.\n"
    assert groups(text) == {"Start": [("Tour", "tour")]}
    made = with_navigation(text, {"index", "tour"})
    assert made == text + "\n\n```{toctree}\n:hidden:\n:caption: Start\n\nTour <tour>\n```\n"


@pytest.mark.quick
def test_a_page_that_the_first_page_forgets_comes_last():
    made = with_navigation("## Start\n\n- [Tour](tour.md)\n", {"index", "tour", "gpu"})
    assert made.endswith("```{toctree}\n:hidden:\n:caption: More\n\ngpu\n```\n")


@pytest.mark.quick
def test_docstrings_are_text_with_parameters_and_blocks():
    docstring = [
        "A sum of `*args` and **more, with fan_in_.",
        "",
        "x, y : arrays,",
        "    of one shape",
        "Raises ValueError.",
        "    total(x)",
    ]
    assert restructured(docstring) == [
        r"A sum of `*args` and \*\*more, with fan_in\_.",
        "",
        "- **x, y**: arrays, of one shape",
        "",
        "Raises ValueError.",
        "",
        "::",
        "",
        "        total(x)",
        "",
    ]
