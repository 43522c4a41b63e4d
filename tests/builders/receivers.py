"""A stub receiver on loopback: PagerDuty, Alertmanager and webhooks as the tests need them, with scripted answers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, kw_only=True)
class Answer:
    status: int = 202
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b"{}"
    drops: bool = False
    """Take the request and close the connection without an answer."""


@dataclass(kw_only=True)
class Received:
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> object:
        return json.loads(self.body)


@dataclass(kw_only=True)
class Receiver:
    url: str
    received: list[Received] = field(default_factory=list)


@contextmanager
def receiver(answers: Sequence[Answer] = ()) -> Iterator[Receiver]:
    """A server that gives these answers in turn, then 202 for ever."""
    script = list(answers)
    heard: list[Received] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            heard.append(Received(path=self.path, headers=dict(self.headers), body=body))
            answer = script.pop(0) if script else Answer()
            if answer.drops:
                self.close_connection = True
                return
            self.send_response(answer.status)
            for name, value in answer.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(answer.body)))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield Receiver(url=f"http://127.0.0.1:{server.server_address[1]}", received=heard)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
