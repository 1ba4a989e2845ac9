"""What is asked after every step of the money machine."""

from collections import Counter
from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.facts.bill import RECEIVED, bill
from activities.facts.refundable import refundable
from activities.facts.statuses import captures_in_doubt
from activities.models import FulfillmentSnapshot, FulfillmentStatus, Recall
from activities.views.check import Totals, breaches, totals, undecided
from infra.database.tables import Charge, Hold, MoneyMove, Order, Refund
from infra.hold_kinds import HoldKind
from infra.words import ChargeStatus, MoneyMoveKind, RefundStatus
from starter.api.changes import waits_for_method
from tests.machines.account import Account
from tests.machines.money_model import Model

COUNTING = (RefundStatus.ASKED, RefundStatus.PENDING, RefundStatus.SUCCEEDED, RefundStatus.GIVEN_UP)


def same(what: str, ours: object, theirs: object) -> None:
    assert ours == theirs, f"{what}: {ours}, not {theirs}"


def at_most(what: str, ours: int, theirs: int) -> None:
    assert ours <= theirs, f"{what}: {ours} is more than {theirs}"


def by_tender(amounts: Iterable[tuple[int, int]]) -> Counter[int]:
    sums = Counter[int]()
    for n, amount in amounts:
        sums[n] += amount
    return +sums


class Checked:
    """An order, what its model says of it, and how far that can be told by plain addition."""

    account: Account
    model: Model
    total: int
    only_ours = True
    """Nobody else has taken money, and none was given away."""
    undisputed = True
    refundable = 0
    left: Counter[int]
    """Of that, by tender."""
    wants_method = False
    doubtful = False
    """Of a capture nobody knows what became of it; or a refund was asked of a charge that was not paid."""

    def look(self) -> None:
        a = self.account
        a.load()
        with a.database.sessions() as tx:
            order = tx.get_one(Order, a.order_id)
            doubt = captures_in_doubt(tx, a.order_id)
            self.model.in_doubt = {name: each for name, each in self.model.in_doubt.items() if name in doubt}
            self.model.look(tx, a.order_id, a.called_off or a.closed)
            self.doubtful = bool(doubt) or self.asked_in_vain(tx)
            self.wants_method = waits_for_method(tx, order) and not a.order.payment_ready
            left = refundable(tx, order)
            self.refundable, self.left = left.amount, by_tender((e.charge.tender_n, left.of(e)) for e in left.charges)
            same("breaches", [str(breach) for breach in breaches(tx)], [])
            ours = next(totals(tx, a.order_id), Totals(a.order_id))
            self.as_in_the_books(tx, ours)
            self.as_in_the_model(tx, order, ours)

    def asked_in_vain(self, tx: Session) -> bool:
        rows = select(Refund.refund_id).join(Charge, Charge.charge_id == Refund.charge_id)
        rows = rows.where(Refund.status == RefundStatus.ASKED, Charge.status != ChargeStatus.PAID)
        return tx.scalars(rows.where(Refund.order_id == self.account.order_id)).first() is not None

    def as_in_the_books(self, tx: Session, ours: Totals) -> None:
        a, books = self.account, self.account.books
        others = sum(self.model.others.values())
        at_most("captured by us", books["captured"] - books["captured_elsewhere"], self.total - others)
        at_most("captured here", ours.captured, books["captured"])
        if a.unheard or undecided(tx, a.order_id):
            return
        same("money", (ours.captured, ours.refunded), (books["captured"], books["refunded"]))
        sums = select(MoneyMove.kind, func.sum(MoneyMove.amount)).where(MoneyMove.order_id == a.order_id)
        moved = dict(tx.execute(sums.group_by(MoneyMove.kind)).all())
        disputed = moved.get(MoneyMoveKind.DISPUTED, 0), moved.get(MoneyMoveKind.DISPUTE_RETURNED, 0)
        same("disputed", disputed, (books["disputed"], books["dispute_returned"]))
        left = books["captured"] - books["refunded"] - books["disputed"] + books["dispute_returned"]
        at_most("refundable", self.refundable, max(0, left) + others)

    def as_in_the_model(self, tx: Session, order: Order, ours: Totals) -> None:
        back, model = self.counted(tx), self.model
        for n, taken in model.others.items():
            at_most(f"given back by tender {n}", back[n], taken)
        by_hand = {r.refund_id for r in self.account.refunds if not r.payment_id and r.status == RefundStatus.ASKED}
        held = {hold.subject_id for hold in self.account.holds if hold.kind == HoldKind.EXTERNAL_REFUND}
        same("to be paid back by a person", held, by_hand)
        same("and by the process", by_hand & set(self.account.order.refunds), set())
        if self.doubtful or not self.only_ours or not model.exact:
            return
        received = select(Charge.tender_n, MoneyMove.amount).join(Charge, Charge.charge_id == MoneyMove.charge_id)
        mine = (MoneyMove.order_id == order.order_id, MoneyMove.kind.in_(RECEIVED))
        taken_by = by_tender((n, amount) for n, amount in tx.execute(received.where(*mine)))
        same("taken", taken_by, by_tender((n, model.taken_of(n)) for n in model.tenders))
        same("captured", ours.captured, taken_by[model.card])
        same("owed", bill(tx, order).to_capture, model.owed(self.account.called_off))
        if not self.undisputed:
            return
        same("refundable", self.left, taken_by - back)
        if model.by_unit:
            same("given back", back, by_tender((n, model.back_of(n)) for n in model.tenders))

    def counted(self, tx: Session) -> Counter[int]:
        """Went back, is on its way or is to go; or came to nothing, and a person is to decide. By tender."""
        held = select(Hold.subject_id).where(Hold.kind == "refund_failed", Hold.closed_at.is_(None))
        waits = set(tx.scalars(held))
        charges = select(Charge.charge_id, Charge.tender_n).where(Charge.order_id == self.account.order_id)
        tender = dict(tx.execute(charges).all())
        return by_tender(
            (tender.get(each.charge_id or "", self.model.card), each.amount - each.credited)
            for each in self.account.refunds
            if each.status in COUNTING or (each.status == RefundStatus.FAILED and each.refund_id in waits)
        )

    # --- what can be done next ----------------------------------------------------------------------------------------

    def stopping(self, f: FulfillmentSnapshot) -> bool:
        wanted = self.account.called_off or f.recall == Recall.ASKED or f.status == FulfillmentStatus.CANCELLED
        return wanted and not (f.has_left or f.recall == Recall.REFUSED)

    def some(self, *states: FulfillmentStatus) -> Iterable[FulfillmentSnapshot]:
        return (f for f in self.account.fulfillments.values() if f.status in states and not self.stopping(f))

    @property
    def to_pack(self) -> list[FulfillmentSnapshot]:
        return list(self.some(FulfillmentStatus.PLANNED, FulfillmentStatus.REQUESTED))

    @property
    def packed(self) -> list[FulfillmentSnapshot]:
        return list(self.some(FulfillmentStatus.PACKED))

    @property
    def to_pay(self) -> list[FulfillmentSnapshot]:
        known = self.account.fulfillments.values()
        ready = [f for f in known if f.amount and (f in self.packed or f.has_left)]
        return ready + [f for f in known if f.capture_in_doubt]

    @property
    def to_leave(self) -> list[FulfillmentSnapshot]:
        return [f for f in self.packed if not f.amount]

    @property
    def on_its_way(self) -> list[FulfillmentSnapshot]:
        return list(self.some(FulfillmentStatus.SHIPPED))

    @property
    def to_stop(self) -> list[FulfillmentSnapshot]:
        at_place = (FulfillmentStatus.REQUESTED, FulfillmentStatus.PACKED)
        known = self.account.fulfillments.values()
        return [f for f in known if self.stopping(f) and (f.status in at_place or f.recall == Recall.ASKED)]

    @property
    def to_release(self) -> bool:
        return self.account.order.to_undo and not self.account.closed and not self.to_stop

    @property
    def to_void(self) -> bool:
        a = self.account
        at_rest = all(f.ended or (f.has_left and not f.amount) for f in a.fulfillments.values())
        coming = a.order.unplanned or a.order.waiting or a.order.to_undo
        return at_rest and not coming and a.order.money_left and (a.closed or a.order.funded)
