"""An order that several tenders pay, by its facts, and where its money stands then."""

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities import facts
from activities.facts.bill import bill
from activities.facts.fulfillments import locked
from activities.intake.example import example_order
from activities.intake.order import AskedOrder
from activities.models import CancelReason
from activities.ports import IntentStatus, PaymentIntent
from activities.views import order as view
from infra.clock import wall_clock
from infra.database.tables import Charge, ChargeUnits, Hold, MoneyMove, Order, Payment, Product, Refund
from tests.activities import orders
from tests.fixtures_database import Database
from tests.starter import stages

ORDER = "W-1"
VOUCHER = {"method": "external", "reference": "voucher 17"}
GIFT = {"method": "external", "reference": "gift card"}
CARD = {"method": "card", "payment_method": "pm_card_visa"}
FIRST, SECOND = 7000, 3000
"""What the one unit of each line costs."""


def placed(database: Database, *payments: dict[str, Any], in_stock: tuple[int, int] = (1, 1)) -> None:
    orders.placed(database, "other")  # and with it the place
    skus = ("LAMP", "MUG")
    with database.sessions.begin() as tx:
        tx.merge(Product(sku="LAMP", name="Lamp", weight_g=400, lead_time_days=7))
        lines = [(sku, units) for sku, units in zip(skus, in_stock, strict=True) if units]
        if lines:
            facts.inventory.received(tx, reference="shelves", location_id="OAK", lines=lines)
        asked = example_order(ORDER, dict.fromkeys(skus, 1), payments=payments, notify=["email"])
        for line, price in zip(asked["lines"], (FIRST, SECOND), strict=True):
            line["unit_price"] = price
        asked["shipping"]["price"], asked["total"] = 0, FIRST + SECOND
        facts.placing.placed(tx, AskedOrder.model_validate(asked), order_id=ORDER, idempotency_key=None)


def authorized(database: Database) -> None:
    stages.authorized(database, ORDER)


def cancel(database: Database, *lines: int) -> None:
    """One unit of each, or the whole order."""
    with database.sessions.begin() as tx:
        wanted = [{"line": line, "quantity": 1} for line in lines] or None
        who: dict[str, Any] = {"reason": CancelReason.CUSTOMER, "by": "x", "why": ""}
        change = facts.cancellation.cancellation_asked(tx, ORDER, lines=wanted, **who)
        facts.cancellation.cancellation_decided(tx, ORDER, change.change_id, **who, at=wall_clock())


def captured(database: Database) -> None:
    """What is packed, all of it at once."""
    stages.packed(database, ORDER)
    with database.sessions.begin() as tx:
        order, f = locked(tx, f"{ORDER}-1")
        payment = tx.scalars(select(Payment).where(Payment.order_id == ORDER)).one()
        charge = facts.charges.asked(tx, order, f.fulfillment_id, bill(tx, order), wall_clock())
        assert charge
        asked = {
            "charge_id": charge.charge_id,
            "payment_id": payment.payment_id,
            "received": 0,
            "amount": charge.amount,
        }
        after = PaymentIntent(
            intent_id="pi_1", status=IntentStatus.CAPTURED, amount=payment.amount, captured=charge.amount
        )
        facts.charges.captured(tx, f.fulfillment_id, asked, after, wall_clock())


def charges(tx: Session) -> list[tuple[int, str, list[tuple[int, int]]]]:
    """Tender, status, and of which line how much."""
    rows = select(Charge, ChargeUnits).join(ChargeUnits, ChargeUnits.charge_id == Charge.charge_id)
    found: dict[Charge, list[tuple[int, int]]] = {}
    for charge, units in tx.execute(rows.order_by(Charge.n, ChargeUnits.line_no)):
        found.setdefault(charge, []).append((units.line_no, units.amount * units.quantity))
    return [(charge.tender_n, str(charge.status), units) for charge, units in found.items()]


def moves(tx: Session) -> list[tuple[str, int, str | None]]:
    rows = tx.scalars(select(MoneyMove).where(MoneyMove.order_id == ORDER).order_by(MoneyMove.move_id))
    return [(str(move.kind), move.amount, move.charge_id and move.charge_id.removeprefix(f"{ORDER}-")) for move in rows]


def refunds(tx: Session) -> list[tuple[int, str | None, bool]]:
    """Amount, of which charge, and whether a person pays it back."""
    rows = tx.scalars(select(Refund).order_by(Refund.n))
    return [(r.amount, r.charge_id and r.charge_id.removeprefix(f"{ORDER}-"), r.payment_id is None) for r in rows]


def statuses(tx: Session) -> tuple[str, str]:
    order = tx.get_one(Order, ORDER)
    return str(order.status), str(order.payment_status)


def tenders(tx: Session) -> list[tuple[int, int, int]]:
    """Captured, refunded, still to come."""
    found = view.read(tx, tx.get_one(Order, ORDER)).payment.tenders
    return [(each.captured, each.refunded, each.to_come) for each in found]


def done(database: Database, action: str = "paid_otherwise") -> None:
    """A person has paid it back, or has given it up."""
    with database.sessions.begin() as tx:
        mine = Refund.order_id == ORDER, Refund.payment_id.is_(None), Refund.status == "asked"
        refund = tx.scalars(select(Refund).where(*mine).order_by(Refund.n)).first()
        assert refund
        getattr(facts.refunds, action)(tx, refund.refund_id, wall_clock())
        hold = tx.scalars(select(Hold).where(Hold.subject_id == refund.refund_id)).one()
        assert "Paid as: voucher 17." in hold.advice
        facts.holds.closed(tx, hold.hold_id, wall_clock(), by="x", why="")
