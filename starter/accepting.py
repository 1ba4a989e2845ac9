"""An order is accepted: asked for by itself, in a till's file, or in exchange for what came back."""

from sqlalchemy.orm import Session

from activities.facts.checkout import Short
from activities.facts.placing import Unreachable
from activities.facts.requests import WrongFields
from activities.intake.delivery_times import DeliveryTimes
from activities.intake.order import AskedOrder
from infra.database.tables import Till
from starter.http.dependencies import Dependencies, channel_for, selling_at
from starter.http.problems import Refusal, wrong
from starter.keys import Caller, Scope
from starter.placing import OtherContent, Placed, place

NOT_OF_THIS_KEY = ("channel", "is not that of this API key")
NO_PICKUPS = ("shipping.method", "is not set up here: pickup needs the setting ORDERS_PICKUP_KEY")


def accepted(
    tx: Session,
    here: Dependencies,
    asked: AskedOrder,
    who: Caller,
    *,
    idempotency_key: str | None = None,
    exchange_of: str | None = None,
) -> Placed:
    """As `place`, of whoever may place it. Raises `Refusal`, by the order's fields."""
    may_place(tx, asked, who)
    if asked.shipping.location and not here.settings.orders_pickup_key:
        raise wrong([NO_PICKUPS])
    try:
        return place(
            tx,
            asked,
            idempotency_key=idempotency_key,
            placed_by=who.key_id,
            known_contact=who.knows_customers,
            times=DeliveryTimes(here.settings.orders_handling_days, here.settings.orders_transit_days),
            exchange_of=exchange_of,
        )
    except WrongFields as unfit:
        raise wrong(unfit.errors) from None
    except Short as short:
        raise Refusal(409, str(short), short.errors) from None
    except Unreachable as missing:
        raise wrong([(f"customer.{field}", message) for field, message in missing.errors]) from None
    except OtherContent as conflict:
        detail = f"{conflict.field} was used before, for an order with other content"
        raise Refusal(409, detail, [(conflict.field, "was used for another order")]) from None


def may_place(tx: Session, asked: AskedOrder, who: Caller) -> None:
    """What a till sells, only keys place that are bound to it or to where it is; and those place nothing else."""
    channel_for(who, asked.channel)
    scope: Scope = "orders:write" if asked.till is None else "till"
    if not who.may(scope):
        raise Refusal(403, f"this API key lacks the scope {scope}: the channel is {asked.channel}", [NOT_OF_THIS_KEY])
    if asked.till and (till := tx.get(Till, asked.till)):
        selling_at(who, till.till_id, till.location_id)
