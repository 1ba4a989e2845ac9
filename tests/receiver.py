"""Where the sandbox's webhooks go in tests: takes them, keeps them, and refuses as many as it is told to."""

import json
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Received:
    path: str
    headers: dict[str, str]
    """By lower-case name."""
    raw: bytes
    taken: bool

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


class Receiver:
    def __init__(self) -> None:
        self.received: list[Received] = []
        self.refuse = 0
        """How many more are answered 503."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers.get("content-length", 0)))
                taken = outer.refuse <= 0
                outer.refuse -= 1
                headers = {name.lower(): value for name, value in self.headers.items()}
                outer.received.append(Received(self.path, headers, raw, taken))
                self.send_response(200 if taken else 503)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def all(self, wanted: Callable[[Received], bool]) -> list[Received]:
        """Those of this kind, in the order of their arrival."""
        return [each for each in list(self.received) if wanted(each)]

    def wait(self, wanted: Callable[[Received], bool], *, count: int = 1, timeout: float = 10.0) -> list[Received]:
        """As `all`, once there are so many."""
        end = time.monotonic() + timeout
        while len(found := self.all(wanted)) < count:
            assert time.monotonic() < end, f"{len(found)} of {count} webhooks came within {timeout} s"
            time.sleep(0.01)
        return found
