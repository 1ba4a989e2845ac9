"""Orders that customers pick up, as tests place, ready and hand them over."""

import re
from typing import Any

from sqlalchemy import select

from activities.facts import hand_overs
from activities.facts.hand_overs import AtCounter
from activities.pickup_codes import PickupCodes
from infra.clock import wall_clock
from infra.database.tables import Fulfillment
from tests.shop import Shop

CODE = re.compile(r"\b\d{8}\b")


def place(shop: Shop, lines: dict[str, int], location: str = "OAK", *, by_hand: bool = True, **changes: Any) -> str:
    """At OAK, unless it says otherwise. Nothing moves by itself until the test says so."""
    shipping = {"method": "pickup", "location": location, "price": 0}
    return shop.place(lines, by_hand=by_hand, **changes, shipping=shipping | changes.pop("shipping", {}))


def readied(shop: Shop, order: str, n: int = 1, times: int = 1) -> str:
    """The store has it ready, and the customer was told: with which code."""
    shop.warehouse(order, n).does("ready")
    shop.happened(order, "ready_for_pickup", times, 60)
    return code_of(shop, f"{order}-{n}")


def fulfillment(shop: Shop, fulfillment_id: str) -> Fulfillment:
    with shop.database.sessions() as tx:
        return tx.scalars(select(Fulfillment).where(Fulfillment.fulfillment_id == fulfillment_id)).one()


def code_of(shop: Shop, fulfillment_id: str) -> str:
    n = fulfillment(shop, fulfillment_id).code_n
    assert n is not None
    return codes(shop).code(fulfillment_id, n)


def codes(shop: Shop) -> PickupCodes:
    return PickupCodes(shop.settings.orders_pickup_key)


def mails(shop: Shop, order: str) -> list[str]:
    """What the customer read, oldest first."""
    letters = shop.sandbox.ask("/mailbox", order_id=order)["messages"]
    return [letter["text"] for letter in reversed(letters) if letter["channel"] == "email"]


def codes_read(shop: Shop, order: str) -> list[str]:
    return [code for text in mails(shop, order) for code in CODE.findall(text)]


def at_counter(shop: Shop, fulfillment_id: str, **asked: Any) -> bool:
    """What the store's staff do: false where the code is wrong."""
    with shop.database.sessions.begin() as tx:
        counter = AtCounter(asked.pop("by", "kim"), **asked)
        done = hand_overs.handed_over(tx, fulfillment_id, counter, codes(shop), wall_clock())
    shop.app.state.dependencies.relay.wake()
    return done
