"""The sandbox's controls, as a client: what demo, bench and tests do to the outside world, and ask of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

import httpx

Provider = Literal["stripe", "shippo", "twilio", "mail", "warehouse"]
Mode = Literal["error", "error_kept", "error_after", "lose_answer", "refuse_connection", "delay", "rate_limit"]


class SandboxControl:
    def __init__(self, url: str, token: str, *, smtp_port: int = 0) -> None:
        self.url = url
        self.smtp_url = f"smtp://127.0.0.1:{smtp_port}"
        self.stripe_base = f"{url}/stripe"
        self.shippo_base = f"{url}/shippo"
        self.twilio_base = f"{url}/twilio"
        self.warehouse_url = f"{url}/warehouse"
        self.client = httpx.Client(
            base_url=url, headers={"Authorization": f"Bearer {token}"}, timeout=30, trust_env=False
        )

    def close(self) -> None:
        self.client.close()

    def ask(self, path: str, **query: str) -> Any:
        return self.client.get(f"/_sandbox{path}", params=query).raise_for_status().json()

    def tell(self, path: str, body: Any = None) -> Any:
        return self.client.post(f"/_sandbox{path}", json=body or {}).raise_for_status().json()

    # --- faults ------------------------------------------------------------------------------------------------------

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
        body = {"provider": provider, "operation": operation, "mode": mode, "times": times, "seconds": seconds}
        return str(self.tell("/faults", body | {"match": match})["id"])

    @contextmanager
    def failing(self, provider: Provider, operation: str, mode: Mode, *, match: str | None = None) -> Iterator[str]:
        """All calls fail in this way while the block runs."""
        id = self.fail(provider, operation, mode, times=None, match=match)
        try:
            yield id
        finally:
            self.mend(id)

    def faults(self, match: str) -> list[dict[str, Any]]:
        """Those about this order."""
        return [fault for fault in self.ask("/faults")["faults"] if fault["match"] == match]

    def struck(self, fault_id: str) -> int:
        """How often a fault has struck."""
        return next(int(fault["struck"]) for fault in self.ask("/faults")["faults"] if fault["id"] == fault_id)

    def mend(self, fault_id: str) -> None:
        self.client.delete(f"/_sandbox/faults/{fault_id}").raise_for_status()

    def heal(self) -> None:
        self.client.delete("/_sandbox/faults").raise_for_status()

    # --- time --------------------------------------------------------------------------------------------------------

    def advance(self, customer: str, seconds: float) -> None:
        self.tell("/clock", {"customer": customer, "advance_seconds": seconds})

    def pace(self, seconds: float | None, order_id: str | None = None) -> None:
        """How fast the world moves by itself, or what of it is about this order. None: it stands still."""
        self.tell("/pace", {"seconds": seconds, "order_id": order_id})

    @contextmanager
    def paced(self, seconds: float | None) -> Iterator[None]:
        """At this pace while the block runs."""
        before = self.ask("/pace")["seconds"]
        self.pace(seconds)
        try:
            yield
        finally:
            self.pace(before)

    # --- what it did and heard ---------------------------------------------------------------------------------------

    def books(self, order_id: str | None = None) -> dict[str, Any]:
        """What happened, counted (see infra/sandbox/control.py)."""
        found: dict[str, Any] = self.ask("/books", **({"order_id": order_id} if order_id else {}))
        return found

    def requests(self, provider: Provider) -> list[dict[str, Any]]:
        """The last calls as they came in."""
        found: list[dict[str, Any]] = self.ask("/requests", provider=provider)["requests"]
        return found

    def webhooks_to(self, url: str | None) -> None:
        self.tell("/webhooks", {"url": url})

    def webhooks(self, *, duplicate: bool | None = None, shuffle: bool | None = None) -> dict[str, Any]:
        """How webhooks go from now on; answers {"pending", "delivered", …}."""
        changes = {"duplicate": duplicate, "shuffle": shuffle}
        self.tell("/webhooks", {name: value for name, value in changes.items() if value is not None})
        found: dict[str, Any] = self.ask("/webhooks")
        return found

    def webhooks_taken(self, to: str = "", timeout: float = 15.0) -> None:
        """Waits until every webhook so far (to this address) was taken."""
        end = time.monotonic() + timeout
        while pending := self.ask("/webhooks", to=to)["pending"]:
            if time.monotonic() > end:
                raise TimeoutError(f"{pending} webhooks were not taken within {timeout:g} s")
            time.sleep(0.02)

    # --- what vendors do ---------------------------------------------------------------------------------------------

    def warehouse(
        self,
        fulfillment_id: str,
        step: Literal["accept", "pick", "pack", "short_pick", "refuse", "hand_over", "cancel", "refuse_cancel"],
        body: Any = None,
    ) -> None:
        self.tell(f"/warehouse/fulfillments/{fulfillment_id}/{step}", body)

    def receive(self, reference: str, location: str, lines: dict[str, int]) -> None:
        """Goods arrive: sends stock.received."""
        received = [{"sku": sku, "quantity": quantity} for sku, quantity in lines.items()]
        self.tell("/warehouse/receive", {"reference": reference, "location": location, "lines": received})

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
