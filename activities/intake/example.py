"""The example order: the API's reference shows it; demo, bench and tests vary it."""

from collections.abc import Mapping
from copy import deepcopy
from typing import Any

EXAMPLE: dict[str, Any] = {
    "order_id": "W-1001",
    "channel": "web",
    "currency": "usd",
    "customer": {"customer_id": "C-7", "name": "Ada Park", "email": "ada@example.com"},
    "lines": [{"sku": "MUG-BLUE", "quantity": 2, "unit_price": 1800}],
    "shipping": {
        "price": 500,
        "address": {
            "name": "Ada Park",
            "street1": "215 Clayton St",
            "city": "San Francisco",
            "state": "CA",
            "zip": "94117",
            "country": "US",
        },
    },
    "tax": 310,
    "total": 4410,
    "payment": {"method": "card", "payment_method": "pm_card_visa"},
}


def example_order(order_id: str, units: Mapping[str, int], **changes: Any) -> dict[str, Any]:
    """The example with these units at 18.00, untaxed, of a customer of its own who hears by mail and by SMS. `changes`
    go to where their name belongs; `card` is the payment method, and `payments` stand in place of the payment."""
    order = deepcopy(EXAMPLE) | {"order_id": order_id, "tax": 0}
    order["customer"] |= {"customer_id": f"C-{order_id}", "phone": "+14155550100", "notify": ["email", "sms"]}
    order["lines"] = [{"sku": sku, "quantity": n, "unit_price": 1800} for sku, n in units.items()]
    order["payment"]["payment_method"] = changes.pop("card", order["payment"]["payment_method"])
    if "payments" in changes:
        del order["payment"]
    for name, value in changes.items():
        for part in [p for p in (order["customer"], order["shipping"]["address"]) if name in p] or [order]:
            part[name] = value
    subtotal = sum(line["quantity"] * line["unit_price"] for line in order["lines"])
    due = subtotal + order["tax"] + order["shipping"]["price"] - order.get("discount", 0)
    return order | {"total": changes.get("total", due)}
