"""The sandbox's controls, as demo and bench use them."""

from typing import Any


class Outside:
    def __init__(self, url: str) -> None:
        import httpx

        self.http = httpx.Client(base_url=f"{url}/_sandbox", timeout=30, trust_env=False)

    def ask(self, path: str, **query: str) -> Any:
        return self.http.get(path, params=query).raise_for_status().json()

    def tell(self, path: str, told: Any) -> Any:
        return self.http.post(path, json=told).raise_for_status().json()

    def fail(self, order_id: str, provider: str, operation: str, mode: str, times: int | None, seconds: float) -> None:
        """Calls about this order fail. Told again, it is the same fault."""
        if self.faults(order_id):
            return
        fault = {"provider": provider, "operation": operation, "mode": mode, "times": times, "seconds": seconds}
        self.tell("/faults", fault | {"match": order_id})

    def faults(self, order_id: str) -> list[dict[str, Any]]:
        return [fault for fault in self.ask("/faults")["faults"] if fault["match"] == order_id]

    def mend(self, order_id: str) -> None:
        for fault in self.faults(order_id):
            self.http.delete(f"/faults/{fault['id']}").raise_for_status()

    def struck(self, order_id: str) -> int:
        return sum(int(fault["struck"]) for fault in self.faults(order_id))

    def pass_time(self, customer_id: str, seconds: float) -> None:
        self.tell("/clock", {"customer": customer_id, "advance_seconds": seconds})

    def receive(self, reference: str, location: str, sku: str, quantity: int) -> None:
        lines = [{"sku": sku, "quantity": quantity}]
        self.tell("/warehouse/receive", {"reference": reference, "location": location, "lines": lines})

    def books(self, order_id: str) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("/books", order_id=order_id)
        return found

    def pace(self) -> float | None:
        seconds: float | None = self.ask("/pace")["seconds"]
        return seconds

    def set_pace(self, seconds: float | None) -> None:
        self.tell("/pace", {"seconds": seconds})
