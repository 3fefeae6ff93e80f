"""The explorer's server: on loopback alone, for whoever has the token, and it takes no code.

A page of another site can make the browser send requests here, and with a name of its own that it lets resolve to
127.0.0.1 even read the answers. So a request must name this server's own address as its host, must not come from
another origin, and must have the token, which nobody can guess, in its path.
"""

from __future__ import annotations

import json
import secrets
import sys
import webbrowser
from html import escape
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

from ...inspect.page.document import as_json, resource
from ..errors import CommandError
from .watch import Watch

_POLICY = (
    "default-src 'none'; img-src data:; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_FILES = {
    "page.css": "text/css",
    "explore.css": "text/css",
    "page.js": "text/javascript",
    "explore.js": "text/javascript",
    "viz.js": "text/javascript",
}
SHOWN = {
    "grad": "Gradient",
    "value_and_grad": "Value and gradient",
    "halves": "Forward and backward halves",
    "explain": "What is stored, and why",
    "graph": "Graph",
    "graph_backward": "Graph with the backward sweep",
}
_QUESTION = ("function", "wrt", "args", "show")
_HEARTBEAT = 10.0  # seconds after which a silent stream of events says that it is still there


def explore(file: Path, start: dict[str, str], port: int = 0, open_browser: bool = False) -> None:
    """Serve the explorer for a file until Ctrl-C; `start` are the first function, wrt and args. Raises CommandError."""
    if not file.is_file():
        raise CommandError(f"there is no file {file}")
    watch = Watch(file)
    try:
        server = Server(watch, start, port)
    except OSError as error:
        watch.close()
        raise CommandError(f"port {port} cannot be used: {error.strerror}") from None
    try:
        print(f"{file} is at {server.url}\nThe page follows the file. Ctrl-C ends it.", file=sys.stderr, flush=True)
        if open_browser:
            webbrowser.open(server.url)
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        print(file=sys.stderr)
    finally:
        watch.close()
        server.server_close()


class Server(ThreadingHTTPServer):
    """Bound to 127.0.0.1; `url` has the token."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, watch: Watch, start: dict[str, str], port: int = 0):
        self.watch, self.start, self.token = watch, start, secrets.token_urlsafe(24)
        super().__init__(("127.0.0.1", port), _Handler)
        self.hosts = {f"{name}:{self.server_port}" for name in ("127.0.0.1", "localhost")}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{quote(self.token)}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that has gone away is no error."""
        if not isinstance(sys.exception() if hasattr(sys, "exception") else sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "srcgrad", ""

    def do_GET(self) -> None:
        target = urlsplit(self.path)
        _, token, *rest = (*target.path.split("/"), "")
        if not self._welcome(token):
            self._send(403, "text/plain", "This address needs the token that `srcgrad explore` has printed.\n")
            return
        name = "/".join(rest).rstrip("/")
        if name == "":
            self._send(200, "text/html", self._page())
        elif name in _FILES:
            self._send(200, _FILES[name], resource(name))
        elif name == "about":
            self._json(self.server.watch.ask())
        elif name == "build":
            asked = parse_qs(target.query, keep_blank_values=True)
            self._json(self.server.watch.ask({key: asked.get(key, [""])[0] for key in _QUESTION}))
        elif name == "events":
            self._events()
        else:
            self._send(404, "text/plain", "There is nothing here.\n")

    def _welcome(self, token: str) -> bool:
        """Whether the request is for this server by its own name, from its own page, and knows the token."""
        host, origin = self.headers.get("Host", ""), self.headers.get("Origin")
        if host not in self.server.hosts or (origin is not None and origin != f"http://{host}"):
            return False
        if self.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
            return False
        return secrets.compare_digest(token.encode(), self.server.token.encode())

    def _page(self) -> str:
        page = Template(resource("explore.html"))
        shown = "".join(f'<option value="{key}">{text}</option>' for key, text in SHOWN.items())
        return page.substitute(start=as_json(self.server.start), shown=shown, name=escape(self.server.watch.file.name))

    def _json(self, answer: dict[str, Any]) -> None:
        self._send(200, "application/json", json.dumps(answer))

    def _send(self, status: int, kind: str, text: str) -> None:
        data = text.encode()
        self._head(status, f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _head(self, status: int, kind: str) -> None:
        self.send_response(status)
        for key, value in {
            "Content-Type": kind,
            "Content-Security-Policy": _POLICY,
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        }.items():
            self.send_header(key, value)

    def _events(self) -> None:
        """One event for each state of the file, the current one first."""
        watch, told = self.server.watch, -1
        self._head(200, "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        while not watch.closed:
            version = watch.version
            self.wfile.write(b": still here\n\n" if version == told else f"data: {version}\n\n".encode())
            self.wfile.flush()
            told = version
            with watch.changed:
                watch.changed.wait_for(lambda: watch.closed or watch.version != told, _HEARTBEAT)  # noqa: B023
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """The terminal is the user's own."""
