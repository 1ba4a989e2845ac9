"""The warehouse: asked to pack, told to hand over, asked to stop. Every request is safe to repeat with its key. A place
without a system is sent nothing: what stands in the tables is the request."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import case, func, select
from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity

from activities.facts import effects, fulfillments, handing_over, packing, recall, stores
from activities.facts.effects import OpenEffect
from activities.facts.journal import MINE, outcome_known
from activities.facts.recall import recall_confirmed
from activities.failures import OutcomeUnknown, Refused
from activities.models import (
    AT_REST,
    FulfillmentStatus,
    FulfillmentStep,
    LabelStatus,
    Recall,
    ShippingMethod,
    Snapshot,
)
from activities.ports import PickedUpBy, PostalAddress, ReleasedParcel, WarehouseLine, WarehouseRequest, Warehouses
from activities.views.snapshot import of_fulfillment, snapshot
from infra.database.tables import Contact, Fulfillment, Location, Parcel, Reservation
from infra.words import ReservationStatus
from infra.words.stock import UNSENT

NOT_FOUND, KNOWN = "not_found", "conflict"
"""How a warehouse refuses."""


class FulfillmentActivities:
    def __init__(self, sessions: sessionmaker[Session], warehouses: Warehouses) -> None:
        self.sessions = sessions
        self.warehouses = warehouses

    @activity.defn(name="request_fulfillment", no_thread_cancel_exception=True)
    def request(self, step: FulfillmentStep) -> Snapshot:
        """Asks the location's warehouse to pack. Undone by `recall_fulfillment`."""
        name = f"request:{step.fulfillment_id}"
        with self.sessions.begin() as tx:
            _, f = fulfillments.locked(tx, step.fulfillment_id)
            place = location_of(tx, f)
            if f.status != FulfillmentStatus.PLANNED and place.has_system:
                outcome_known(tx, step.order_id, name)
                return of_fulfillment(tx, step.fulfillment_id)
            asked, warehouse = asked_of(tx, f), place.warehouse
            if asked is None:  # the order is to look first
                return snapshot(tx, step.order_id, [step.fulfillment_id])
            if not place.has_system:
                stores.requested(tx, step.fulfillment_id, step.at)
                return snapshot(tx, step.order_id, [step.fulfillment_id])
            effect = effects.begin(tx, step.order_id, name, location=f.location_id)
            effects.call_with_same_key(tx, effect)
        try:
            self.warehouses.request(warehouse, asked, key=effect.key)
        except Refused as refusal:
            if effect.fresh or refusal.code != KNOWN:  # asked again it has the request, as it was then
                raise
        with self.sessions.begin() as tx:
            fulfillments.requested(tx, step.fulfillment_id, step.at)
            effects.finish(tx, effect)
            return of_fulfillment(tx, step.fulfillment_id)

    @activity.defn(name="release_fulfillment", no_thread_cancel_exception=True)
    def release(self, step: FulfillmentStep) -> Snapshot:
        """Gives the warehouse the labels: from now on it may hand over."""
        with self.sessions.begin() as tx:
            _, f = fulfillments.locked(tx, step.fulfillment_id)
            if f.released or f.status != FulfillmentStatus.PACKED:
                outcome_known(tx, step.order_id, f"release:{step.fulfillment_id}")
                return of_fulfillment(tx, step.fulfillment_id)
            packed = fulfillments.parcels_of(tx, step.fulfillment_id)
            if any(p.label_status == LabelStatus.NONE for p in packed):  # somebody gave one back: another comes first
                return of_fulfillment(tx, step.fulfillment_id)
            if not (place := location_of(tx, f)).has_system:
                handing_over.released(tx, step.fulfillment_id, step.at)
                return of_fulfillment(tx, step.fulfillment_id)
            inside = packing.contents_told(tx, step.fulfillment_id) if len(packed) > 1 else {}
            parcels = [released(p, inside.get(p.n)) for p in packed]
            effect = effects.begin(tx, step.order_id, f"release:{step.fulfillment_id}")
        self.warehouses.release(place.warehouse, step.fulfillment_id, parcels, key=effect.key)
        with self.sessions.begin() as tx:
            handing_over.released(tx, step.fulfillment_id, step.at)
            effects.finish(tx, effect)
            return of_fulfillment(tx, step.fulfillment_id)

    @activity.defn(name="recall_fulfillment", no_thread_cancel_exception=True)
    def recall(self, step: FulfillmentStep) -> Snapshot:
        """Asks the warehouse to stop. Whether it could, it tells later. Undo of `request_fulfillment`, one whose answer
        was lost too."""
        request = f"request:{step.fulfillment_id}"
        with self.sessions.begin() as tx:
            _, f = fulfillments.locked(tx, step.fulfillment_id)
            lost = effects.begin(tx, step.order_id, request) if effects.unresolved(tx, step.order_id, request) else None
            asked = f.status == FulfillmentStatus.REQUESTED or f.status in AT_REST or lost
            name = f"recall:{step.fulfillment_id}"
            if f.recall in (Recall.CONFIRMED, Recall.REFUSED) or not asked:
                outcome_known(tx, step.order_id, name)
                return of_fulfillment(tx, step.fulfillment_id)
            if not (place := location_of(tx, f)).has_system:
                stores.recall_asked(tx, step.fulfillment_id, step.at)
                return snapshot(tx, step.order_id, [step.fulfillment_id])
            if effects.done_at(tx, step.order_id, name, step.at):
                return of_fulfillment(tx, step.fulfillment_id)
            recall.recall_asked(tx, step.fulfillment_id, step.at)
            effect = effects.begin(tx, step.order_id, name, at=step.at.isoformat())
        try:
            self.warehouses.cancel(place.warehouse, step.fulfillment_id, key=effect.key)
        except Refused as refusal:
            if lost is None or refusal.code != NOT_FOUND:
                raise
            return self.never_asked(step, lost, effect)
        with self.sessions.begin() as tx:
            fulfillments.acknowledged(tx, step.fulfillment_id, step.at)
            effects.finish(tx, effect)
            return of_fulfillment(tx, step.fulfillment_id)

    def never_asked(self, step: FulfillmentStep, request: OpenEffect, recall: OpenEffect) -> Snapshot:
        """The warehouse does not know what we may have asked it for. Once the request can't be under way any more,
        there is nothing to stop."""
        if not request.settled:
            raise OutcomeUnknown("warehouse", "settling", "The request may be under way.", retry_in=request.settles_in)
        with self.sessions.begin() as tx:
            recall_confirmed(tx, step.fulfillment_id, step.at)
            effects.finish(tx, request, "nothing_happened")
            effects.finish(tx, recall)
            return of_fulfillment(tx, step.fulfillment_id)


def released(parcel: Parcel, contents: Mapping[str, int] | None) -> ReleasedParcel:
    return ReleasedParcel(
        tracking_number=parcel.tracking_number or "",
        carrier=parcel.carrier or "",
        label_url=parcel.label_url or "",
        contents=[WarehouseLine(sku=sku, quantity=units) for sku, units in sorted(contents.items())]
        if contents
        else None,
    )


def location_of(tx: Session, f: Fulfillment) -> Location:
    return tx.get_one(Location, f.location_id)


UNITS = (
    select(
        Reservation.sku,
        func.sum(Reservation.quantity),
        func.sum(case((Reservation.status == ReservationStatus.DISPLACED, 1), else_=0)),
    )
    .where(Reservation.fulfillment_id == MINE, Reservation.status.in_(UNSENT))
    .group_by(Reservation.sku)
    .order_by(Reservation.sku)
)


def asked_of(tx: Session, f: Fulfillment) -> WarehouseRequest | None:
    """None where units of it were displaced."""
    lines = tx.execute(UNITS, {"mine": f.fulfillment_id}).all()
    if any(displaced for _, _, displaced in lines):
        return None
    return WarehouseRequest(
        fulfillment_id=f.fulfillment_id,
        order_id=f.order_id,
        location=f.location_id,
        lines=[WarehouseLine(sku=sku, quantity=int(quantity)) for sku, quantity, _ in lines],
        **going(f, tx.get_one(Contact, f.contact_id)),
    )


def going(f: Fulfillment, contact: Contact) -> dict[str, Any]:
    """To where, or to whom."""
    if f.method == ShippingMethod.PICKUP:
        return {"pickup": PickedUpBy(name=contact.name)}
    return {"ship_to": postal(contact)}


def postal(contact: Contact) -> PostalAddress:
    return PostalAddress.model_validate({field: getattr(contact, field) for field in PostalAddress.model_fields})
