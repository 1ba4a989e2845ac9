"""Something stopped and waits for a person; or waits no longer."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from activities.deadline_kinds import DECLARED
from activities.facts import deadlines
from activities.facts.journal import fulfillments_of, locked_order, note, nudge_about, unwritten
from activities.facts.statuses import derive
from activities.models import LEFT, FulfillmentStatus, Subject
from infra.clock import wall_clock
from infra.database.tables import Change, Fulfillment, Hold, Order
from infra.hold_kinds import HoldKind
from infra.holds import Action, AnyHoldKind
from infra.stock_holds import COUNT
from infra.words import ChangeKind, DeadlineKind, Decision, EventType

MENDED_BY_ADDRESS = (HoldKind.REQUEST_FAILED, HoldKind.BUY_LABEL_FAILED)
MENDED_BY_METHOD = (HoldKind.AUTHORIZE_FAILED, HoldKind.REAUTHORIZE_FAILED)
OF_AUTHORIZATION = (
    HoldKind.PAYMENT_NEEDS_CUSTOMER,
    HoldKind.PAYMENT_METHOD_NEEDED,
    HoldKind.REST_TOO_SMALL,
    HoldKind.ENDED_ELSEWHERE,
)
"""About a payment that did not set aside what is still to be captured."""


def opened(
    tx: Session, order_id: str, kind: AnyHoldKind, subject: Subject, at: datetime, *, code: str = "", advice: str = ""
) -> str:
    """Opened again while it is open, it is the same one."""
    order = locked_order(tx, order_id)
    unwritten(tx)[order_id].may_be_held = True
    if known := open_about(tx, kind, subject):
        return known.hold_id
    n = (tx.scalar(select(func.count()).where(Hold.order_id == order_id)) or 0) + 1
    hold = record(tx, f"{order_id}-h{n}", kind, subject, at, order_id=order_id, code=code, advice=advice)
    if kind == HoldKind.STOPPED:
        reminded = at + DECLARED[DeadlineKind.HOLD_FORGOTTEN].margin
        deadlines.begin(tx, order, DeadlineKind.HOLD_FORGOTTEN, Subject("hold", hold.hold_id), reminded)
    known_by = {"hold": hold.hold_id, "kind": kind, "reason": kind.reason, "code": hold.code}
    note(tx, order, EventType.HELD, at, fulfillment_id=subject.fulfillment_id, **known_by)
    changed(tx, order, hold)
    return hold.hold_id


def changed(tx: Session, order: Order, hold: Hold) -> None:
    """A fulfillment's holds are told with it."""
    if hold.fulfillment_id:
        tx.get_one(Fulfillment, hold.fulfillment_id).version = order.version + 1
    derive(tx, order)


def open_about(tx: Session, kind: AnyHoldKind, subject: Subject) -> Hold | None:
    mine = (Hold.kind == kind, Hold.subject_kind == subject.kind, Hold.subject_id == subject.id)
    return tx.scalars(select(Hold).where(*mine, Hold.closed_at.is_(None))).first()


def record(
    tx: Session,
    hold_id: str,
    kind: AnyHoldKind,
    subject: Subject,
    at: datetime,
    *,
    order_id: str | None = None,
    code: str = "",
    advice: str = "",
) -> Hold:
    """The row alone, of whatever workflow: under the lock of its subject, and after a look for an open one."""
    hold = Hold(
        hold_id=hold_id,
        order_id=order_id,
        kind=kind,
        subject_kind=subject.kind,
        subject_id=subject.id,
        fulfillment_id=subject.fulfillment_id,
        reason=kind.reason,
        code=code or kind,
        advice=(advice or kind.advice)[:500],
        opened_at=at,
    )
    tx.add(hold)
    return hold


def closed(
    tx: Session,
    hold_id: str,
    at: datetime,
    *,
    by: str,
    why: str,
    action: Action | None = None,
    change_id: int | None = None,
) -> bool:
    """An operator's decision; or, without one, nobody needs to decide any more (`by` is who or what mended it). False
    when it was closed already: then it stays as it is, and what was decided since is superseded."""
    mine = (Hold.hold_id == hold_id, Hold.order_id == Order.order_id)
    order = locked_order(tx, tx.scalars(select(Order.order_id).where(*mine)).one())
    hold = tx.get_one(Hold, hold_id, populate_existing=True)
    first = decided(tx, hold, at, by=by, why=why, action=action, change_id=change_id)
    if first:
        if hold.kind == HoldKind.STOPPED:
            deadlines.close(tx, Subject("hold", hold_id))
        decision = {"action": action} if action else {}
        about = {"hold": hold_id, **decision, "by": hold.closed_by}
        note(tx, order, EventType.HOLD_CLOSED, at, fulfillment_id=hold.fulfillment_id, **about)
        changed(tx, order, hold)
    derive(tx, order)
    return first


def decided(
    tx: Session, hold: Hold, at: datetime, *, by: str, why: str, action: Action | None, change_id: int | None
) -> bool:
    """The row, and what was asked about it, of whatever workflow: under the lock of its subject."""
    first = hold.closed_at is None
    asked = tx.scalars(select(Change).where(Change.hold_id == hold.hold_id, Change.decision.is_(None))).all()
    if first:
        for change in asked:
            if change.change_id == change_id:
                by, why = change.by, change.why
        hold.closed_at, hold.action, hold.closed_by, hold.why = at, action, by, why
    for change in asked:
        change.decision = Decision(action) if action and change.action == hold.action else Decision.SUPERSEDED
        change.decided_at = at
    return first


def resolution_asked(tx: Session, hold: Hold, *, action: Action, by: str, why: str) -> Change:
    """An operator's decision about an open hold; its workflow carries it out."""
    order = locked_order(tx, hold.order_id) if hold.order_id else None
    change = Change(
        order_id=hold.order_id,
        kind=ChangeKind.RESOLVE,
        hold_id=hold.hold_id,
        action=action,
        by=by,
        why=why,
        recorded_at=wall_clock(),
    )
    tx.add(change)
    if order:
        derive(tx, order)
    if hold.subject_kind != COUNT:
        nudge_about(tx, [Subject.order(order.order_id) if order else subject(hold)])
    return change


def subject(hold: Hold) -> Subject:
    return Subject(hold.subject_kind, hold.subject_id)


def open_holds(tx: Session, order_id: str, kinds: Collection[HoldKind]) -> list[Hold]:
    return list(
        tx.scalars(select(Hold).where(Hold.order_id == order_id, Hold.kind.in_(kinds), Hold.closed_at.is_(None)))
    )


def close_mended(
    tx: Session,
    order_id: str,
    kinds: Collection[HoldKind],
    at: datetime,
    *,
    by: str,
    why: str,
    among: Collection[str] | None = None,
) -> bool:
    """What these were opened for has been put right, or has come right: for all subjects, or those of these ids and in
    these fulfillments. What waits goes on at once. Whether there was any."""
    if (known := unwritten(tx).get(order_id)) and not known.may_be_held:
        return False
    mended = [
        hold.hold_id
        for hold in open_holds(tx, order_id, kinds)
        if among is None or hold.subject_id in among or hold.fulfillment_id in among
    ]
    for hold_id in mended:
        closed(tx, hold_id, at, by=by, why=why)
    return bool(mended)


def close_with_order(tx: Session, order: Order, at: datetime) -> None:
    """The order ends: what held it, or a fulfillment that will not leave, on its way needs nobody any more."""
    fulfillments = fulfillments_of(tx, order.order_id)
    ended = {f.fulfillment_id for f in fulfillments if f.status == FulfillmentStatus.CANCELLED}
    if all(f.fulfillment_id in ended or f.status in LEFT for f in fulfillments):
        ended.add("")
    close_of(tx, order, ended, at)


def close_of_cancelled(tx: Session, order: Order, at: datetime) -> None:
    """Some of its fulfillments will not leave: what held them needs nobody any more."""
    cancelled = (f for f in fulfillments_of(tx, order.order_id) if f.status == FulfillmentStatus.CANCELLED)
    close_of(tx, order, {f.fulfillment_id for f in cancelled}, at)


def close_of(tx: Session, order: Order, ended: Collection[str], at: datetime) -> None:
    """`ended`: fulfillments; empty: the order itself."""
    for hold in tx.scalars(select(Hold).where(Hold.order_id == order.order_id, Hold.closed_at.is_(None))).all():
        if hold.kind.ends_with_order and (hold.fulfillment_id or "") in ended:
            closed(tx, hold.hold_id, at, by="cancellation", why="it is not to be sent")
