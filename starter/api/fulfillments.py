"""What waits at a place where no warehouse system works, and what its people say they did: the facts that a system's
webhooks are."""

import hashlib
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.facts import catalogue, fulfillments, packing, stores
from activities.facts.journal import Trimmed, nudge
from activities.facts.set_aside import units_in
from activities.facts.statuses import conclude
from activities.intake.fields import FULFILLMENT, Id, Reference
from activities.models import FulfillmentStatus
from activities.ports import Parcel
from activities.views.stores import AT_WORK, StoreFulfillmentView, StorePage, at_place, views
from infra.clock import wall_clock
from infra.database.inserting import insert_new
from infra.database.tables import Fulfillment, Location, News
from infra.words import NewsOutcome, RefusalReason, ShippingMethod
from starter.api.changes import Body, Who
from starter.api.requests import IdempotencyKey
from starter.http.dependencies import Dependencies, Guarded, Here, Storekeeper, acting_at, location_for
from starter.http.problems import Refusal, wrong
from starter.http.responses import problems
from starter.keys import Caller
from starter.transactions import written

SENDER = "store"
"""Of what is known by its Idempotency-Key, among the news."""

FulfillmentId = Annotated[str, Path(pattern=FULFILLMENT, examples=["W-1001-1"])]
Size = Annotated[int, Field(ge=1, le=100_000, strict=True, description="Millimetres")]
Fact = Callable[[Session, str], bool]

router = APIRouter(tags=["Fulfillments"], route_class=Guarded)
ANSWERS = problems(400, 404, 409, 413)


class Done(Body):
    by: Annotated[Who, Field(description="Who it was, beside the key's name")] | None = None


class Refused(Done):
    reason: RefusalReason


class PackedUnits(Body):
    sku: Annotated[Reference, Field(description="The product's SKU, or one of its references")]
    quantity: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]


class PackedParcel(Body):
    weight_g: Annotated[int, Field(ge=1, le=10_000_000, strict=True)]
    length_mm: Size
    width_mm: Size
    height_mm: Size
    contents: Annotated[tuple[PackedUnits, ...], Field(min_length=1, max_length=2_000)] | None = Field(
        None, description="What is not in any parcel was not there. Of none, or of all parcels"
    )


class Packed(Done):
    parcels: Annotated[tuple[PackedParcel, ...], Field(max_length=100, description="Of a pickup: none")] = ()


@router.get("/v1/fulfillments", summary="List what waits at a place", responses=problems(404))
def list_fulfillments(
    here: Here,
    who: Storekeeper,
    location: Annotated[Id | None, Query(description="May be left out by a key that is bound to one")] = None,
    status: Annotated[list[FulfillmentStatus] | None, Query(description="Left out: what is to be done there")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> StorePage:
    """What is to be packed, handed over or stopped, the oldest first, with its lines and labels; of the customer no
    more than a label shows."""
    place = location_for(who, location)
    if place is None:
        raise wrong([("location", "is missing")])
    with here.reading() as tx:
        if tx.get(Location, place) is None:
            raise Refusal(404, f"location {place} is not known")
        return at_place(tx, place, status or AT_WORK, limit)


@router.get("/v1/fulfillments/{fulfillment_id}", summary="Read one", responses=problems(404))
def get_fulfillment(fulfillment_id: FulfillmentId, here: Here, who: Storekeeper) -> StoreFulfillmentView:
    with here.reading() as tx:
        return views(tx, [seen(tx, fulfillment_id, who)])[0]


@router.post("/v1/fulfillments/{fulfillment_id}/refuse", responses=ANSWERS)
def refuse(
    fulfillment_id: FulfillmentId, body: Refused, here: Here, who: Storekeeper, idempotency_key: IdempotencyKey = None
) -> StoreFulfillmentView:
    """They will not, or can't. Not once it is packed."""
    fact: Fact = lambda tx, about: stores.refused(tx, about, body.reason, wall_clock())  # noqa: E731
    return taken(here, who, fulfillment_id, "refuse", body, idempotency_key, fact)


@router.post("/v1/fulfillments/{fulfillment_id}/pack", responses=ANSWERS)
def pack(
    fulfillment_id: FulfillmentId, body: Packed, here: Here, who: Storekeeper, idempotency_key: IdempotencyKey = None
) -> StoreFulfillmentView:
    """Packed and weighed: labels are bought, and shown as `label_url`. May be said anew until they are."""
    silent = [n for n, parcel in enumerate(body.parcels) if parcel.contents is None]
    if 0 < len(silent) < len(body.parcels):
        raise wrong([(f"parcels[{silent[0]}].contents", "is missing: other parcels have theirs")])
    parcels = [Parcel(**parcel.model_dump(exclude={"contents"})) for parcel in body.parcels]

    def fact(tx: Session, about: str) -> bool:
        if fulfillments.locked(tx, about)[1].method == ShippingMethod.SHIP and not parcels:
            raise wrong([("parcels", "is missing: it is to be sent")])
        return stores.packed(tx, about, parcels, wall_clock(), contents_of(tx, about, body))

    return taken(here, who, fulfillment_id, "pack", body, idempotency_key, fact)


def plain(what: str, fact: Callable[[Session, str, datetime], bool], words: str) -> None:
    """What needs no more words than that it is so."""

    def act(
        fulfillment_id: FulfillmentId,
        here: Here,
        who: Storekeeper,
        body: Done | None = None,
        idempotency_key: IdempotencyKey = None,
    ) -> StoreFulfillmentView:
        now: Fact = lambda tx, about: fact(tx, about, wall_clock())  # noqa: E731
        return taken(here, who, fulfillment_id, what, body or Done(), idempotency_key, now)

    where, name = f"/v1/fulfillments/{{fulfillment_id}}/{what}", what.replace("-", " ").capitalize()
    router.add_api_route(where, act, methods=["POST"], name=what, summary=name, description=words, responses=ANSWERS)


plain("accept", stores.accepted, "They will pack it.")
plain("pick", stores.picked, "They have begun.")
plain("hand-over", stores.handed_over, "The carrier has it. Not before it is `released`.")
plain("stop", stores.stopped, "Asked to stop it (`recall`), they have: its units are back on the shelf.")
plain("refuse-stop", stores.not_stopped, "Asked to stop it, they can't: it goes on, or has left.")


# --- the same of all --------------------------------------------------------------------------------------------------


def taken(
    here: Dependencies, who: Caller, fulfillment_id: str, what: str, body: Done, key: str | None, fact: Fact
) -> StoreFulfillmentView:
    def work(tx: Session) -> StoreFulfillmentView:
        f = seen(tx, fulfillment_id, who)
        if key is None or new(tx, f, what, body, key):
            carried_out(tx, f, who, body, fact)
        return views(tx, [f])[0]

    answer = written(here.sessions, work)
    here.relay.wake()
    return answer


def carried_out(tx: Session, f: Fulfillment, who: Caller, body: Done, fact: Fact) -> None:
    try:
        fulfillments.locked_with_warehouse(tx, f.fulfillment_id)
        stores.said_by(tx, f.order_id, f"{body.by} ({who.name})"[:100] if body.by else who.name)
        if fact(tx, f.fulfillment_id):
            nudge(tx, [f.order_id])
    except (stores.NotPossible, Trimmed) as why:
        raise Refusal(409, str(why)) from None
    conclude(tx)


def seen(tx: Session, fulfillment_id: str, who: Caller) -> Fulfillment:
    """404 where there is none; 403 at another place; 409 where a system speaks for it."""
    mine = select(Fulfillment, Location).join(Location).where(Fulfillment.fulfillment_id == fulfillment_id)
    found = tx.execute(mine).first()
    if found is None:
        raise Refusal(404, f"fulfillment {fulfillment_id} is not known")
    f, place = found
    acting_at(who, f.location_id, "fulfillment_id")
    if place.has_system:
        raise Refusal(409, f"at {f.location_id} the warehouse system {place.warehouse} says what was done")
    return f


def new(tx: Session, f: Fulfillment, what: str, body: Done, key: str) -> bool:
    """Before anything is locked, as webhooks are known. Of the same at the same moment, the second waits here."""
    whole = json.dumps([what, f.fulfillment_id, body.model_dump(mode="json")], sort_keys=True)
    row: dict[str, Any] = {
        "sender": SENDER,
        "news_id": f"{f.location_id}:{hashlib.sha256(key.encode()).hexdigest()}",
        "n": 0,
        "type": f"fulfillment.{what}",
        "about": f"fulfillment {f.fulfillment_id}",
        "digest": hashlib.sha256(whole.encode()).hexdigest(),
        "outcome": NewsOutcome.TAKEN,
        "effective_at": wall_clock(),
        "recorded_at": wall_clock(),
    }
    if tx.execute(insert_new(tx, News).returning(News.n), row).first():
        return True
    before = (News.sender == row["sender"], News.news_id == row["news_id"])
    if tx.scalars(select(News.digest).where(*before)).one() != row["digest"]:
        field = "Idempotency-Key"
        raise Refusal(409, f"{field} was used before, for something else", [(field, "was used for another request")])
    return False


def contents_of(tx: Session, fulfillment_id: str, body: Packed) -> list[Counter[str]]:
    """By SKU, of each parcel. 422 for what is not in this fulfillment."""
    named = {units.sku for parcel in body.parcels for units in parcel.contents or ()}
    if not named:
        return []
    skus = catalogue.skus_of(tx, named)
    inside = [Counter[str]() for _ in body.parcels]
    _, f = fulfillments.locked(tx, fulfillment_id)
    left, errors = packing.counted(units_in(tx, fulfillment_id)), []
    for p, parcel in enumerate(body.parcels):
        for n, units in enumerate(parcel.contents or ()):
            sku = skus.get(units.sku, units.sku)
            inside[p][sku] += units.quantity
            where = f"parcels[{p}].contents[{n}]"
            if sku not in left:
                errors.append((f"{where}.sku", "is not in this fulfillment"))
            elif sum(each[sku] for each in inside) > left[sku]:
                errors.append((f"{where}.quantity", f"makes more than is asked for: {left[sku]}"))
    if errors and f.status in AT_WORK:
        raise wrong(errors)
    return inside
