"""What a stack takes is read from its processes; what is not to be seen from here is named."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

from infra.database.counting import STATEMENTS, TRANSACTIONS
from infra.processes import free_ports
from starter.cli.bench.consumption import LISTENS, Consumption, asked, consumption


def test_what_does_not_run_on_this_machine_is_left_out_and_named() -> None:
    [port] = free_ports(1)
    found = consumption({"api": port}, f"http://127.0.0.1:{port}")
    assert found == Consumption({}, {}, {})
    asked = [f"{what} of {name}" for what in ("statements", "transactions") for name in ("worker", "api")]
    assert found.not_seen() == [f"CPU of {name}" for name in LISTENS] + asked


def test_what_began_or_ended_in_between_is_left_out() -> None:
    before = Consumption({"worker": 100.0, "api": 50.0}, {"worker": 90.0}, {})
    after = Consumption({"worker": 300.0, "engine": 20.0}, {"worker": 10.0}, {})
    assert after.per_order(before, 10) == Consumption({"worker": 20.0}, {}, {})


class Idle(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"temporal_worker_start_total 1\n")


def test_a_worker_that_has_done_nothing_yet_has_asked_nothing() -> None:
    with HTTPServer(("127.0.0.1", 0), Idle) as server:
        threading.Thread(target=server.handle_request).start()
        assert asked(f"http://127.0.0.1:{server.server_port}/metrics") == {STATEMENTS: 0, TRANSACTIONS: 0}
