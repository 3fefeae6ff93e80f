"""`make_dot` draws a call: parameters by name and shape, operations, the result; forward and backward."""

import re
import shutil

import numpy as np
import pytest

from srcgrad import Parameter, checkpoint, grad, make_dot, nn

pytestmark = pytest.mark.quick


class Neuron(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer1 = nn.Linear(2, 1)
        self.activation = nn.Tanh()

    def forward(self, x):
        return self.activation(self.layer1(x))


MODEL, X = Neuron(), np.array([[1.0, 2.0]], dtype=np.float32)


@grad
def predict(model, x):
    return model(x)


def labels(graph, colour=None):
    """The labels of all nodes, or of those of a colour."""
    nodes = re.findall(r'label="([^"]*)", shape=\w+, fillcolor=(\w+)\]', graph.source)
    return [label.replace("\\n", " ") for label, fill in nodes if colour in (None, fill)]


def edges(graph):
    named = dict(re.findall(r'(n\d+) \[label="([^"\\]*)', graph.source))
    return {(named[a], named[b]) for a, b in re.findall(r"(n\d+) -> (n\d+)", graph.source)}


def test_a_result_with_the_names_of_its_parameters():
    graph = make_dot(predict.forward(MODEL, X), params=dict(MODEL.named_parameters()))
    assert labels(graph, "lightblue") == ["layer1.weight (1, 2)", "layer1.bias (1,)"]
    assert labels(graph, "white") == ["x (1, 2)"]
    assert labels(graph, "lightgrey") == ["transpose", "matmul", "add", "tanh"]
    assert labels(graph, "darkolivegreen1") == ["result (1, 1)"]
    assert {("layer1.weight", "transpose"), ("layer1.bias", "add"), ("tanh", "result")} <= edges(graph)


def test_without_names_parameters_are_called_as_they_are_reached():
    assert labels(make_dot(predict.forward(MODEL, X)), "lightblue")[0] == "model.layer1.weight (1, 2)"


def test_the_backward_sweep():
    graph = make_dot(predict.forward(MODEL, X), params=dict(MODEL.named_parameters()), backward=True)
    assert {"d_layer1_weight (1, 2)", "d_layer1_bias (1,)"} <= set(labels(graph, "darkolivegreen1"))
    assert "matmul d_layer1_weight" in labels(graph, "orange")


def test_a_gradient_and_a_call():
    @grad(wrt=("rate", "level"))
    def decay(rate, level, steps):
        for _ in range(steps):
            if level > 1:
                level = level - rate * level**2
        return level

    graph = make_dot(decay, 0.1, 2.0, 3)
    assert labels(graph, "lightblue") == ["rate ()", "level ()"]
    assert "subgraph cluster_" in graph.source
    assert 'label="for, line' in graph.source
    assert "[style=dashed]" in graph.source


def test_a_function_and_a_method():
    def loss(x, y):
        return np.sum((x - y) ** 2)

    graph = make_dot(loss, np.ones(3), np.zeros(3))
    assert labels(graph, "lightblue") == ["x (3,)"]
    assert {("x", "subtract"), ("y", "subtract"), ("power(2)", "sum"), ("sum", "result")} <= edges(graph)
    assert labels(make_dot(MODEL.forward, X), "lightgrey") == ["transpose", "matmul", "add", "tanh"]


@checkpoint
def block(x, w):
    return np.tanh(x @ w)


def halve(x, n):
    if n <= 0:
        return x
    return np.sin(halve(0.5 * x, n - 1))


def test_calls_have_the_name_of_what_is_called():
    def loss(x, w, n):
        y = halve(x, n)
        return np.sum(block(y, w))

    args = np.ones(3), np.ones((3, 3)), 15
    assert labels(make_dot(loss, *args), "lightgrey") == ["halve y", "block", "sum"]
    assert "halve_backward d_x" in labels(make_dot(loss, *args, backward=True), "orange")


def test_what_cannot_be_drawn():
    out = predict.forward(MODEL, X)
    out.backward(np.ones((1, 1), np.float32))
    with pytest.raises(RuntimeError, match="draw it before"):
        make_dot(out)
    with pytest.raises(TypeError, match="not ndarray"):
        make_dot(X)


def test_what_is_stored_has_a_border():
    def loss(w, x):
        hidden = np.tanh(x @ w)
        for _ in range(3):
            hidden = hidden * np.exp(hidden)
        return np.sum(3.0 * hidden)

    def bordered(**options):
        text = str(make_dot(grad(loss), np.ones(3), np.ones((2, 3)), **options))
        found = re.findall(r'label="([^"]*)", shape=(\w+), fillcolor=lightgrey, color=orange', text)
        return [(label.replace("\\n", " "), shape) for label, shape in found]

    assert bordered() == []
    assert bordered(show_saved=True) == [("tanh hidden", "box"), ("hidden", "ellipse"), ("exp", "box")]
    assert bordered(show_saved=True, backward=True)[0] == ("tanh hidden", "box")


def test_saving(tmp_path):
    graph = make_dot(grad(lambda x: np.sum(x**2)), Parameter(np.ones(3)))
    graph.save(tmp_path / "graph.dot")
    assert (tmp_path / "graph.dot").read_text() == str(graph)
    with pytest.raises(ValueError, match="suffix"):
        graph.save(tmp_path / "graph.txt")


def test_pictures(tmp_path):
    pytest.importorskip("graphviz")
    graph = make_dot(grad(lambda x: np.sum(x**2)), np.ones(3))
    if shutil.which("dot") is None:
        with pytest.raises(RuntimeError, match="`dot` is not on the path"):
            graph.render()
        return
    graph.save(tmp_path / "graph.svg")
    assert (tmp_path / "graph.svg").read_bytes().lstrip().startswith(b"<?xml")
    graph.save(tmp_path / "graph.png")
    assert (tmp_path / "graph.png").read_bytes().startswith(b"\x89PNG")
    assert "image/svg+xml" in graph._repr_mimebundle_()


def test_pictures_name_the_extra(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "graphviz", None)
    with pytest.raises(ImportError, match=r"srcgrad\[graph\]"):
        make_dot(grad(lambda x: np.sum(x**2)), np.ones(3)).render()
