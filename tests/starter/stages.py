"""Brings an order to a stage by its facts, as the activities would."""

from datetime import UTC, datetime

from sqlalchemy import select, update

from activities import facts
from activities.facts import effects
from activities.facts.bill import bill
from activities.facts.fulfillments import locked
from activities.facts.journal import locked_order
from activities.facts.labels import parcel_of
from activities.facts.refundable import Part
from activities.facts.units import PricedUnits
from activities.ports import IntentStatus, Label, LabelStatus, Parcel, PaymentIntent, Rate
from infra.database.tables import Payment, Relay
from infra.words import ChargeStatus, MoneyMoveKind
from tests.fixtures_database import Database

BOX = Parcel(weight_g=800, length_mm=200, width_mm=150, height_mm=100)


def now() -> datetime:
    return datetime.now(UTC)


def action_required(database: Database, order_id: str = "W-1001", intent: str = "pi_1") -> None:
    answered(database, IntentStatus.ACTION_REQUIRED, order_id, intent)


def declined(database: Database, order_id: str = "W-1001", intent: str = "pi_1") -> None:
    answered(database, IntentStatus.DECLINED, order_id, intent)


def answered(database: Database, status: IntentStatus, order_id: str = "W-1001", intent: str = "pi_1") -> None:
    with database.sessions.begin() as tx:
        payment = tx.scalars(select(Payment).where(Payment.order_id == order_id).order_by(Payment.n.desc())).first()
        assert payment is not None
        payment.intent = intent
        answer = PaymentIntent(
            intent_id=intent,
            status=status,
            amount=payment.amount,
            capturable=payment.amount if status == IntentStatus.AUTHORIZED else 0,
            multicapture=True,
        )
        facts.money.answered(tx, payment.payment_id, answer, now())


def authorized(database: Database, order_id: str = "W-1001") -> None:
    answered(database, IntentStatus.AUTHORIZED, order_id)


def refunding(database: Database, order_id: str = "W-1001") -> None:
    """Authorized, captured, and all of it asked back: `…-r1`."""
    authorized(database, order_id)
    with database.sessions.begin() as tx:
        order, payment = locked_order(tx, order_id), tx.scalars(select(Payment)).one()
        charge = facts.charges.write(tx, order, 1, 1, [PricedUnits(1, 0, 1, payment.amount)], ChargeStatus.PAID)
        kind, name = MoneyMoveKind.CAPTURED, charge.charge_id
        facts.moves.moved(tx, order, payment.payment_id, kind, charge.amount, name, now(), name)
        facts.refunds.asked(tx, order, [Part(charge, payment.payment_id, charge.amount, [])], now())


def captured(database: Database, order_id: str = "W-1001") -> None:
    """What is packed, or has left, is paid for."""
    with database.sessions.begin() as tx:
        order, f = locked(tx, f"{order_id}-1")
        payment = tx.scalars(select(Payment)).one()
        charge = facts.charges.asked(tx, order, f.fulfillment_id, bill(tx, order), now())
        assert charge
        paid = {"charge_id": charge.charge_id, "payment_id": payment.payment_id, "received": 0}
        asked = {"intent_id": "pi_1", "amount": payment.amount, "captured": charge.amount}
        after = PaymentIntent(status=IntentStatus.CAPTURED, **asked)
        facts.charges.captured(tx, f.fulfillment_id, paid | {"amount": charge.amount}, after, now())


def asking(database: Database, order_id: str = "W-1001") -> str:
    """Reserved, planned, and being asked of the warehouse: nobody knows the outcome. Gives the fulfillment."""
    with database.sessions.begin() as tx:
        facts.reserving.reserved(tx, order_id, now())
        effects.begin(tx, order_id, f"request:{order_id}-1")
    return f"{order_id}-1"


def requested(database: Database, order_id: str = "W-1001") -> str:
    """Reserved, planned and asked of the warehouse; gives the fulfillment."""
    with database.sessions.begin() as tx:
        facts.reserving.reserved(tx, order_id, now())
        facts.fulfillments.requested(tx, f"{order_id}-1", now())
    return f"{order_id}-1"


def packed(database: Database, order_id: str = "W-1001") -> str:
    fulfillment = requested(database, order_id)
    with database.sessions.begin() as tx:
        facts.packing.packed(tx, fulfillment, [BOX], now())
    return fulfillment


def labelled(database: Database, order_id: str = "W-1001") -> str:
    fulfillment = packed(database, order_id)
    bought(database, order_id)
    return fulfillment


def bought(database: Database, order_id: str = "W-1001") -> None:
    """The label of what is packed."""
    fulfillment = f"{order_id}-1"
    with database.sessions.begin() as tx:
        rate = Rate(rate_id="rate_1", carrier="usps", service="usps_priority", amount=758, currency="usd")
        facts.labels.buying(tx, fulfillment, 1, rate, now())
        label = Label(
            label_id=f"label-{order_id}",
            rate_id="rate_1",
            status=LabelStatus.BOUGHT,
            carrier="usps",
            tracking_number=f"92{order_id}",
        )
        facts.labels.bought(tx, fulfillment, 1, label, now())
        assert parcel_of(tx, fulfillment, 1).label_id


def shipped(database: Database, order_id: str = "W-1001") -> str:
    fulfillment = labelled(database, order_id)
    with database.sessions.begin() as tx:
        facts.handing_over.released(tx, fulfillment, now())
        facts.handing_over.handed_over(tx, fulfillment, now())
    return fulfillment


def read_by_the_order(database: Database) -> None:
    """As `load` does: what the relay had to say is done."""
    with database.sessions.begin() as tx:
        tx.execute(update(Relay).values(done_at=now()))


def nudges(database: Database) -> list[str]:
    """Kinds of what no order has read yet."""
    with database.sessions() as tx:
        return list(tx.scalars(select(Relay.kind).where(Relay.done_at.is_(None)).order_by(Relay.relay_id)))
