"""What waits for a person, of an order or of anything else, and what they decide: stored as asked, then its workflow is
nudged and carries it out."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import Field, StringConstraints
from sqlalchemy import select
from sqlalchemy.orm import Session

from activities import resolutions
from activities.facts import holds
from activities.intake.fields import CAUSE, HOLD
from activities.views.holds import HoldPage, still_open, view
from activities.views.model import AnyHoldView
from infra.clock import wall_clock
from infra.database.tables import Change, Hold
from infra.holds import Action, HoldReason
from infra.stock_holds import COUNT
from starter.api.changes import Body, Note, Who, changed
from starter.http.dependencies import Guarded, Here, Operator
from starter.http.problems import Refusal, wrong
from starter.http.responses import IfMatch, OrderAnswer, OrderId, problems, shown, to_change
from starter.keys import Caller
from starter.transactions import written

HoldId = Annotated[str, Path(pattern=HOLD, examples=["W-1001-h1"])]

router = APIRouter(tags=["Holds"], route_class=Guarded)


class Resolution(Body):
    """An operator's decision about an open hold. `action` is one that the hold offers."""

    action: Action
    by: Who | None = None
    why: Annotated[Note, StringConstraints(min_length=1)]


class ResolutionAsked(Resolution):
    hold: Annotated[str, StringConstraints(pattern=HOLD)] = Field(examples=["W-1001-h1"])


@router.get("/v1/holds", summary="List what waits for a person", responses=problems())
def list_holds(
    here: Here,
    who: Operator,
    reason: HoldReason | None = None,
    subject_kind: Annotated[str | None, Query(pattern=CAUSE, examples=["order", "fulfillment"])] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> HoldPage:
    """The open holds of every workflow; to a key for a channel, those of its orders."""
    with here.reading() as tx:
        return still_open(tx, reason=reason, subject_kind=subject_kind, channel=who.channel, limit=limit)


@router.post(
    "/v1/holds/{hold_id}/resolution",
    status_code=202,
    summary="Resolve a hold",
    responses=problems(400, 404, 409, 413),
)
def resolve_hold(hold_id: HoldId, asked: Resolution, here: Here, who: Operator) -> AnyHoldView:
    """Decides about a hold, whatever it is about; the workflow that waits carries it out."""

    def work(tx: Session) -> AnyHoldView:
        hold = tx.get(Hold, hold_id)
        if hold is None or (who.channel and hold.order_id is None):
            raise Refusal(404, f"hold {hold_id} is not known")
        if hold.order_id is not None:
            to_change(tx, hold.order_id, None, who)
        tx.refresh(hold, with_for_update=True)
        decide(tx, hold, asked, who)
        tx.flush()
        return view(hold)

    answer = written(here.sessions, work)
    here.relay.wake()
    return answer


@router.post("/v1/orders/{order_id}/resolution", status_code=202, responses=problems(400, 404, 409, 412, 413))
def resolve(
    order_id: OrderId, asked: ResolutionAsked, here: Here, who: Operator, response: Response, if_match: IfMatch = None
) -> OrderAnswer:
    """Decides about a hold; the order carries it out."""

    def work(tx: Session) -> OrderAnswer:
        to_change(tx, order_id, if_match, who)
        hold = tx.get(Hold, asked.hold)
        if hold is None or hold.order_id != order_id:
            raise wrong([("hold", "is not one of this order")])
        decide(tx, hold, asked, who)
        return shown(tx, order_id, who)

    return changed(here, response, work)


def decide(tx: Session, hold: Hold, asked: Resolution, who: Caller) -> None:
    """Asked twice before it is heard, it is asked once."""
    if hold.closed_at is not None:
        raise Refusal(409, f"hold {hold.hold_id} is closed")
    if asked.action not in (offered := hold.kind.actions):
        raise wrong([("action", f"is not offered: this hold offers {' or '.join(offered)}")])
    if why := resolutions.impossible(tx, hold, asked.action):
        raise Refusal(409, why)
    by = f"{asked.by} ({who.name})"[:100] if asked.by else who.name
    unheard = select(Change.action).where(Change.hold_id == hold.hold_id, Change.decision.is_(None))
    if asked.action not in tx.scalars(unheard).all():
        change = holds.resolution_asked(tx, hold, action=asked.action, by=by, why=asked.why)
        if hold.subject_kind == COUNT:  # it has no workflow, and there is nothing to carry out
            tx.flush()
            holds.decided(tx, hold, wall_clock(), by=by, why=asked.why, action=asked.action, change_id=change.change_id)
