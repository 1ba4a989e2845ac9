"""What holds up orders that have not ended: as our tables tell it, and as the engine does."""

from collections.abc import Iterator
from typing import Any

import httpx
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from infra.clock import wall_clock
from infra.database.tables import Effect, Event, Hold, Message, Order, Relay

LISTED = 8
"""Orders; what holds up more of them is seldom anything else."""
ENDED = ("completed", "cancelled")


def held_up(tx: Session, engine_ui: str) -> Iterator[str]:
    """One line per fact, indented below the order that it is about. `engine_ui` is the web UI's address."""
    yield str(dict(tx.execute(select(Order.status, func.count()).group_by(Order.status)).all()))
    open_orders = tx.scalars(select(Order).where(Order.status.not_in(ENDED)).order_by(Order.order_id)).all()
    untold = tx.scalars(select(Message.order_id).where(Message.status.in_(("pending", "claimed"))).distinct()).all()
    due = tx.scalars(select(Relay.subject_id).where(Relay.done_at.is_(None)).distinct()).all()
    found = {order.order_id: None for order in open_orders} | dict.fromkeys([*untold, *due])
    for order_id in list(found)[:LISTED]:
        yield order_id
        yield from (f"  {fact}" for fact in of_tables(tx, order_id))
        yield from (f"  engine: {fact}" for fact in of_engine(engine_ui, order_id))
    if len(found) > LISTED:
        yield f"and {', '.join(list(found)[LISTED:])}"


def of_tables(tx: Session, order_id: str) -> Iterator[str]:
    now = wall_clock()
    if order := tx.get(Order, order_id):
        yield f"{order.status} / {order.payment_status} / {order.fulfillment_status}"
    last = select(Event).where(Event.order_id == order_id).order_by(Event.event_no.desc()).limit(4)
    for e in reversed(tx.scalars(last).all()):
        yield f"{e.type} {e.subject_id}, {ago(now, e.recorded_at)}"
    for step in tx.scalars(select(Effect).where(Effect.order_id == order_id, Effect.finished_at.is_(None))):
        yield f"EFFECT OPEN {step.step} n={step.n}, last called {ago(now, step.last_called_at)}"
    for h in tx.scalars(select(Hold).where(Hold.order_id == order_id, Hold.closed_at.is_(None))):
        yield f"HOLD {h.kind} {h.subject_id} {h.code}"
    for row in tx.scalars(select(Relay).where(Relay.subject_id == order_id, Relay.done_at.is_(None))):
        due_in = (row.due_at - now).total_seconds()
        yield f"RELAY {row.kind}, told {row.attempts} times, due in {due_in:.1f} s, {ago(now, row.recorded_at)}"
    for m in tx.scalars(
        select(Message).where(Message.order_id == order_id, Message.status.in_(("pending", "claimed")))
    ):
        yield f"MESSAGE {m.status} {m.kind} by {m.channel}, {ago(now, m.recorded_at)}"


def of_engine(ui: str, order_id: str) -> Iterator[str]:
    path = f"{ui}/api/v1/namespaces/default/workflows/order-{order_id}"
    try:
        found = asked(path)
        yield f"{found['workflowExecutionInfo']['status']} since {found['workflowExecutionInfo']['startTime']}"
        for activity in found.get("pendingActivities", ()):
            yield f"pending {activity['activityType']['name']} {without_payloads(activity)}"
        if task := found.get("pendingWorkflowTask"):
            yield f"pending workflow task {task}"
        for event in reversed(asked(f"{path}/history-reverse", maximumPageSize=4)["history"]["events"][:4]):
            yield f"{event['eventId']} {event['eventType']} {event['eventTime']}"
    except (httpx.HTTPError, KeyError) as trouble:
        yield f"does not say: {trouble!r}"


def asked(url: str, **query: Any) -> dict[str, Any]:
    return dict(httpx.get(url, params=query, timeout=10, trust_env=False).raise_for_status().json())


def without_payloads(activity: dict[str, Any]) -> dict[str, Any]:
    plain = ("state", "attempt", "scheduledTime", "lastStartedTime", "nextAttemptScheduleTime", "lastFailure")
    return {name: activity[name] for name in plain if name in activity}


def ago(now: Any, then: Any) -> str:
    return f"{(now - then).total_seconds():.1f} s ago"
