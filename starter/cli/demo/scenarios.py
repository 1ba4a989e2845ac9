"""The demo's scenarios as data: the order, what is done to it, how it must end and what it may have caused.

An act is done when the one before it is; `playing` carries it out. Each order has a customer of its own, as a
customer's clock is moved with the order's.
"""

from typing import Any

from activities.intake.example import example_order
from starter.cli.demo.steps import (
    Await,
    Books,
    Break,
    Cancel,
    CheckOut,
    Decide,
    Dispute,
    End,
    KillWorker,
    Mend,
    Pass,
    PayBy,
    Place,
    Receive,
    Refund,
    Resolve,
    Scenario,
    View,
)

DAY = 86_400

DELIVERED = End("completed", "captured", "delivered")
PARCEL = ("shipped", "out_for_delivery", "delivered")
FIRST_PARCEL = ("partly_shipped", "out_for_delivery", "delivered")
USUAL = Books(authorizations=1, captures=1, labels=1, messages=("confirmed", *PARCEL))

PEOPLE = (
    ("Ada Park", "215 Clayton St", "San Francisco", "CA", "94117"),
    ("Ben Osei", "1401 Larimer St", "Denver", "CO", "80202"),
    ("Jana Weiss", "600 Congress Ave", "Austin", "TX", "78701"),
    ("Luz Ortega", "77 Pacific Ave", "Santa Cruz", "CA", "95060"),
    ("Mara Lind", "501 Twin Peaks Blvd", "San Francisco", "CA", "94114"),
    ("Tom Ruiz", "233 S Wacker Dr", "Chicago", "IL", "60606"),
    ("Ivy Chen", "1000 4th Ave", "Seattle", "WA", "98104"),
    ("Noor Haddad", "350 5th Ave", "New York", "NY", "10118"),
    ("Sam Kerr", "700 Boylston St", "Boston", "MA", "02116"),
    ("Eva Blum", "900 Exposition Blvd", "Los Angeles", "CA", "90007"),
    ("Max Dorn", "4th St and Main Ave", "Fargo", "ND", "58103"),
    ("Rosa Diaz", "1 Riverwalk Plaza", "San Antonio", "TX", "78205"),
    ("Kai Brandt", "1120 SW 5th Ave", "Portland", "OR", "97204"),
    ("Lea Moreau", "800 Bourbon St", "New Orleans", "LA", "70116"),
    ("Otis Reed", "100 Peachtree St", "Atlanta", "GA", "30303"),
)
PRICES = {"MUG-BLUE": 1800, "MUG-GREEN": 1800, "TEAPOT": 6400, "KETTLE": 8900, "LAMP-OAK": 12900, "RUG-WOOL": 24500}


def order(n: int, order_id: str, skus: dict[str, int], card: str = "pm_card_visa", **changes: Any) -> dict[str, Any]:
    """An order of the n-th person."""
    name, street, city, state, zip_code = PEOPLE[n - 1]
    lines = [{"sku": sku, "quantity": count, "unit_price": PRICES[sku]} for sku, count in skus.items()]
    customer = {"customer_id": f"C-{n}", "email": f"{name.split()[0].lower()}@example.com", "phone": f"+1415555{n:04}"}
    address = {"street1": street, "city": city, "state": state, "zip": zip_code}
    return example_order(order_id, skus, lines=lines, card=card, name=name, **customer, **address, **changes)


# --- where an order can be waited for -------------------------------------------------------------------------------


def declined(view: View) -> bool:
    return bool(view["payment_status"] == "declined")


def backordered(view: View) -> bool:
    return bool(view["fulfillment_status"] == "backordered")


def waits_for_a_lamp(view: View) -> bool:
    return any(line["waiting"] and line["sku"] == "LAMP-OAK" for line in view["lines"])


def partly_delivered(view: View) -> bool:
    return bool(view["fulfillment_status"] == "partial") and all(f["delivered_at"] for f in view["fulfillments"])


def delivered(view: View) -> bool:
    return bool(view["status"] == "completed")


def paid_and_labelled(view: View) -> bool:
    return any(f["captured"] and any(p["label"] == "bought" for p in f["parcels"]) for f in view["fulfillments"])


def recalled(view: View) -> bool:
    return any(f["recall"] for f in view["fulfillments"])


def held(view: View) -> bool:
    return any(hold["reason"] == "step_failed" and hold["closed_at"] is None for hold in view["holds"])


# --- the scenarios --------------------------------------------------------------------------------------------------

SCENARIOS = (
    Scenario(
        "D11-SURVIVOR",
        "a worker is killed in mid-order",
        order(11, "D11-SURVIVOR", {"MUG-BLUE": 1}),
        DELIVERED,
        USUAL,
        (
            Break("the carrier will answer slowly", "shippo", "buy", "delay", times=1, seconds=1.5),
            Place(),
            KillWorker("worker killed while it bought the label"),
        ),
        first=True,
    ),
    Scenario("D1-PARCEL", "one parcel", order(1, "D1-PARCEL", {"MUG-BLUE": 2}), DELIVERED, USUAL),
    Scenario(
        "D2-TWO-PLACES",
        "from two locations",
        order(2, "D2-TWO-PLACES", {"TEAPOT": 1, "KETTLE": 1}),
        DELIVERED,
        Books(authorizations=1, captures=2, labels=2, messages=("confirmed", *FIRST_PARCEL, *PARCEL)),
    ),
    Scenario(
        "D3-BACKORDER",
        "the rest comes three weeks later",
        order(3, "D3-BACKORDER", {"MUG-GREEN": 1, "LAMP-OAK": 1}),
        DELIVERED,
        Books(authorizations=2, captures=2, labels=2, messages=("backordered", "confirmed", *FIRST_PARCEL, *PARCEL)),
        (
            Place(),
            Await("the lamp is on backorder", partly_delivered),
            Pass("three weeks pass, the hold on the card lapses", 21 * DAY),
            Receive("the warehouse reports a lamp", "RNO", "LAMP-OAK", 1),
        ),
    ),
    Scenario(
        "D4-RESCUED",
        "declined, then another card",
        order(4, "D4-RESCUED", {"MUG-BLUE": 1}, card="pm_card_chargeDeclined"),
        DELIVERED,
        Books(authorizations=1, captures=1, labels=1, messages=("payment_problem", "confirmed", *PARCEL)),
        (Place(), Await("the card is declined", declined), PayBy("the customer gives another card", "pm_card_visa")),
    ),
    Scenario(
        "D5-DECLINED",
        "declined, and no other card",
        order(5, "D5-DECLINED", {"MUG-BLUE": 1}, card="pm_card_chargeDeclinedInsufficientFunds"),
        End("cancelled", "declined", "unfulfilled", "payment"),
        Books(authorizations=0, captures=0, messages=("payment_problem", "cancelled")),
        (Place(), Await("the card is declined", declined), Pass("three days pass without another card", 3 * DAY + 60)),
    ),
    Scenario(
        "D6-CANCELLED",
        "cancelled before fulfillment",
        order(6, "D6-CANCELLED", {"RUG-WOOL": 1}),
        End("cancelled", "voided", "unfulfilled", "customer"),
        Books(authorizations=1, captures=0, messages=("confirmed", "backordered", "cancelled")),
        (Place(), Await("the rug is on backorder", backordered), Cancel("the customer cancels")),
    ),
    Scenario(
        "D7-UNSHIPPED",
        "cancelled with its label bought",
        order(7, "D7-UNSHIPPED", {"MUG-BLUE": 2}),
        End("cancelled", "refunded", "unfulfilled", "customer"),
        Books(
            authorizations=1,
            captures=1,
            refunds=1,
            labels=1,
            label_refunds=1,
            messages=("confirmed", "cancelled", "refunded"),
        ),
        (
            Break("the warehouse's door is slow", "warehouse", "release", "refuse_connection"),
            Place(),
            Await("label bought, money taken", paid_and_labelled),
            Cancel("the customer cancels, the parcel stands packed"),
            Await("the warehouse is asked to stop", recalled),
            Mend("the warehouse takes it back"),
        ),
    ),
    Scenario(
        "D8-HICCUP",
        "Shippo is down for a while",
        order(8, "D8-HICCUP", {"MUG-BLUE": 1}),
        DELIVERED,
        USUAL,
        (Break("Shippo refuses two calls", "shippo", "*", "refuse_connection", times=2), Place()),
    ),
    Scenario(
        "D9-HEALED",
        "Shippo down for long, heals by itself",
        order(9, "D9-HEALED", {"MUG-BLUE": 1}),
        DELIVERED,
        USUAL,
        (
            Break("Shippo is down", "shippo", "*", "error"),
            Place(),
            Await("Shippo is down: tried again and again", held),
            Mend("held, and Shippo is back"),
        ),
    ),
    Scenario(
        "D10-RETRIED",
        "the same, an operator says retry",
        order(10, "D10-RETRIED", {"MUG-BLUE": 1}),
        DELIVERED,
        USUAL,
        (
            Break("Shippo is down", "shippo", "*", "error"),
            Place(),
            Await("Shippo is down: tried again and again", held),
            Mend("held; Shippo is back"),
            Resolve("decided over HTTP, with a reason", "retry"),
        ),
    ),
    Scenario(
        "D12-ONE-LINE",
        "a line cancelled, the rest delivered",
        order(12, "D12-ONE-LINE", {"TEAPOT": 1, "LAMP-OAK": 1}),
        DELIVERED,
        Books(
            authorizations=1,
            captures=1,
            labels=1,
            messages=("confirmed", "backordered", "partly_cancelled", *PARCEL),
            less=PRICES["LAMP-OAK"] + 335,  # with its share of the shipping
        ),
        (
            Place(),
            Await("the lamp is on backorder", waits_for_a_lamp),
            Cancel("the customer cancels the lamp", line=2),
        ),
    ),
    Scenario(
        "D13-REFUNDED",
        "a partial refund after delivery",
        order(13, "D13-REFUNDED", {"MUG-BLUE": 2}),
        End("completed", "partially_refunded", "delivered"),
        Books(
            authorizations=1,
            captures=1,
            refunds=1,
            labels=1,
            messages=("confirmed", *PARCEL, "refunded"),
            less=PRICES["MUG-BLUE"] + 250,  # with its share of the shipping
        ),
        (
            Place(),
            Await("first it is delivered", delivered),
            Refund("one of two mugs came broken", line=1, quantity=1, cause="damaged"),
        ),
    ),
    Scenario(
        "D14-3D-SECURE",
        "a payment intent with 3-D Secure",
        order(14, "D14-3D-SECURE", {"MUG-BLUE": 1}, payment={"method": "payment_intent"}),
        DELIVERED,
        USUAL,
        (
            CheckOut("paid on the shop's page; the bank asks"),
            Place("the customer confirmed it at her bank"),
        ),
    ),
    Scenario(
        "D15-DISPUTED",
        "disputed after delivery, and won",
        order(15, "D15-DISPUTED", {"MUG-BLUE": 1}),
        DELIVERED,
        Books(authorizations=1, captures=1, disputes=1, labels=1, messages=USUAL.messages),
        (
            Place(),
            Await("first it is delivered", delivered),
            Dispute("the bank takes the money back"),
            Decide("we prove the delivery, and win", "won"),
        ),
    ),
)
IN_ORDER = sorted(SCENARIOS, key=lambda scenario: int(scenario.order_id[1 : scenario.order_id.index("-")]))
PRODUCTS = {"RUG-WOOL": {"name": "Rug, wool", "weight_g": 2600, "lead_time_days": 45}}
"""Beside the catalogue's; in no location."""

SETTINGS = {
    "ORDERS_HTTP_TIMEOUT": "2s",
    "ORDERS_START_TO_CLOSE": "3s",
    "ORDERS_STEP_PATIENCE": "7s",
    "ORDERS_HELD_RETRY": "6s",
    "ORDERS_LABEL_SETTLE": "1s",
    "ORDERS_PARCELS_TOLD_WITHIN": "0s",
}
"""Short patience: an outage becomes a hold in seconds instead of a quarter of an hour."""
PACE = 0.8
