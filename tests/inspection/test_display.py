"""In a notebook a derivative shows itself as highlighted source, with the function beside it behind a click."""

import re

import numpy as np
import pytest

from srcgrad import grad, hvp, jacobian, jvp, value_and_grad

pytestmark = pytest.mark.quick


def loss(w, x):
    error = np.tanh(x @ w)  # a <b>comment</b>
    return np.sum(error**2)


W, X = np.ones(3), np.ones((4, 3))


class Printer:
    """As much of IPython's pretty printer as is used."""

    def __init__(self):
        self.said = ""

    def text(self, text):
        self.said += text


def pretty(thing):
    printer = Printer()
    thing._repr_pretty_(printer, False)
    return printer.said


def words(html):
    return re.sub(r"<style>.*?</style>|<[^>]+>", "", html, flags=re.DOTALL).replace("&lt;", "<").replace("&gt;", ">")


def test_before_a_call_it_says_what_to_do():
    gradient = grad(loss)
    assert gradient._repr_html_() is None
    assert gradient._repr_markdown_() is None
    expected = "<gradient of loss with respect to w>: call it, or `source_for(*args)`, to see its source"
    assert pretty(gradient) == expected


def test_numbers_are_known_before_a_call():
    def area(radius: float):
        return np.pi * radius**2

    assert "def area_grad(radius):" in pretty(grad(area))


@pytest.mark.parametrize(("make", "args"), [(grad, (W, X)), (value_and_grad, (W, X)), (hvp, (W, X, W))])
def test_plain_html_and_markdown_show_the_source(make, args):
    derivative = make(loss)
    derivative(*args)
    source = derivative.source.rstrip()
    assert pretty(derivative) == f"# {repr(derivative).strip('<>')}\n{source}"
    assert derivative._repr_markdown_() == f"```python\n{source}\n```\n"
    assert source in words(derivative._repr_html_())


def test_what_is_unfolded_has_both_sides_and_escapes_them():
    gradient = grad(loss)
    gradient(W, X)
    html = gradient._repr_html_()
    folded = html[html.index("<details>") :]
    assert "<details open" not in html
    assert f"{loss.__code__.co_firstlineno}  def loss(w, x):" in words(folded)
    assert "def loss_grad(w, x):" in words(folded)
    assert re.search(r"# line \d+: return np.sum", words(folded)) or "# lines" in words(folded)
    assert "<b>comment" not in html
    assert "&lt;b&gt;comment" in html
    assert "<script" not in html
    assert "http" not in html


def test_a_method_shows_itself():
    class Spring:
        k = 2.0

        @grad(wrt="x")
        def energy(self, x: float):
            return self.k * x**2

    spring = Spring()
    spring.energy(1.0)
    assert "def energy_grad(self, x):" in words(spring.energy._repr_html_())
    assert "def energy_grad(self, x):" in pretty(spring.energy)


def test_what_cannot_be_compiled_still_has_a_form():
    def wrong(x: float):
        return eval("x")

    assert grad(wrong)._repr_html_() is None
    assert pretty(grad(wrong)).startswith("<gradient of ")


@pytest.mark.parametrize("make", [grad, value_and_grad, jvp, hvp, jacobian])
def test_ipython_takes_all_three(make):
    formatter = pytest.importorskip("IPython.core.formatters")

    def area(radius: float):
        return np.pi * radius**2

    shell = formatter.DisplayFormatter()
    shell.active_types = ["text/plain", "text/html", "text/markdown"]
    data, _ = shell.format(make(area))
    assert set(data) == {"text/plain", "text/html", "text/markdown"}
    for form in data.values():
        assert "def area_" in words(form)


def test_a_notebook_shows_it():
    nbclient, nbformat = pytest.importorskip("nbclient"), pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    cells = [
        "import numpy as np\nfrom srcgrad import grad",
        "@grad\ndef loss(x):\n    error = np.tanh(x)  # in a cell\n    return np.sum(error**2)\n\nloss",
        "loss(np.ones(3))\nloss",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(notebook, timeout=60).execute()
    (before,), (after,) = (cell.outputs for cell in notebook.cells[1:])
    assert "call it, or `source_for(*args)`" in before.data["text/plain"]
    assert "text/html" not in before.data
    assert "error = np.tanh(x)  # in a cell" in words(after.data["text/html"])
    assert after.data["text/markdown"].startswith("```python\nimport numpy as np\n")
    assert after.data["text/plain"].startswith("# gradient of loss with respect to x\n")
