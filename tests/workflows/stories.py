"""What an order goes through, and all that is left of it afterwards, made comparable."""

import re
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sqlalchemy import func, inspect, select

from infra.database.tables import Base, Effect, Fulfillment, Message, Parcel, Relay
from infra.hold_kinds import HoldKind
from tests.shop import Shop

Story = Callable[[Shop, str], None]


def customer_hears(shop: Shop, order: str, kinds: str, subject: str = "") -> None:
    """Waits until the customer has heard of it (of one of several): what comes next makes a message of its own."""

    def sent() -> bool:
        with shop.database.sessions() as tx:
            about = (Message.order_id == order, Message.kind.in_(kinds.split()), Message.subject == subject)
            states = tx.scalars(select(Message.status).where(*about)).all()
        return bool(states) and all(status not in ("pending", "claimed") for status in states)

    shop.until(sent, f"{kinds} to be told", order, 60)


def pack(shop: Shop, order: str, n: int = 1) -> None:
    shop.warehouse(order, n).packs()
    shop.happened(order, "released", n, 60)


def deliver(shop: Shop, order: str, n: int = 1, *, left: bool = False) -> None:
    if not left:
        shop.warehouse(order, n).hands_over()
    customer_hears(shop, order, "shipped partly_shipped", f"{order}-{n}")
    number, before = tracking_number(shop, f"{order}-{n}"), shop.timeline(order).count("in_transit")
    shop.sandbox.track(number, "in_transit")
    shop.happened(order, "in_transit", before + 1, 60)
    shop.sandbox.track(number, "out_for_delivery")
    customer_hears(shop, order, "out_for_delivery", f"{order}-{n}")
    shop.sandbox.track(number, "delivered")
    customer_hears(shop, order, "delivered", f"{order}-{n}")


def tracking_number(shop: Shop, fulfillment_id: str) -> str:
    with shop.database.sessions() as tx:
        return str(tx.scalars(select(Parcel.tracking_number).where(Parcel.fulfillment_id == fulfillment_id)).one())


def delivered(shop: Shop, order: str) -> None:
    shop.place({shop.product(OAK=2): 2}, order_id=order, by_hand=True)
    customer_hears(shop, order, "confirmed")
    pack(shop, order)
    deliver(shop, order)
    assert shop.ends(order, 60) == "completed"


def two_holds(shop: Shop, order: str) -> None:
    """Two locations, and a card that allows one capture an authorization."""
    shop.place({shop.product(OAK=1): 1, shop.product(RNO=1): 1}, order_id=order, card="pm_card_discover", by_hand=True)
    customer_hears(shop, order, "confirmed")
    shop.happened(order, "requested", 2, 60)
    for n in (1, 2):
        pack(shop, order, n)
    for n in (1, 2):
        deliver(shop, order, n)
    assert shop.ends(order, 60) == "completed"


def cancelled_while_waiting(shop: Shop, order: str) -> None:
    shop.place({shop.product(): 1}, order_id=order, by_hand=True)
    customer_hears(shop, order, "confirmed")
    customer_hears(shop, order, "backordered")
    shop.cancel(order)
    assert shop.ends(order, 60) == "cancelled"


def waits_for_stock(shop: Shop, order: str) -> None:
    shop.place({shop.product(): 1}, order_id=order)
    customer_hears(shop, order, "confirmed")
    customer_hears(shop, order, "backordered")


def waits_longer(shop: Shop, order: str) -> None:
    """Than money is set aside."""
    shop.pass_time(order, timedelta(days=6, hours=1))
    shop.happened(order, "authorized", 2, 60)
    shop.cancel(order)
    assert shop.ends(order, 60) == "cancelled"


def renewed(shop: Shop, order: str) -> None:
    waits_for_stock(shop, order)
    waits_longer(shop, order)


def misunderstood(shop: Shop, order: str) -> None:
    """Somebody sends what the order cannot make sense of."""
    shop.place({shop.product(): 1}, order_id=order)
    customer_hears(shop, order, "backordered")
    shop.call(shop.handle(order).signal("cancel", {"line": 1}))
    shop.happened(order, "not_understood", 1, 60)
    shop.cancel(order)
    assert shop.ends(order, 60) == "cancelled"


def cancelled_after_label(shop: Shop, order: str) -> None:
    shop.place({shop.product(OAK=1): 1}, order_id=order, by_hand=True)
    customer_hears(shop, order, "confirmed")
    pack(shop, order)
    shop.cancel(order)
    shop.until(lambda: shop.books(order).get("recalls", 0), "the recall", order, 60)
    shop.warehouse(order).stops()
    customer_hears(shop, order, "cancelled")
    shop.happened(order, "label_refund_requested", 1, 60)
    with shop.database.sessions() as tx:
        label = tx.scalars(select(Parcel.label_id).where(Parcel.fulfillment_id == f"{order}-1")).one()
    shop.sandbox.label(str(label), "refund")
    assert shop.ends(order, 60) == "cancelled"


def held_and_cancelled(shop: Shop, order: str) -> None:
    """The carrier refuses the label for good; an operator ends the order."""
    shop.place({shop.product(OAK=1): 1}, order_id=order, zip="00001", by_hand=True)
    customer_hears(shop, order, "confirmed")
    shop.warehouse(order).packs()
    shop.resolve(order, "cancel", HoldKind.BUY_LABEL_FAILED)
    shop.until(lambda: shop.books(order).get("recalls", 0), "the recall", order, 60)
    shop.warehouse(order).stops()
    assert shop.ends(order, 60) == "cancelled"


def lost_parcel(shop: Shop, order: str) -> None:
    """The carrier loses it; it is asked after, and an operator closes it."""
    shop.place({shop.product(OAK=1): 1}, order_id=order, by_hand=True)
    customer_hears(shop, order, "confirmed")
    pack(shop, order)
    shop.warehouse(order).hands_over()
    customer_hears(shop, order, "shipped", f"{order}-1")
    number = tracking_number(shop, f"{order}-1")
    shop.sandbox.track(number, "failure")
    shop.until(lambda: shop.open_hold(order, HoldKind.DELIVERY_FAILED), "a hold", order, 60)
    shop.pass_time(order, timedelta(days=6))
    shop.until(lambda: polled(shop, order), "a poll", order, 60)
    shop.resolve(order, "skip", HoldKind.DELIVERY_FAILED)
    assert shop.ends(order, 60) == "completed"


def polled(shop: Shop, order: str) -> bool:
    number = tracking_number(shop, f"{order}-1")
    return any(number in str(request) for request in shop.sandbox.requests("shippo") if request.get("method") == "GET")


def traces(shop: Shop, order: str) -> dict[str, list[str]]:
    """Every row of every table about the order, and the sandbox's books. Of what differs from run to run, only whether
    it is there: surrogate ids, wall clocks, versions (how often it was looked at), the relay's attempts; providers'
    ids by kind alone. Without labels that the carrier refused (how often it was asked is chance)."""
    shop.until(lambda: heard_all(shop, order), "every nudge to be read", order)
    found: dict[str, list[str]] = {}
    with shop.database.sessions() as tx:
        mine = set(tx.scalars(select(Fulfillment.fulfillment_id).where(Fulfillment.order_id == order)))
        for mapper in Base.registry.mappers:
            table = mapper.class_
            columns = {column.key for column in inspect(table).columns}
            if "order_id" in columns:
                rows = tx.scalars(select(table).where(table.order_id == order))
            elif "subject_id" in columns:
                rows = tx.scalars(select(table).where(table.subject_id == order))
            elif "fulfillment_id" in columns:
                rows = tx.scalars(select(table).where(table.fulfillment_id.in_(mine)))
            elif table.__tablename__ == "stock_moves":
                rows = tx.scalars(select(table).where(table.reference.startswith(order)))
            else:
                continue
            kept = sorted(columns - DIFFERENT.get(table.__tablename__, set()))
            found[table.__tablename__] = [
                plain({name: shown(name, getattr(row, name)) for name in kept}, order)
                for row in rows
                if not (isinstance(row, Effect) and row.outcome == "failed")
            ]
        claims = {
            channel: tx.scalar(
                select(func.count(Message.claimed_as.distinct())).where(
                    Message.order_id == order, Message.channel == channel
                )
            )
            for channel in ("email", "sms")
        }
    books = {name: n for name, n in shop.sandbox.books(order).items() if isinstance(n, int)}
    # several facts at once make one message: how many there were is chance, but each that was claimed was sent once
    books |= {"emails": books["emails"] - (claims["email"] or 0), "sms": books["sms"] - (claims["sms"] or 0)}
    found["books"] = [f"{name} {n}" for name, n in books.items()]
    found["events"] = [row for row in found["events"] if "EventType.MESSAGE_SENT" not in row]
    return found


def shown(name: str, value: Any) -> Any:
    return "#" if name in SURROGATE and value is not None else value


def plain(row: dict[str, Any], order: str) -> str:
    text = str(row).replace(order, "ORDER")
    for pattern, instead in NAMES.items():
        text = re.sub(pattern, instead, text)
    return text


def differences(left: dict[str, list[str]], undisturbed: dict[str, list[str]]) -> list[str]:
    """What one has and the other has not, table by table."""
    found = []
    for table in sorted(left.keys() | undisturbed.keys()):
        ours, theirs = Counter(left.get(table, [])), Counter(undisturbed.get(table, []))
        found += [f"too much in {table}: {row}" for row in (ours - theirs).elements()]
        found += [f"missing in {table}: {row}" for row in (theirs - ours).elements()]
    return found


def looked_up(undisturbed: dict[str, list[str]], step: str) -> dict[str, list[str]]:
    """The same, where a look-up has shown that the step's first call was never made."""
    (done,) = [row for row in undisturbed["effects"] if f"'step': '{step}" in row]
    assert "'outcome': 'done'" in done
    vain = done.replace("'outcome': 'done'", "'outcome': 'nothing_happened'")
    return undisturbed | {"effects": [*undisturbed["effects"], vain]}


def heard_all(shop: Shop, order: str) -> bool:
    with shop.database.sessions() as tx:
        due = tx.scalars(select(Relay.relay_id).where(Relay.subject_id == order, Relay.done_at.is_(None))).all()
    return not due


NAMES = {
    r"(SKU|SILENT|\bBER)-[\w-]+": "SKU",
    r"\b(pi|ch|cus|re|pm|SM)_?[0-9a-zA-Z]{8,}\b": r"\1#",
    r"\b[0-9a-f]{24,32}\b": "#",
    r"\b92\d{18,}\b": "#",
    r"'payment_id': \d+": "'payment_id': #",
    r"'(at|until|deadline)': '[^']+'": r"'\1': #",
    r"\brequest \d+": "request #",
}
SURROGATE = {
    "move_id",
    "contact_id",
    "reservation_id",
    "backorder_id",
    "payment_id",
    "effect_id",
    "change_id",
    "event_id",
    "sequence",
    "event_no",
    "published_no",
    "occurred_at",
    "message_id",
    "relay_id",
    "recorded_at",
    "effective_at",
    "placed_at",
    "opened_at",
    "closed_at",
    "decided_at",
    "requested_at",
    *("accepted_at", "picking_at"),
    "packed_at",
    "shipped_at",
    "delivered_at",
    "ready_at",
    "pickup_until",
    "extended_at",
    "tracked_at",
    "finished_at",
    "first_called_at",
    "last_called_at",
    "sent_at",
    "tried_at",
    "due_at",
    "done_at",
    "deadline_id",
    "at",
    "capture_before",
    "promised_on",
    "version",
    "attempts",
    "track_token",
    "content_hash",
    "label_url",
    "tracking_url",
    "tracking_number",
    "label_id",
    "rate_id",
    "claimed_as",
    "reference",
    "action_url",
}
EVENTS = {"status", "payment_status", "fulfillment_status"}
"""With which each ended: two that are told at once may come in either order."""
DIFFERENT = {"relay": {"kind"}, "effects": {"n", "key"}, "events": EVENTS}
