"""A factory, as far as it can be reached: over HTTP, where a unit is made once per key. A test says how it behaves."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

ANSWERS = {"works": 200, "busy": 202, "broken": 500, "refuses": 422}


class Factory:
    def __init__(self) -> None:
        self.behaviour: dict[str, str] = {}
        """By production: one of ANSWERS, or `silent`, as long as it is so. Otherwise it works."""
        self.asked: list[tuple[str, str]] = []
        """Production and key of each request."""
        self.made: dict[str, set[str]] = {}
        self.changed = threading.Condition()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.send_response(outer.ask(self.path.strip("/"), self.headers["Idempotency-Key"]))
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self.thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def ask(self, production: str, key: str) -> int:
        with self.changed:
            self.asked.append((production, key))
            how = self.behaviour.get(production, "works")
            if how in ("works", "silent"):
                self.made.setdefault(production, set()).add(key)
            if how == "silent":  # made, and nobody hears of it
                self.changed.wait_for(lambda: self.behaviour.get(production) != "silent", 60)
            return ANSWERS.get(how, 200)

    def behaves(self, production: str, how: str) -> None:
        with self.changed:
            self.behaviour[production] = how
            self.changed.notify_all()

    def times(self, production: str) -> int:
        """How often it was asked."""
        return sum(name == production for name, _ in list(self.asked))

    def close(self) -> None:
        with self.changed:
            self.behaviour.clear()
            self.changed.notify_all()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()
