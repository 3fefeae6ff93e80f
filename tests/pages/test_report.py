"""`report` writes one file: both sides, their lines mapped, explained, drawn, measured; safe whatever the source."""

import linecache
import re

import numpy as np
import pytest

from srcgrad import grad, hessian, hvp, jacfwd, nn, value_and_grad
from srcgrad.inspect.drawing import Graph

pytest.importorskip("pygments")

RNG = np.random.default_rng(3)


def activation(z):
    return np.tanh(z) + 0.1 * z


@grad(wrt=("w1", "w2"))
def loss(w1, w2, x, y, note="</script><b>"):
    """Squared error <script>alert("docstring")</script>"""
    hidden = activation(x @ w1)  # </code><img src=x onerror=alert(1)>
    error = hidden @ w2 - y
    return np.sum(error**2)


ARGS = (
    RNG.standard_normal((3, 4)),
    RNG.standard_normal((4, 2)),
    RNG.standard_normal((5, 3)),
    RNG.standard_normal((5, 2)),
)


def lines(html, side):
    """The text of each line of a side, by its identity."""
    found = re.findall(rf'<li id="({side}\d+-\d+)".*?<code[^>]*>(.*?)</code>', html, re.DOTALL)
    unescaped = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&#x27;": "'", "&amp;": "&"}
    texts = {}
    for identity, text in found:
        plain = re.sub(r"<[^>]*>", "", text)
        for escaped, letter in unescaped.items():
            plain = plain.replace(escaped, letter)
        texts[identity] = plain.rstrip()
    return texts


def mapped(html):
    """For the text of each generated line, the texts of the user's lines that it comes from."""
    user, generated = lines(html, "u"), lines(html, "g")
    to = dict(re.findall(r'<li id="(g0-\d+)"[^>]*data-to="([^"]*)"', html))
    return {generated[line].strip(): [user[each].strip() for each in ids.split()] for line, ids in to.items()}


@pytest.fixture(scope="module")
def html():
    return loss.report(*ARGS).html


@pytest.mark.quick
def test_both_sides_are_the_texts_themselves(html):
    loss(*ARGS)
    user, generated = lines(html, "u"), lines(html, "g")
    first = loss.source.splitlines()
    assert [text for line, text in generated.items() if line.startswith("g0-")] == first
    assert "    hidden = activation(x @ w1)  # </code><img src=x onerror=alert(1)>" in user.values()


@pytest.mark.quick
def test_a_line_belongs_to_every_line_that_is_folded_into_it(html):
    belongs = mapped(html)
    assert belongs["error = hidden @ w2 - y"] == ["error = hidden @ w2 - y"]
    assert belongs["d_error = 2 * error"] == ["return np.sum(error**2)"]
    (d_w1,) = [to for text, to in belongs.items() if text.startswith("d_w1 =")]
    assert any("activation(x @ w1)" in text for text in d_w1)
    assert belongs["return d_w1, d_w2"] == []


@pytest.mark.quick
def test_helpers_that_were_read_in_place_are_shown(html):
    assert "<code>activation</code>" in html
    assert "    return np.tanh(z) + 0.1 * z" in lines(html, "u").values()


@pytest.mark.quick
def test_stored_values_are_marked_on_both_sides(html):
    user, _, generated = html.partition('<div class="pane generated">')
    pattern = r'<mark class="stored" title="stored for the backward sweep: ([^"]*)">(.*?)</mark>'
    marked = [(said, re.sub("<[^>]*>", "", text)) for said, text in re.findall(pattern, generated)]
    assert {"hidden", "error"} <= {text for _, text in marked}
    assert "w2" not in {text for _, text in marked}, "the caller keeps the arguments"
    assert all(said.startswith(f"{text}: f8[") for said, text in marked if text in ("hidden", "error"))
    expression = "".join(re.sub("<[^>]*>", "", text) for said, text in re.findall(pattern, user) if "error:" in said)
    assert expression == "hidden @ w2 - y"


@pytest.mark.quick
def test_what_the_user_wrote_cannot_become_part_of_the_page(html):
    assert "<script>alert" not in html
    assert "<img" not in html
    assert html.count("</script>") == html.count("<script")


@pytest.mark.quick
def test_explanation_and_specialisations(html):
    assert "Stored for the backward sweep: " in html
    assert "<code>w1.shape[1] == w2.shape[0]</code>" in html
    assert "loss_grad</code>" in html.partition("Specialisations")[2]


def of_a_cell(text):
    """The function `cell` of a notebook's cell, which has no file: linecache alone knows its source."""
    name, names = f"<ipython-input-{len(text)}-0123456789ab>", {"np": np}
    linecache.cache[name] = len(text), None, [f"{line}\n" for line in text.removesuffix("\n").split("\n")], name
    exec(compile(text, name, "exec"), names)
    return names["cell"]


@pytest.mark.quick
def test_characters_that_look_like_the_end_of_a_line():
    cell = of_a_cell("def cell(x):\n    y = x**2  # before \u2028 and \x85 after\n    return np.sum(np.sin(y))\n")
    belongs = mapped(grad(cell).report(np.ones(3)).html)
    first, last = "y = x**2  # before \u2028 and \x85 after", "return np.sum(np.sin(y))"
    assert belongs["y = x ** 2  # before \u2028 and \x85 after"] == [first]
    assert set(belongs["return np.cos(y) * (2 * x)"]) == {first, last}


@pytest.mark.quick
def test_the_page_loads_nothing(html):
    assert "default-src 'none'" in html
    assert not re.search(r'(src|href)="(?!#)', html)


@pytest.mark.quick
def test_times_and_shapes_are_there_only_where_they_were_measured(html):
    assert 'class="time' not in html
    measured = loss.report(*ARGS, measure=True).html
    assert "Measured on this machine" in measured
    assert '<span class="shape">f8[5, 2]</span>' in measured
    assert re.search(r'<span class="time heat\d" title="\d+% of the run">[\d.<]+', measured)


@pytest.mark.quick
def test_passes_and_times_of_loops_and_helpers():
    from srcgrad.inspect.call import compiled_call
    from srcgrad.inspect.page.measure import measure

    def decay(rate, level, steps):
        for _ in range(steps):
            if level > 100.0:
                return level
            level = level - rate * level**2
        return level

    gradient = grad(decay)
    expected = gradient(0.1, 3.0, 7)
    call = compiled_call(gradient._grad, (0.1, 3.0, 7))
    measured = measure(call)
    text = call.compiled.emitted[0].text.splitlines()
    passes = {text[line - 1].strip(): seen.passes for line, seen in measured.lines.items()}
    assert passes["level = level - rate * level ** 2"] == 7
    assert passes["d_rate = 0.0"] == 1
    assert all(seen.seconds >= 0 for seen in measured.lines.values())
    assert 0 < measured.best < 0.1
    assert gradient(0.1, 3.0, 7) == expected


def walk(x, n):
    if n <= 0:
        return x
    return np.sin(walk(x * x, n - 1))


@pytest.mark.quick
def test_a_function_that_calls_itself():
    def total(x, n):
        y = 0.5 * x
        return np.sum(walk(y, n) ** 2)

    html = grad(total).report(np.ones(3), 15, measure=True).html
    assert "def walk_forward(x, n):" in lines(html, "g").values()
    assert "    return np.sin(walk(x * x, n - 1))" in lines(html, "u").values()


@pytest.mark.quick
@pytest.mark.parametrize(
    ("derivative", "args", "title"),
    [
        (value_and_grad(loss.function), ARGS, "value and gradient"),
        (hessian(lambda x: np.sum(np.sin(x) * x)), (np.ones(3),), "Hessian"),
        (jacfwd(lambda x: np.sin(x) * x), (np.ones(3),), "Jacobian"),
        (hvp(lambda x: np.sum(np.sin(x) * x)), (np.ones(3), np.ones(3)), "Hessian-vector product"),
    ],
)
def test_every_derivative_has_a_page(derivative, args, title):
    html = derivative.report(*args, measure=True).html
    assert f"and its {title}</h1>" in html
    assert any("from" not in line and "def " in line for line in lines(html, "g").values())


@pytest.mark.quick
def test_a_model_is_differentiated_in_its_parameters():
    @grad
    def fit(model, x):
        return np.mean(model(x) ** 2)

    html = fit.report(nn.Linear(3, 2), np.ones((4, 3), np.float32)).html
    assert lines(html, "g")["g0-1"] == "import numpy as np"
    assert any(text.strip().startswith("return d_weight, d_bias") for text in lines(html, "g").values())
    assert "model.weight\\n(2, 3)" in html, "in the graph"


@pytest.mark.quick
def test_a_function_of_a_notebooks_cell():
    cell = of_a_cell("def half(x):\n    return x / 2\n\ndef cell(x):\n    return np.sum(half(x)**2)\n")
    html = grad(cell).report(np.ones(3)).html
    assert {"    return x / 2", "    return np.sum(half(x)**2)"} <= set(lines(html, "u").values())


@pytest.mark.quick
def test_saved_and_shown_in_a_notebook(tmp_path):
    report = loss.report(*ARGS)
    report.save(tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == report.html
    assert report._repr_html_().startswith('<iframe sandbox="allow-scripts"')


@pytest.mark.quick
def test_without_pygments_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pygments.lexers.python", None)
    with pytest.raises(ImportError, match=r"srcgrad\[report\]"):
        loss.report(*ARGS)


# In the browser


@pytest.fixture(scope="module")
def file(tmp_path_factory, html):
    place = tmp_path_factory.mktemp("report") / "report.html"
    place.write_text(html, encoding="utf-8")
    return place.as_uri()


def at(page, text, side):
    """The identity of the line with a text."""
    return page.locator(f".pane.{side} .view:not([hidden]) .line, .pane.{side} > .lines .line").evaluate_all(
        "(lines, text) => lines.find(l => l.querySelector('code').textContent.includes(text)).id", text
    )


def near(page):
    """The texts of the lines that are lit up."""
    return {text.strip() for text in page.locator(".line.near code").all_inner_texts()}


def test_pointing_at_a_line_shows_its_partners(opened, file):
    watched = opened(file)
    page = watched.page
    page.hover("#" + at(page, "d_error = ", "generated"))
    assert near(page) == {"d_error = 2 * error", "return np.sum(error**2)"}
    page.hover("#" + at(page, "error = hidden @ w2 - y", "user"))
    assert {"error = hidden @ w2 - y", "d_w2 = hidden.T @ d_error"} <= near(page)
    page.hover("h1")
    assert near(page) == set()
    assert watched.requests == [file]


def test_clicking_keeps_a_line_and_says_so(opened, file):
    page = opened(file).page
    line = "#" + at(page, "d_w2 = ", "generated")
    page.click(line)
    page.hover("h1")
    assert near(page) == {"d_w2 = hidden.T @ d_error", "error = hidden @ w2 - y"}
    assert page.get_attribute(line, "aria-selected") == "true"
    assert re.fullmatch(r"From line \d+ of the function\.", page.text_content("[role=status]"))
    page.click(line)
    page.hover("h1")
    assert near(page) == set()


def test_the_keyboard_does_all_of_it(opened, file):
    page = opened(file).page
    focused = "document.activeElement.querySelector('code').textContent.trim()"
    page.locator(".pane.user .line[tabindex='0']").first.focus()
    page.keyboard.press("End")
    assert page.evaluate(focused) == "return np.sum(error**2)"
    page.keyboard.press("ArrowUp")
    assert page.evaluate(focused) == "error = hidden @ w2 - y"
    assert "d_w2 = hidden.T @ d_error" in near(page)
    page.keyboard.press("ArrowRight")
    assert page.evaluate(focused) == "error = hidden @ w2 - y"
    page.keyboard.press("ArrowDown")
    assert page.evaluate(focused) == "d_error = 2 * error"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.getAttribute('aria-selected')") == "true"
    page.keyboard.press("ArrowLeft")
    assert page.evaluate(focused) == "return np.sum(error**2)"
    page.keyboard.press("Escape")
    assert page.locator("[aria-selected=true]").count() == 0
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid", "the focus can be seen"


def test_each_side_is_one_stop_of_the_tab_key(opened, file):
    page = opened(file).page
    assert page.locator(".pane.user > .lines").count() == page.locator(".pane.user .line[tabindex='0']").count()
    assert page.locator(".view:not([hidden]) .line[tabindex='0']").count() == 1


def test_the_halves_are_another_view(opened, file):
    page = opened(file).page
    page.click("text=Forward and backward halves")
    shown = page.locator(".view:not([hidden]) h3").all_inner_texts()
    assert shown == ["loss_forward", "loss_backward"]
    page.hover("#" + at(page, "d_w2 = ", "generated"))
    assert "error = hidden @ w2 - y" in near(page)


def test_dark_and_light(opened, file):
    background = "getComputedStyle(document.body).backgroundColor"
    for scheme, first, second in (
        ("light", "rgb(255, 255, 255)", "rgb(21, 23, 27)"),
        ("dark", "rgb(21, 23, 27)", "rgb(255, 255, 255)"),
    ):
        page = opened(file, color_scheme=scheme).page
        assert page.evaluate(background) == first
        page.click("[data-do=theme]")
        assert page.evaluate(background) == second


def test_the_text_can_be_read_against_its_background(opened, file):
    """Contrast of at least 4.5 to 1, as WCAG 2.1 asks for, of all code in both themes."""
    for scheme in ("light", "dark"):
        page = opened(file, color_scheme=scheme).page
        assert page.evaluate(CONTRAST) == []


CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgb = (color) => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (c) => {
    const [r, g, b] = c.map((v) => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (e) => {
    for (; e; e = e.parentElement) { const c = rgb(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; }
    return [255, 255, 255];
  };
  const faults = [];
  for (const e of document.querySelectorAll(".line code span, .line .number, .line .to, .signature, .legend, th, dt")) {
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(behind(e))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (e.textContent.trim() && ratio < 4.5) faults.push(`${e.className}: ${e.textContent} ${ratio.toFixed(2)}`);
  }
  return [...new Set(faults)];
}"""


def test_on_paper_everything_is_shown(opened, file):
    page = opened(file, color_scheme="dark").page
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator(".tools").is_hidden()
    assert page.locator(".view").last.is_visible()
    cut = "[...document.querySelectorAll('.lines')].filter(l => l.scrollHeight > l.clientHeight + 2).length"
    assert page.evaluate(cut) == 0
    assert page.pdf().startswith(b"%PDF")


def test_on_a_narrow_screen_the_sides_are_one_below_the_other(opened, file):
    page = opened(file, viewport={"width": 390, "height": 800}, has_touch=True).page
    user, generated = (page.locator(f".pane.{side}").bounding_box() for side in ("user", "generated"))
    assert generated["y"] > user["y"] + user["height"] - 1
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.locator(".pane.generated .line:not(.unmapped)").nth(6).tap()
    assert len(near(page)) >= 2


def test_it_works_inside_a_notebook(opened, tmp_path):
    """A notebook puts it into a frame that may run scripts and nothing else."""
    place = tmp_path / "notebook.html"
    place.write_text(f"<!doctype html><meta charset=utf-8>{loss.report(*ARGS)._repr_html_()}", encoding="utf-8")
    page = opened(place.as_uri()).page
    inside = page.frame_locator("iframe")
    inside.locator(".view:not([hidden]) .line", has_text="d_error = ").hover()
    assert "return np.sum(error**2)" in {text.strip() for text in inside.locator(".near code").all_inner_texts()}
    inside.locator("[data-do=theme]").click()


def test_an_operation_of_the_graph_shows_its_line(opened, file):
    page = opened(file).page
    page.locator(".canvas svg").first.wait_for()
    page.locator(".picture:not([hidden]) .node", has_text="subtract").hover()
    assert "error = hidden @ w2 - y" in near(page)
    page.click("text=With its gradient")
    assert page.locator(".picture:not([hidden]) .node", has_text="d_w1").count() >= 1


def test_without_graphviz_the_page_draws_the_same_graph(opened, tmp_path, monkeypatch, html):
    def missing(self, kind):
        raise RuntimeError("no dot")

    monkeypatch.setattr(Graph, "render", missing)
    place = tmp_path / "report.html"
    loss.report(*ARGS).save(place)
    watched = opened(place.as_uri())
    page = watched.page
    page.locator(".canvas svg").first.wait_for()
    labels = page.locator(".picture:not([hidden]) .node").evaluate_all(
        "nodes => nodes.map(n => [...n.querySelectorAll('text')].map(t => t.textContent).join(' '))"
    )
    dot = re.findall(r'label="([^"]*)", shape', str(__import__("srcgrad").make_dot(loss, *ARGS)))
    assert sorted(labels) == sorted(label.replace("\\n", " ") for label in dot)
    page.locator(".picture:not([hidden]) .node", has_text="subtract").hover()
    assert "error = hidden @ w2 - y" in near(page)
    assert watched.requests == [place.as_uri()]
