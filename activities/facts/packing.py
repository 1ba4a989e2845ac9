"""A warehouse packs: in parcels, anew in others, or without units that its shelf did not have."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from activities.facts import catalogue, displacing, holds, inventory
from activities.facts.fulfillments import answered, changed, locked, not_before, parcels_of, replace_parcels
from activities.facts.journal import note
from activities.facts.set_aside import units_in
from activities.facts.short_pick import not_packed
from activities.models import FulfillmentStatus, LabelStatus, ShippingMethod, Subject
from activities.ports import Parcel as Packed
from activities.ports import TrackingStatus
from infra.database.tables import Fulfillment, Order, Parcel, ParcelContent, Reservation
from infra.hold_kinds import HoldKind
from infra.words import EventType

Contents = Sequence[Counter[str]]
"""Units by SKU, or by a reference of the product, of each parcel. Empty: nobody says; then one parcel holds all."""


def packed(tx: Session, fulfillment_id: str, parcels: Sequence[Packed], at: datetime, contents: Contents = ()) -> bool:
    """The warehouse packed and weighed; or packed anew, until the labels are bought. False when this is late or known
    already. What is missing in the parcels is a short pick; what is too much, a hold."""
    order, f = locked(tx, fulfillment_id)
    if f.method == ShippingMethod.PICKUP:
        parcels = ()  # nobody carries it
    elif not parcels:
        return False
    if f.status == FulfillmentStatus.PACKED and not f.recall:
        return packed_anew(tx, order, f, parcels, at, contents)
    if f.status not in (FulfillmentStatus.PLANNED, FulfillmentStatus.REQUESTED):
        return False
    answered(tx, f, at)
    inventory.lock_of(tx, fulfillment_id)
    units = units_in(tx, fulfillment_id)
    asked = counted(units) if contents else Counter()
    contents = by_sku(tx, contents, asked)
    wrong = compared(tx, f, contents, asked, at)
    at = not_before(f, at)
    displacing.found(tx, f, units)
    f.status, f.packed_at = FulfillmentStatus.PACKED, at
    changed(tx, order, f)
    replace_parcels(tx, order, f, [], [to_be_labelled(f, n, parcel) for n, parcel in enumerate(parcels, start=1)])
    store(tx, f, contents, wrong)
    note(tx, order, EventType.PACKED, at, fulfillment_id=fulfillment_id, parcels=len(parcels))
    if wrong:
        holds.opened(tx, order.order_id, HoldKind.PACKED_OTHERWISE, Subject.fulfillment(fulfillment_id), at)
    return True


def packed_anew(
    tx: Session, order: Order, f: Fulfillment, parcels: Sequence[Packed], at: datetime, contents: Contents
) -> bool:
    """A parcel that has a label, or may have one, stays as it is; the others are replaced."""
    asked = counted(units_in(tx, f.fulfillment_id)) if contents else Counter()
    contents = by_sku(tx, contents, asked)
    before = parcels_of(tx, f.fulfillment_id)
    without = [parcel for parcel in before if parcel.label_status == LabelStatus.NONE]
    now = {n: (parcel, contents[n - 1] if contents else None) for n, parcel in enumerate(parcels, start=1)}
    inside = contents_of(tx, f, before, asked) if contents else {}
    then = {parcel.n: (size(parcel), inside.get(parcel.n)) for parcel in before}
    fixed = all(now.get(parcel.n) == then[parcel.n] for parcel in before if parcel not in without)
    if not without or not fixed or then == now:
        return False
    wrong = compared(tx, f, contents, asked, at)
    labelled = {parcel.n for parcel in before} - {parcel.n for parcel in without}
    packed_now = [to_be_labelled(f, n, parcel) for n, (parcel, _) in now.items() if n not in labelled]
    replace_parcels(tx, order, f, without, packed_now)
    store(tx, f, contents, wrong)
    note(tx, order, EventType.PACKED, not_before(f, at), fulfillment_id=f.fulfillment_id, parcels=len(parcels))
    mended = (HoldKind.BUY_LABEL_FAILED, *([] if wrong else [HoldKind.PACKED_OTHERWISE]))
    among = {f.fulfillment_id}
    holds.close_mended(tx, order.order_id, mended, at, by="warehouse", why="packed anew", among=among)
    if wrong:
        holds.opened(tx, order.order_id, HoldKind.PACKED_OTHERWISE, Subject.fulfillment(f.fulfillment_id), at)
    changed(tx, order, f)
    return True


def by_sku(tx: Session, contents: Contents, asked: Counter[str]) -> Contents:
    """Of names that the fulfillment's units have not, those that are a product's references are looked for."""
    others = {name for units in contents for name in units} - asked.keys()
    if not others:
        return contents
    skus = catalogue.skus_of(tx, others)
    merged = []
    for units in contents:
        counted: Counter[str] = Counter()
        for name, quantity in units.items():
            counted[skus.get(name, name)] += quantity
        merged.append(counted)
    return merged


def compared(tx: Session, f: Fulfillment, contents: Contents, asked: Counter[str], at: datetime) -> bool:
    """Whether there is more in the parcels than is to be sent, or something else. What is only missing goes back to
    reservation."""
    if not contents:
        return False
    inside = sum(contents, start=Counter[str]())
    if inside - asked and f.method == ShippingMethod.SHIP:
        return True
    if missing := asked - inside:
        not_packed(tx, f.fulfillment_id, missing.items(), at)
    return False


def store(tx: Session, f: Fulfillment, contents: Contents, wrong: bool) -> None:
    """Of one parcel that holds what it is to hold, nothing needs to be said."""
    if f.method == ShippingMethod.SHIP and (len(contents) > 1 or wrong):
        rows = [
            {"fulfillment_id": f.fulfillment_id, "n": n, "sku": sku, "quantity": quantity}
            for n, units in enumerate(contents, start=1)
            for sku, quantity in sorted(units.items())
        ]
        tx.execute(insert(ParcelContent), rows)


def contents_of(tx: Session, f: Fulfillment, parcels: Sequence[Parcel], asked: Counter[str]) -> dict[int, Counter[str]]:
    """By the parcels' numbers, as far as it is known."""
    inside = contents_told(tx, f.fulfillment_id)
    return inside or ({parcels[0].n: asked} if len(parcels) == 1 else {})


def contents_told(tx: Session, fulfillment_id: str) -> dict[int, Counter[str]]:
    inside: dict[int, Counter[str]] = {}
    for row in tx.scalars(select(ParcelContent).where(ParcelContent.fulfillment_id == fulfillment_id)):
        inside.setdefault(row.n, Counter())[row.sku] = row.quantity
    return inside


def counted(reservations: Iterable[Reservation]) -> Counter[str]:
    units: Counter[str] = Counter()
    for reservation in reservations:
        units[reservation.sku] += reservation.quantity
    return units


def to_be_labelled(f: Fulfillment, n: int, parcel: Packed) -> Parcel:
    return Parcel(
        fulfillment_id=f.fulfillment_id,
        n=n,
        label_status=LabelStatus.NONE,
        tracking_status=TrackingStatus.UNKNOWN,
        **parcel.model_dump(),
    )


def size(parcel: Parcel) -> Packed:
    return Packed.model_validate({field: getattr(parcel, field) for field in Packed.model_fields})
