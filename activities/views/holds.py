"""What waits for a person: of one order, or of everything."""

from sqlalchemy import ColumnElement, case, select
from sqlalchemy.orm import Session

from activities.facts.holds import subject
from activities.views.base import View
from activities.views.model import AnyHoldView, HoldView
from infra.database.tables import Hold, Order
from infra.holds import HoldReason


class HoldPage(View):
    """The oldest first. `more`: resolve these, and others follow."""

    holds: list[AnyHoldView]
    more: bool


def of_order(tx: Session, order_id: str) -> list[HoldView]:
    """Open ones first, the oldest of them at the top."""
    found = tx.scalars(
        select(Hold)
        .where(Hold.order_id == order_id)
        .order_by(case((Hold.closed_at.is_(None), 0), else_=1), Hold.opened_at, Hold.hold_id)
    )
    return [HoldView.model_validate(view(hold).model_dump()) for hold in found]


def still_open(
    tx: Session, *, reason: HoldReason | None, subject_kind: str | None, channel: str | None, limit: int
) -> HoldPage:
    """`channel`: of its orders alone."""
    which: list[ColumnElement[bool]] = [Hold.reason == reason] if reason else []
    which += [Hold.subject_kind == subject_kind] if subject_kind else []
    which += [Hold.order_id.in_(select(Order.order_id).where(Order.channel == channel))] if channel else []
    found = select(Hold).where(Hold.closed_at.is_(None), *which).order_by(Hold.opened_at, Hold.hold_id)
    holds = [view(hold) for hold in tx.scalars(found.limit(limit + 1))]
    return HoldPage(holds=holds[:limit], more=len(holds) > limit)


def view(hold: Hold) -> AnyHoldView:
    choices = {} if hold.closed_at else dict(hold.kind.actions)
    return AnyHoldView(
        hold=hold.hold_id,
        kind=hold.kind,
        order_id=hold.order_id,
        reason=hold.reason,
        subject_kind=hold.subject_kind,
        subject_id=hold.subject_id,
        fulfillment_id=subject(hold).fulfillment_id,
        code=hold.code,
        advice=hold.advice,
        actions=list(choices),
        choices=choices,
        opened_at=hold.opened_at,
        closed_at=hold.closed_at,
        closed_by=hold.closed_by,
        action=hold.action,
        why=hold.why,
    )
