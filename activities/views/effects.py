"""What providers were asked for, for one order: no amounts, and nothing of a person."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.views.base import View
from infra.database.tables import Effect


class EffectView(View):
    """Something that a provider was asked for. Without an outcome nobody knows yet: the step looks it up."""

    step: str
    n: int
    """Again under another key: only after a look-up has shown that the one before did nothing."""
    key: str
    """The provider's records name it, or the order."""
    first_called_at: datetime
    last_called_at: datetime
    finished_at: datetime | None
    outcome: str | None


class EffectsView(View):
    effects: list[EffectView]


def read(tx: Session, order_id: str) -> EffectsView:
    """As they were begun."""
    found = tx.scalars(select(Effect).where(Effect.order_id == order_id).order_by(Effect.effect_id))
    return EffectsView(effects=[EffectView.model_validate(effect, from_attributes=True) for effect in found])
