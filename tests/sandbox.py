"""The sandbox as a process of its own, and a typed client for its controls."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

import httpx

ROOT = Path(__file__).resolve().parent.parent

SECRETS = {
    "STRIPE_WEBHOOK_SECRET": "whsec_tests",
    "SHIPPO_WEBHOOK_SECRET": "shippo-tests",
    "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
    "TWILIO_AUTH_TOKEN": "twilio-tests",
    "WAREHOUSE_SECRET": "whsec_dGVzdHMtd2FyZWhvdXNlLXNlY3JldA==",
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class SandboxProcess:
    """`python -m infra.sandbox`, started, killed and started again on the same state."""

    state: Path
    pace: float | None = None
    port: int = field(default_factory=free_port)
    smtp_port: int = field(default_factory=free_port)
    public_url: str | None = None
    running: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Self:
        command = [sys.executable, "-m", "infra.sandbox", "--state", str(self.state)]
        command += ["--port", str(self.port), "--smtp-port", str(self.smtp_port)]
        command += [] if self.pace is None else ["--pace", str(self.pace)]
        new = not self.state.exists() or not any(self.state.iterdir())
        told = {"ORDERS_ENV_FILE": "", "PUBLIC_URL": self.public_url or "http://127.0.0.1:1"}
        self.running = subprocess.Popen(
            command, cwd=ROOT, env={**os.environ, **SECRETS, **told}, stdout=subprocess.PIPE, text=True
        )
        assert self.running.stdout is not None
        first = self.running.stdout.readline()
        assert first.startswith("sandbox ready"), f"the sandbox did not start (exit {self.running.poll()}): {first!r}"
        if new and self.public_url is None:
            # Nobody listens yet: webhooks wait until they are told where to go.
            httpx.post(f"{self.url}/_sandbox/webhooks", json={"url": None}, trust_env=False).raise_for_status()
        return self

    def kill(self) -> None:
        """As a crash does: no warning."""
        assert self.running is not None
        self.running.kill()
        self.running.wait()
        self._forget()

    def stop(self) -> int:
        assert self.running is not None
        self.running.send_signal(signal.SIGTERM)
        code = self.running.wait(timeout=15)
        self._forget()
        return code

    def _forget(self) -> None:
        if self.running is not None and self.running.stdout is not None:
            self.running.stdout.close()
        self.running = None


Provider = Literal["stripe", "shippo", "twilio", "mail", "warehouse"]
Mode = Literal["error", "error_after", "lose_answer", "refuse_connection", "delay", "rate_limit"]


class SandboxControl:
    """What a test may do to the outside world, and ask of it."""

    def __init__(self, url: str, *, smtp_port: int = 0) -> None:
        self.url = url
        self.smtp_url = f"smtp://127.0.0.1:{smtp_port}"
        self.stripe_base = f"{url}/stripe"
        self.shippo_base = f"{url}/shippo"
        self.twilio_base = f"{url}/twilio"
        self.warehouse_url = f"{url}/warehouse"
        self.client = httpx.Client(base_url=url, timeout=30, trust_env=False)

    def close(self) -> None:
        self.client.close()

    def ask(self, path: str, **query: str) -> Any:
        return self.client.get(f"/_sandbox{path}", params=query).raise_for_status().json()

    def tell(self, path: str, told: Any = None) -> Any:
        return self.client.post(f"/_sandbox{path}", json=told or {}).raise_for_status().json()

    def fail(
        self,
        provider: Provider,
        operation: str,
        mode: Mode,
        *,
        times: int | None = 1,
        seconds: float = 0.0,
        match: str | None = None,
    ) -> str:
        """The next calls fail in this way (`times=None`: until deleted). `match`: only those about this order."""
        told = {"provider": provider, "operation": operation, "mode": mode, "times": times, "seconds": seconds}
        return str(self.tell("/faults", told | {"match": match})["id"])

    @contextmanager
    def failing(self, provider: Provider, operation: str, mode: Mode, *, match: str | None = None) -> Iterator[str]:
        """All calls fail in this way while the block runs."""
        id = self.fail(provider, operation, mode, times=None, match=match)
        try:
            yield id
        finally:
            self.client.delete(f"/_sandbox/faults/{id}").raise_for_status()

    def struck(self, fault_id: str) -> int:
        """How often a fault has struck."""
        return next(int(fault["struck"]) for fault in self.ask("/faults")["faults"] if fault["id"] == fault_id)

    def heal(self) -> None:
        self.client.delete("/_sandbox/faults").raise_for_status()

    def advance(self, customer: str, seconds: float) -> None:
        self.tell("/clock", {"customer": customer, "advance_seconds": seconds})

    def books(self, order_id: str | None = None) -> dict[str, Any]:
        """What happened, counted (see infra/sandbox/control.py)."""
        found: dict[str, Any] = self.ask("/books", **({"order_id": order_id} if order_id else {}))
        return found

    def pace(self, seconds: float | None) -> None:
        self.tell("/pace", {"seconds": seconds})

    def webhooks_to(self, url: str | None) -> None:
        self.tell("/webhooks", {"url": url})

    def webhooks(self, *, duplicate: bool | None = None, shuffle: bool | None = None) -> dict[str, Any]:
        """How webhooks go from now on; answers {"pending", "delivered", …}."""
        changes = {"duplicate": duplicate, "shuffle": shuffle}
        self.tell("/webhooks", {name: value for name, value in changes.items() if value is not None})
        found: dict[str, Any] = self.ask("/webhooks")
        return found

    def webhooks_taken(self, timeout: float = 15.0) -> None:
        """Waits until every webhook so far was taken."""
        end = time.monotonic() + timeout
        while (pending := self.ask("/webhooks")["pending"]) and time.monotonic() < end:
            time.sleep(0.02)
        assert not pending, f"{pending} webhooks were not taken within {timeout} s"

    def requests(self, provider: Provider) -> list[dict[str, Any]]:
        """The last calls as they came in."""
        found: list[dict[str, Any]] = self.ask("/requests", provider=provider)["requests"]
        return found

    def warehouse(
        self,
        fulfillment_id: str,
        step: Literal["accept", "pick", "pack", "short_pick", "refuse", "hand_over", "cancel", "refuse_cancel"],
        told: Any = None,
    ) -> None:
        self.tell(f"/warehouse/fulfillments/{fulfillment_id}/{step}", told)

    def receive(self, reference: str, location: str, lines: dict[str, int]) -> None:
        """Goods arrive: sends stock.received."""
        told = [{"sku": sku, "quantity": quantity} for sku, quantity in lines.items()]
        self.tell("/warehouse/receive", {"reference": reference, "location": location, "lines": told})

    def track(self, tracking_number: str, status: str) -> None:
        self.tell(f"/shippo/tracks/{tracking_number}/{status}")

    def label(self, label_id: str, answer: Literal["refund", "reject_refund"]) -> None:
        self.tell(f"/shippo/labels/{label_id}/{answer}")

    def card(
        self, intent_id: str, happening: Literal["authenticate", "fail_authentication", "expire", "dispute"]
    ) -> None:
        self.tell(f"/stripe/{intent_id}/{happening}")

    def card_refund(self, refund_id: str, end: Literal["succeed", "fail"]) -> None:
        self.tell(f"/stripe/refunds/{refund_id}/{end}")

    def calm(self) -> None:
        """No faults, no pace, webhooks once and in order. What happened stays."""
        self.heal()
        self.pace(None)
        self.webhooks(duplicate=False, shuffle=False)
