"""What providers were asked for, for one order: no amounts, and nothing of a person."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.views.model import EffectsView, EffectView
from infra.database.tables import Effect


def read(tx: Session, order_id: str) -> EffectsView:
    """As they were begun."""
    found = tx.scalars(select(Effect).where(Effect.order_id == order_id).order_by(Effect.effect_id))
    return EffectsView(effects=[EffectView.model_validate(effect, from_attributes=True) for effect in found])
