"""`explore` follows a file: each save shows the new gradient, errors stand at their line, the token alone gets in."""

import functools
import http.client
import json
import signal
import subprocess
import sys
import threading
from urllib.parse import quote

import pytest

pytest.importorskip("pygments")

from srcgrad.cli.errors import CommandError
from srcgrad.cli.explorer.server import Server, explore
from srcgrad.cli.explorer.watch import Watch

TEXT = '''"""</script><script>alert("no")</script>"""
import numpy as np
from srcgrad import grad


@grad(wrt="w")
def loss(w, x):
    error = np.tanh(x @ w)
    return np.sum(error**2)


def decay(rate: float, level: float, steps: int = 3):
    for _ in range(steps):
        level = level - rate * level**2
    return level
'''


class Explorer:
    def __init__(self, file):
        self.file = file
        self.watch = Watch(file)
        self.server = Server(self.watch, {"function": "", "wrt": "", "args": ""})
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    def save(self, text):
        self.file.write_text(text)

    def get(self, path, host=None, **headers):
        """Status and text of a request, as any program on this machine may make it."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.server_port, timeout=30)
        connection.request("GET", path, headers={"Host": host or f"127.0.0.1:{self.server.server_port}", **headers})
        answer = connection.getresponse()
        found = answer.status, answer.read().decode()
        connection.close()
        return found

    def build(self, **question):
        query = "&".join(f"{key}={quote(value)}" for key, value in question.items())
        status, text = self.get(f"/{self.server.token}/build?{query}")
        assert status == 200
        return json.loads(text)

    def close(self):
        self.watch.close()
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def explorer(tmp_path):
    file = tmp_path / "model.py"
    file.write_text(TEXT)
    running = Explorer(file)
    yield running
    running.close()


def generated(page):
    return "\n".join(page.locator("#generated .line code").all_inner_texts())


def shows(page, text):
    page.wait_for_function(
        "text => document.querySelector('#state').textContent !== 'Working…'"
        " && document.querySelector('.pane.generated').innerText.includes(text)",
        arg=text,
    )


# In the browser


def test_the_gradient_beside_its_file(opened, explorer):
    watched = opened(explorer.server.url)
    page = watched.page
    page.fill("[name=args]", "f8[d], f8[n, d]")
    page.keyboard.press("Enter")
    shows(page, "def loss_grad(w, x):")
    assert page.locator("#user .line code").first.inner_text() == '"""</script><script>alert("no")</script>"""'
    page.hover("#generated .line:has-text('return x.T')")
    assert "    error = np.tanh(x @ w)" in page.locator("#user .near code").all_inner_texts()
    home = f"http://127.0.0.1:{explorer.server.server_port}/"
    assert all(url.startswith((home, "data:")) for url in watched.requests)


def test_a_saved_file_shows_its_new_gradient(opened, explorer):
    page = opened(explorer.server.url).page
    page.select_option("[name=function]", "decay")
    shows(page, "d_rate -= d_level * level ** 2")
    explorer.save(TEXT.replace("rate * level**2", "rate * level**3"))
    shows(page, "d_rate -= d_level * level ** 3")
    assert page.input_value("[name=function]") == "decay"
    assert page.locator("#generated .fresh").count() >= 1


def test_what_cannot_be_compiled_is_said_at_its_line(opened, explorer):
    page = opened(explorer.server.url).page
    page.select_option("[name=function]", "decay")
    shows(page, "def decay_grad")
    explorer.save(TEXT.replace("rate * level**2", "eval('rate')"))
    page.locator(".fault").wait_for()
    fault = page.locator(".fault")
    before = fault.evaluate("line => line.previousElementSibling.querySelector('code').textContent")
    assert before == "        level = level - eval('rate')"
    caret = fault.locator("code").inner_text().splitlines()[0]
    assert before[caret.index("^") :].startswith("eval(")
    assert page.inner_text("#state") == "Not compiled"
    explorer.save(TEXT)
    shows(page, "d_rate -= d_level * level ** 2")
    assert page.locator(".fault").count() == 0


def test_a_file_that_is_no_python_is_said_at_its_line(opened, explorer):
    page = opened(explorer.server.url).page
    explorer.save(TEXT.replace("def decay(", "def decay(("))
    page.locator(".fault").wait_for()
    assert "SyntaxError" in page.inner_text(".fault")


def test_wrt_stages_graphs_and_explanations(opened, explorer):
    page = opened(explorer.server.url).page
    page.select_option("[name=function]", "decay")
    shows(page, "return d_rate")
    page.fill("[name=wrt]", "rate, level")
    page.keyboard.press("Enter")
    shows(page, "return d_rate, d_level")
    page.select_option("[name=show]", "stage lower")
    shows(page, "np.power")
    page.hover("#generated .line:has-text('np.power')")
    assert "        level = level - rate * level**2" in page.locator("#user .near code").all_inner_texts()
    page.select_option("[name=show]", "halves")
    shows(page, "def decay_backward")
    page.select_option("[name=show]", "value_and_grad")
    shows(page, "def decay_value_and_grad")
    page.select_option("[name=show]", "explain")
    shows(page, "Stored for the backward sweep")
    page.select_option("[name=show]", "graph")
    page.locator(".canvas svg .node", has_text="power").first.wait_for()
    page.reload()
    page.locator(".canvas svg .node", has_text="power").first.wait_for()
    assert page.input_value("[name=wrt]") == "rate, level"


def test_a_wrong_token_gets_no_page(browser, explorer):
    page = browser.new_page()
    answer = page.goto(f"http://127.0.0.1:{explorer.server.server_port}/guess/")
    assert answer.status == 403
    assert "needs the token" in page.inner_text("body")
    page.close()


# Without a browser


@pytest.mark.parametrize("path", ["/", "/guess/", "/guess/build?function=decay", "/../", "//", "/%2e%2e/etc/passwd"])
def test_without_the_token_nothing_is_told(explorer, path):
    status, text = explorer.get(path)
    assert status == 403
    assert "loss" not in text


def test_a_name_that_resolves_to_this_machine_gets_nothing(explorer):
    path = f"/{explorer.server.token}/about"
    assert explorer.get(path)[0] == 200
    assert explorer.get(path, host="attacker.example")[0] == 403
    assert explorer.get(path, host=f"attacker.example:{explorer.server.server_port}")[0] == 403
    assert explorer.get(path, Origin="http://attacker.example")[0] == 403
    assert explorer.get(path, **{"Sec-Fetch-Site": "cross-site"})[0] == 403


def test_only_get_and_only_what_is_there(explorer):
    connection = http.client.HTTPConnection("127.0.0.1", explorer.server.server_port, timeout=30)
    connection.request("POST", f"/{explorer.server.token}/build", body="print(1)")
    assert connection.getresponse().status == 501
    connection.close()
    assert explorer.get(f"/{explorer.server.token}/../model.py")[0] == 404
    assert explorer.get(f"/{explorer.server.token}/explore.html")[0] == 404


def test_it_listens_on_loopback_alone(explorer):
    assert explorer.server.server_address[0] == "127.0.0.1"


def test_the_arguments_are_types_and_never_run(explorer):
    for args in ("__import__('os').getpid(), 1.0", "np.ones(3), 1.0", "float, [n for n in ()]", "f8[print()], 1.0"):
        answer = explorer.build(function="decay", wrt="", args=args, show="explain")
        assert "is no type" in answer["message"] or "is no length" in answer["message"]


def test_only_a_function_that_is_offered(explorer):
    for name in ("absent", "np", "grad", "__builtins__"):
        answer = explorer.build(function=name, wrt="", args="1.0", show="explain")
        assert f"model.py has no function `{name}`" in answer["message"]


def test_a_bad_wrt_and_missing_arguments(explorer):
    assert "no parameter `speed`" in explorer.build(function="decay", wrt="speed", args="", show="grad")["message"]
    assert "the type of `w` is unknown" in explorer.build(function="loss", wrt="", args="", show="grad")["message"]


def test_a_file_with_a_strange_name(tmp_path):
    file = tmp_path / "<b>&.py"
    file.write_text(TEXT)
    running = Explorer(file)
    try:
        _, page = running.get(f"/{running.server.token}/")
        answer = running.build(function="decay", wrt="", args="", show="grad")
    finally:
        running.close()
    assert "&lt;b&gt;&amp;.py" in page
    assert "&lt;b&gt;&amp;.py" in answer["user"]
    assert "<b>" not in page + answer["user"]


def test_only_the_files_own_functions_are_offered(explorer):
    assert [each["name"] for each in explorer.watch.ask()["functions"]] == ["loss", "decay"]


def test_a_module_beside_the_file_is_followed_too(tmp_path):
    (tmp_path / "explored_parts.py").write_text("def power(x):\n    return x**2\n")
    file = tmp_path / "explored.py"
    file.write_text("from explored_parts import power\n\ndef loss(x: float):\n    return 3 * power(x)\n")
    running = Explorer(file)
    try:
        first = running.build(function="loss", wrt="", args="", show="grad")
        assert "6" in first["generated"]
        (tmp_path / "explored_parts.py").write_text("def power(x):\n    return x**4 + x\n")
        with running.watch.changed:
            assert running.watch.changed.wait_for(lambda: running.watch.version == 1, timeout=30)
        second = running.build(function="loss", wrt="", args="", show="grad")
        assert second["generated"] != first["generated"]
    finally:
        running.close()


def test_a_file_that_raises_ends_or_prints(explorer, tmp_path):
    for number, (line, said) in enumerate([("1 / 0", "ZeroDivisionError"), ("print('hello')", ""), ("exit()", "")], 1):
        explorer.save(f"{TEXT}\n{line}\n")
        with explorer.watch.changed:
            assert explorer.watch.changed.wait_for(lambda n=number: explorer.watch.version == n, timeout=30)
        about = explorer.watch.ask()
        if said:
            assert said in about["user"]
        elif "print" in line:
            assert [each["name"] for each in about["functions"]] == ["loss", "decay"]
        else:
            assert "ended the process" in about["message"]


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(CommandError, match="there is no file"):
        explore(tmp_path / "absent.py", {})


def test_a_port_that_is_taken(explorer):
    with pytest.raises(CommandError, match="cannot be used"):
        explore(explorer.file, {}, port=explorer.server.server_port)


def test_ctrl_c_ends_it_without_a_trace(tmp_path):
    file = tmp_path / "model.py"
    file.write_text(TEXT)
    command = [sys.executable, "-m", "srcgrad", "explore", str(file)]
    # a shell's job in the background, as tests may be, ignores Ctrl-C, and so would what it starts
    listening = functools.partial(signal.signal, signal.SIGINT, signal.SIG_DFL)
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True, preexec_fn=listening) as process:
        try:
            assert "model.py is at http://127.0.0.1:" in process.stderr.readline()
            assert "Ctrl-C" in process.stderr.readline()
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=30) == 0
            assert process.stderr.read().strip() == ""
        finally:
            process.kill()
