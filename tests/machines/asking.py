"""Orders as somebody may ask for them: few lines, small and uneven amounts."""

from typing import Any

from hypothesis import strategies as st
from pydantic import ValidationError

from activities import facts
from activities.intake.example import example_order
from activities.intake.order import AskedOrder
from infra.database.tables import Product
from tests.fixtures_database import Database
from tests.machines.money_model import SMALLEST_CHARGE
from tests.stack import DOCK

SKUS = ("CUP", "JUG", "MUG")
PLACES = ("OAK", "RNO")
CARDS = (
    "visa",
    "mastercard",
    "discover",
    "pendingRefund",
    "refundFail",
    "authenticationRequired",
    "declinedOffSession",
)
TENDERS = ("c", "c", "c", "ec", "ec", "ce", "eec", "ece", "ee", "e")
"""Card and external, in their order."""
prices = st.one_of(st.integers(1, 60), st.integers(100, 9999), st.just(0))


@st.composite
def lines(draw: st.DrawFn) -> list[dict[str, Any]]:
    skus = draw(st.lists(st.sampled_from(SKUS), min_size=1, max_size=4))
    return [{"sku": sku, "quantity": draw(st.integers(1, 4)), "unit_price": draw(prices)} for sku in skus]


@st.composite
def orders(draw: st.DrawFn) -> dict[str, Any]:
    """Without its id. Costs at least what a card may be charged."""
    order = example_order("W", {}, card=f"pm_card_{draw(st.sampled_from(CARDS))}", notify=["email"])
    order["lines"] = draw(lines())
    order["shipping"]["price"] = draw(st.integers(50, 701))
    order["tax"], order["tax_included"] = draw(st.integers(0, 333)), draw(st.booleans())
    order["backorder"] = draw(st.sampled_from(["ship_partial", "ship_partial", "ship_complete", "cancel_unavailable"]))
    subtotal = sum(line["quantity"] * line["unit_price"] for line in order["lines"])
    order["tax"] = min(order["tax"], subtotal)
    order["discount"] = draw(st.integers(0, subtotal // 3))
    tax = 0 if order["tax_included"] else order["tax"]
    order["total"] = subtotal + tax + order["shipping"]["price"] - order["discount"]
    if len(shape := draw(st.sampled_from(TENDERS))) > 1 or shape == "e":
        order["payments"] = draw(tenders(shape, order.pop("payment"), order["total"]))
    return order


@st.composite
def tenders(draw: st.DrawFn, shape: str, card: dict[str, Any], total: int) -> list[dict[str, Any]]:
    """Amounts that make the total, of which one may be left out."""
    pays, left = [], total
    for n in range(len(shape) - 1, 0, -1):
        pays.append(draw(st.integers(1, max(1, left - SMALLEST_CHARGE * n))))
        left -= pays[-1]
    pays.append(left)
    rest = draw(st.sampled_from([None, *range(len(shape))]))
    return [
        (card if kind == "c" else {"method": "external", "reference": f"voucher {n}"})
        | ({} if n == rest else {"amount": amount})
        for n, (kind, amount) in enumerate(zip(shape, pays, strict=True))
    ]


def checked(order: dict[str, Any], order_id: str) -> AskedOrder | None:
    """None: a line would cost less than nothing, or the like."""
    order = order | {"order_id": order_id, "customer": order["customer"] | {"customer_id": f"C-{order_id}"}}
    try:
        return AskedOrder.model_validate(order)
    except ValidationError:
        return None


valid_orders = orders().filter(lambda order: checked(order, "A") is not None)


def open_shop(database: Database) -> None:
    """Its products, and its places without any stock."""
    with database.sessions.begin() as tx:
        tx.add_all(Product(sku=sku, name=sku, weight_g=400, lead_time_days=7) for sku in SKUS)
        for n, place in enumerate(PLACES, start=1):
            where = {"name": place, "kind": "warehouse", "warehouse": "default", "address": {**DOCK, "street2": ""}}
            facts.catalogue.location_put(tx, place, priority=n, **where)


def place(database: Database, asked: AskedOrder) -> str:
    order_id = str(asked.order_id)
    with database.sessions.begin() as tx:
        facts.placing.placed(tx, asked, order_id=order_id, idempotency_key=None)
    return order_id
