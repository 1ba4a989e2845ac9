"""Effects: what is about to be asked of a provider is on record before it is asked.

An effect without an outcome means that nobody knows: it is looked up before the call is made again, whatever the
attempt's number says.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from activities.facts.journal import locked_order, may_be_calling, unwritten
from activities.failures import OutcomeUnknown
from activities.models import Subject, Value
from infra.clock import wall_clock
from infra.database.tables import Effect

UNDER_WAY = timedelta(minutes=1)
"""How long a call may still be at work at the provider after we lost it, and how long its key is used. Later a look-up
is the truth: the key may stand for an old error (Stripe replays a 500 for a day), or for nothing any more (Stripe
forgets keys after a day)."""


class OpenEffect(Value):
    """An effect whose outcome is out, as one attempt sees it."""

    effect_id: int
    order_id: str | None
    key: str
    parameters: dict[str, Any]
    fresh: bool
    """Made by this attempt: nothing can have happened yet."""
    first_called_at: datetime
    last_called_at: datetime
    read_at: datetime
    """Before this attempt looked anything up: what is settled then, a look-up cannot miss."""

    @property
    def repeatable(self) -> bool:
        """Whether a repeat with the same key meets the first call."""
        return self.read_at < self.first_called_at + UNDER_WAY

    @property
    def settled(self) -> bool:
        """Whether a look-up now tells for good what became of it."""
        return not self.fresh and self.settles_in <= timedelta()

    @property
    def settles_in(self) -> timedelta:
        return self.last_called_at + UNDER_WAY - self.read_at


def begin(tx: Session, order_id: str, step: str, **parameters: Any) -> OpenEffect:
    """The step's effect whose outcome is out, or a new one, called from now on. Parameters stay as they were when it
    was made."""
    return begin_about(tx, Subject("order", order_id), step, **parameters)


LAST = (
    select(Effect)
    .where(
        Effect.subject_kind == bindparam("kind"),
        Effect.subject_id == bindparam("id"),
        Effect.step == bindparam("what"),
    )
    .order_by(Effect.n.desc())
    .limit(1)
    .execution_options(populate_existing=True)
)
FINISH = (
    update(Effect)
    .where(Effect.effect_id == bindparam("mine"), Effect.finished_at.is_(None))
    .values(outcome=bindparam("how"), finished_at=bindparam("now"))
    .execution_options(synchronize_session=False)
)


def begin_about(tx: Session, subject: Subject, step: str, **parameters: Any) -> OpenEffect:
    now = wall_clock()
    last = tx.scalars(LAST, {"kind": subject.kind, "id": subject.id, "what": step}).first()
    fresh = last is None or last.finished_at is not None
    if last is None or last.finished_at is not None:
        if subject.kind == "order" and (known := unwritten(tx).get(subject.id)):
            known.may_be_calling = True
        n = (last.n if last else 0) + 1
        last = Effect(
            subject_kind=subject.kind,
            subject_id=subject.id,
            order_id=subject.id if subject.kind == "order" else None,
            step=step,
            n=n,
            key=f"{subject.kind}:{subject.id}:{step}:{n}",
            parameters=parameters,
            first_called_at=now,
            last_called_at=now,
            recorded_at=now,
        )
        tx.add(last)
        tx.flush()
    return OpenEffect(
        effect_id=last.effect_id,
        order_id=last.order_id,
        key=last.key,
        parameters=last.parameters,
        fresh=fresh,
        first_called_at=last.first_called_at,
        last_called_at=last.last_called_at,
        read_at=now,
    )


def call_again(tx: Session, effect: OpenEffect) -> OpenEffect:
    """For a call that a look-up has not found: with the same key while it meets the first call; then not at all, until
    the last call is settled; then with a new one."""
    if effect.fresh:
        return effect
    if effect.settled:
        return call_again(tx, renew(tx, effect))  # another order may have renewed it just now
    if not effect.repeatable:
        raise OutcomeUnknown("provider", "settling", "A call may be under way.", retry_in=effect.settles_in)
    call_with_same_key(tx, effect)
    return effect


def call_with_same_key(tx: Session, effect: OpenEffect) -> None:
    """It may be under way from now on. Alone only where a key is the message's id and keeps no answer."""
    if not effect.fresh:
        tx.get_one(Effect, effect.effect_id).last_called_at = wall_clock()


def renew(tx: Session, effect: OpenEffect) -> OpenEffect:
    """A look-up has shown that nothing happened: the next call has a new key."""
    row = tx.get_one(Effect, effect.effect_id)
    finish(tx, effect, "nothing_happened")
    tx.flush()
    return begin_about(tx, Subject(row.subject_kind, row.subject_id), row.step, **row.parameters)


def finish(tx: Session, effect: OpenEffect, outcome: str = "done") -> None:
    """The outcome is known: `done`, or why it never happened (then the next effect has a new key). After the fact that
    comes of it, which has locked the order by another statement: news of the same comes to both rows in that order."""
    if effect.order_id:
        locked_order(tx, effect.order_id)
    tx.execute(FINISH, {"mine": effect.effect_id, "how": outcome, "now": wall_clock()})


def unresolved(tx: Session, order_id: str, step: str) -> bool:
    """Whether a call of this step may have had an effect that nobody recorded."""
    if not may_be_calling(tx, order_id):
        return False
    mine = (Effect.order_id == order_id, Effect.step == step, Effect.finished_at.is_(None))
    return tx.scalars(select(Effect.effect_id).where(*mine)).first() is not None


def done_at(tx: Session, order_id: str, step: str, at: datetime) -> bool:
    """Whether an attempt of this very call, which the workflow made `at`, is on record as done: only its answer was
    lost."""
    mine = (Effect.order_id == order_id, Effect.step == step)
    last = tx.scalars(select(Effect).where(*mine).order_by(Effect.n.desc()).limit(1)).first()
    return last is not None and last.outcome == "done" and last.parameters.get("at") == at.isoformat()


def finish_answered(tx: Session, order_id: str, prefix: str) -> None:
    """Of all calls of this kind: what the provider's own news told before their records did. Nothing is left to look
    up."""
    mine = (Effect.order_id == order_id, Effect.step.startswith(prefix, autoescape=True))
    for row in tx.scalars(select(Effect).where(*mine, Effect.finished_at.is_(None))):
        row.outcome, row.finished_at = "done", wall_clock()
