"""Intents: what is about to be asked of a provider is on record before it is asked.

An intent without an outcome means that nobody knows: the effect is looked up before the call is made again, whatever
the attempt's number says. Its key stays the same until a look-up has shown that nothing happened.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts.record import wall_clock
from activities.models import Value
from infra.database.tables import Intent

UNDER_WAY = timedelta(minutes=1)
"""How long a call may still be at work at the provider after we lost it. Within that time a repeat has the same key,
so that it meets the first one. Later a look-up is the truth: the key may stand for an old error (Stripe replays a
500 for a day), or for nothing any more (Stripe forgets keys after a day)."""


class Opened(Value):
    """An intent as one attempt sees it."""

    intent_id: int
    key: str
    parameters: dict[str, Any]
    fresh: bool
    """Made by this attempt: nothing can have happened yet."""
    recorded_at: datetime

    @property
    def settled(self) -> bool:
        """Whether a look-up now tells for good what became of it."""
        return not self.fresh and self.settles_in <= timedelta()

    @property
    def settles_in(self) -> timedelta:
        return self.recorded_at + UNDER_WAY - wall_clock()


def open_intent(tx: Session, order_id: str, step: str, **parameters: Any) -> Opened:
    """The step's intent whose outcome is out, or a new one. Parameters stay as they were when it was made."""
    last = tx.scalars(
        select(Intent).where(Intent.order_id == order_id, Intent.step == step).order_by(Intent.n.desc()).limit(1)
    ).first()
    fresh = last is None or last.finished_at is not None
    if last is None or last.finished_at is not None:
        n = (last.n if last else 0) + 1
        last = Intent(
            order_id=order_id,
            step=step,
            n=n,
            key=f"order:{order_id}:{step}:{n}",
            parameters=parameters,
            recorded_at=wall_clock(),
        )
        tx.add(last)
        tx.flush()
    return Opened(
        intent_id=last.intent_id,
        key=last.key,
        parameters=last.parameters,
        fresh=fresh,
        recorded_at=last.recorded_at,
    )


def renew_intent(tx: Session, intent: Opened) -> Opened:
    """A look-up has shown that nothing happened: the next call has a new key."""
    row = tx.get_one(Intent, intent.intent_id)
    close_intent(tx, intent, "nothing_happened")
    tx.flush()
    return open_intent(tx, row.order_id, row.step, **row.parameters)


def call_again(tx: Session, intent: Opened) -> None:
    """With the same key: it may be under way from now on."""
    if not intent.fresh:
        tx.get_one(Intent, intent.intent_id).recorded_at = wall_clock()


def close_intent(tx: Session, intent: Opened, outcome: str = "done") -> None:
    """The outcome is known: `done`, or why it never happened (then the next intent has a new key)."""
    row = tx.get_one(Intent, intent.intent_id, populate_existing=True)
    if row.finished_at is None:
        row.outcome, row.finished_at = outcome, wall_clock()


def unresolved(tx: Session, order_id: str, step: str) -> bool:
    """Whether a call of this step may have had an effect that nobody recorded."""
    return (
        tx.scalars(
            select(Intent.intent_id).where(
                Intent.order_id == order_id, Intent.step == step, Intent.finished_at.is_(None)
            )
        ).first()
        is not None
    )


def close_answered(tx: Session, order_id: str, prefix: str) -> None:
    """Of all calls of this kind: what the provider's own news told before their records did. Nothing is left to look
    up."""
    for row in tx.scalars(
        select(Intent).where(
            Intent.order_id == order_id, Intent.step.startswith(prefix, autoescape=True), Intent.finished_at.is_(None)
        )
    ):
        row.outcome, row.finished_at = "done", wall_clock()
