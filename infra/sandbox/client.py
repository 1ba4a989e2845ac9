"""The sandbox's controls, as a client: what demo, bench and tests do to the outside world, and ask of it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal

import httpx

WarehouseStep = Literal[
    "accept", "pick", "pack", "ready", "short_pick", "refuse", "hand_over", "pick_up", "cancel", "refuse_cancel"
]
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

    def now(self, customer: str) -> datetime:
        """By this customer's clock."""
        return datetime.fromisoformat(self.ask("/clock", customer=customer)["now"])

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

    def totals(self) -> Iterator[dict[str, Any]]:
        """Of each order, by the order of its id: captured, refunded, labels."""
        after = ""
        while page := self.ask("/books/orders", after=after)["orders"]:
            yield from page
            after = page[-1]["order_id"]

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
        step: WarehouseStep,
        body: Any = None,
    ) -> None:
        self.tell(f"/warehouse/fulfillments/{fulfillment_id}/{step}", body)

    def pick_up(self, fulfillment_id: str, units: dict[str, int] | None = None, by: str = "kim") -> None:
        """The customer came: for all of it, or for these units by SKU."""
        self.warehouse(fulfillment_id, "pick_up", {"by": by} | ({"units": units} if units else {}))

    def pack(self, fulfillment_id: str, *contents: dict[str, int]) -> None:
        """Packs these units by SKU, a parcel each: all of them, fewer, more, or others than were asked for."""
        self.warehouse(fulfillment_id, "pack", {"contents": contents})

    def short_pick(self, fulfillment_id: str, missing: dict[str, int]) -> None:
        """These units by SKU are not there; what is left is packed next."""
        lines = [{"sku": sku, "missing": units} for sku, units in missing.items()]
        self.warehouse(fulfillment_id, "short_pick", {"lines": lines})

    def location(self, location: str, manner: Literal["works", "refuses", "silent"], order_id: str = "") -> None:
        """How this location treats requests when it moves by itself: of one order, or of all."""
        self.tell(f"/warehouse/locations/{location}", {"manner": manner, "order_id": order_id})

    def receive(self, reference: str, location: str, lines: dict[str, int]) -> None:
        """Goods arrive: sends stock.received."""
        received = [{"sku": sku, "quantity": quantity} for sku, quantity in lines.items()]
        self.tell("/warehouse/receive", {"reference": reference, "location": location, "lines": received})

    def track(self, tracking_number: str, status: str) -> None:
        self.tell(f"/shippo/tracks/{tracking_number}/{status}")

    def given_to_carrier(self, tracking_number: str) -> None:
        """By people whom no warehouse system speaks for."""
        self.track(tracking_number, "handed_over")

    def label(self, label_id: str, answer: Literal["refund", "reject_refund"]) -> None:
        self.tell(f"/shippo/labels/{label_id}/{answer}")

    # --- money: the bank, the customer, a person at the dashboard, a shop's page -------------------------------------

    def card(self, intent_id: str, happening: Literal["authenticate", "fail_authentication", "expire"]) -> None:
        self.tell(f"/stripe/{intent_id}/{happening}")

    def card_becomes(self, intent_id: str, card: str) -> None:
        """From now on the card of this payment behaves like this test card (stolen after its first authorization)."""
        self.tell(f"/stripe/{intent_id}/becomes", {"card": card})

    def card_refund(self, refund_id: str, end: Literal["succeed", "fail"]) -> None:
        self.tell(f"/stripe/refunds/{refund_id}/{end}")

    def dispute(
        self,
        intent_id: str,
        amount: int | None = None,
        *,
        reason: str = "fraudulent",
        inquiry: bool = False,
        due_in_days: int = 14,
    ) -> dict[str, Any]:
        """The bank disputes what was taken (`amount`: less of it), or only inquires. Answers Stripe's dispute."""
        details = {"amount": amount, "reason": reason, "inquiry": inquiry, "due_in_days": due_in_days}
        return self._moved(f"/stripe/{intent_id}/dispute", details)

    def move_dispute(
        self,
        dispute_id: str,
        move: Literal["respond", "escalate", "won", "lost", "warning_closed", "returned"],
        amount: int | None = None,
    ) -> dict[str, Any]:
        """`respond`: we gave evidence; `escalate`: an inquiry becomes a chargeback; `returned`: of one that
        was lost some comes back; the others close it. `amount`: what comes back, where it is not all."""
        return self._moved(f"/stripe/disputes/{dispute_id}/{move}", {"amount": amount})

    def capture_elsewhere(self, intent_id: str, amount: int | None = None, *, final: bool = True) -> dict[str, Any]:
        """A person captures in the dashboard: all that is left, or this much. Answers the intent."""
        details = {"final_capture": final} | ({} if amount is None else {"amount_to_capture": amount})
        return self._moved(f"/stripe/{intent_id}/capture", details)

    def cancel_elsewhere(self, intent_id: str, reason: str | None = "fraudulent") -> dict[str, Any]:
        """A person cancels the intent in the dashboard. Answers the intent."""
        return self._moved(f"/stripe/{intent_id}/cancel", {"cancellation_reason": reason} if reason else {})

    def refund_elsewhere(self, intent_id: str, amount: int | None = None) -> dict[str, Any]:
        """A person refunds in the dashboard: all that is left, or this much. Answers the refund."""
        return self._moved(f"/stripe/{intent_id}/refund", {} if amount is None else {"amount": amount})

    def check_out(self, amount: int, **details: Any) -> dict[str, Any]:
        """A shop's own page makes a payment intent (see infra/sandbox/stripe/checkout.py). Answers the intent."""
        return self._moved("/stripe/checkout", {"amount": amount} | details)

    def _moved(self, path: str, details: Any = None) -> dict[str, Any]:
        moved: dict[str, Any] = self.tell(path, details)
        return moved

    # --- Stripe's events about one intent or one order, late, in another order, twice --------------------------------

    def keep_events(self, about: str) -> None:
        """From now on they are made and not sent."""
        self.tell(f"/stripe/{about}/events", {"keep": True})

    def send_events(self, about: str, *types: str) -> None:
        """Sends events of these types, each when the one before was taken: the oldest not sent yet, else the newest
        once more."""
        self.tell(f"/stripe/{about}/events", {"send": types})

    def release_events(self, about: str) -> None:
        """What was kept goes out in its order; nothing is kept any more."""
        self.tell(f"/stripe/{about}/events", {"keep": False})

    def events(self, about: str) -> list[dict[str, Any]]:
        """Stripe's, oldest first, with how often each was `sent`."""
        found: list[dict[str, Any]] = self.ask(f"/stripe/{about}/events")["events"]
        return found

    def calm(self) -> None:
        """No faults, no pace, webhooks once and in order, every location works. What happened stays."""
        self.heal()
        self.client.delete("/_sandbox/warehouse/locations").raise_for_status()
        self.pace(None)
        self.webhooks(duplicate=False, shuffle=False)
