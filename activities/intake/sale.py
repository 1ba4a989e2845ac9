"""What a till sells, as it is asked for: paid there, handed over there, or sent."""

from typing import Any, Literal

from pydantic_core import PydanticCustomError

from infra.words import PaymentMethod

POS = "pos"
"""The channel of what is sold at tills."""
Way = Literal["counter", "ship", "pickup"]
OF_A_SALE = ("till", "shift", "location", "sold_at")


def checked_sale(asked: Any) -> None:
    """Names the first field of an `AskedOrder` that does not fit. What is handed over at the counter needs neither name
    nor address."""
    if asked.channel != POS:
        no_sale(asked)
        return
    for field in ("order_id", "till", "sold_at"):
        if getattr(asked, field) is None:
            raise wrong(field, "is missing: the till gives it")
    ways = [line.way or "counter" for line in asked.lines]
    method = asked.shipping.method
    for n, way in enumerate(ways):
        if way not in ("counter", method):
            raise wrong(f"lines[{n}].way", f"is {way}, which must be the order's shipping.method")
        if way == "counter" and asked.lines[n].ship_to:
            raise wrong(f"lines[{n}].ship_to", "is not for what is handed over at the counter: leave it out")
    if method != "counter" and method not in ways:
        raise wrong("shipping", "is for lines that are sent or picked up: leave it out")
    if method == "counter" and asked.shipping.price:
        raise wrong("shipping.price", "is for lines that are sent: leave it out")
    if asked.customer is None and method != "counter":
        raise wrong("customer", "is missing: somebody gets what is sent or picked up")
    for tender in asked.tenders():
        if tender.method != PaymentMethod.EXTERNAL:
            raise wrong(f"{tender.field}.method", "is not taken at a till: what was paid there is external")
        if tender.at_hand_over:
            raise wrong(f"{tender.field}.due", "is not for what was paid at a till: leave it out")


def no_sale(asked: Any) -> None:
    for field in OF_A_SALE:
        if getattr(asked, field) is not None:
            raise wrong(field, "is for the channel pos: leave it out")
    for n, line in enumerate(asked.lines):
        if line.way is not None:
            raise wrong(f"lines[{n}].way", "is for the channel pos: leave it out")
    if asked.shipping.method == "counter":
        given = "shipping" in asked.model_fields_set
        raise wrong("shipping.method" if given else "shipping", "is for the channel pos" if given else "is missing")
    if asked.customer is None:
        raise wrong("customer", "is missing")


def wrong(field: str, why: str) -> PydanticCustomError:
    return PydanticCustomError("sale", "{why}", {"field": field, "why": why})
