"""Parcels on their way. They move once the warehouse has handed them over: by pace, or when told to."""

from collections.abc import Iterable
from datetime import timedelta

from infra.sandbox import clock, webhooks
from infra.sandbox.endpoint import Answer, Call
from infra.sandbox.shippo.conversation import body, written
from infra.sandbox.shippo.parameters import CREATE_TRACK
from infra.sandbox.world import Document, World

RETURNS, LOST = "00005", "00006"
PATHS = {
    RETURNS: ("pre_transit", "in_transit", "out_for_delivery", "return_to_sender"),
    LOST: ("pre_transit", "in_transit", "failure"),
}
USUAL = ("pre_transit", "in_transit", "out_for_delivery", "delivered")

STATUSES = {
    "unknown": ("UNKNOWN", "other", "The carrier knows nothing of the parcel."),
    "pre_transit": ("PRE_TRANSIT", "information_received", "The carrier has received the shipment's information."),
    "in_transit": ("TRANSIT", "package_accepted", "The carrier has the parcel."),
    "out_for_delivery": ("TRANSIT", "out_for_delivery", "The parcel is out for delivery."),
    "available_for_pickup": ("TRANSIT", "pickup_available", "The parcel waits to be picked up."),
    "delivered": ("DELIVERED", "delivered", "The parcel was delivered."),
    "return_to_sender": ("RETURNED", "return_to_sender", "The parcel goes back to the sender."),
    "failure": ("FAILURE", "package_lost", "The parcel is lost."),
}
TEST_NUMBERS = {
    "SHIPPO_PRE_TRANSIT": "pre_transit",
    "SHIPPO_TRANSIT": "in_transit",
    "SHIPPO_DELIVERED": "delivered",
    "SHIPPO_RETURNED": "return_to_sender",
    "SHIPPO_FAILURE": "failure",
    "SHIPPO_UNKNOWN": "unknown",
}


def get_track(world: World, call: Call) -> Answer:
    return Answer(_track(world, call.path_params["carrier"], call.path_params["number"]))


def register(world: World, call: Call) -> Answer:
    """Labels of our own are followed anyway; of others there is no news."""
    given = body(call, CREATE_TRACK)
    return Answer(_track(world, given["carrier"], given["tracking_number"]))


def begin(world: World, carrier: str, number: str, label: Document, rate: Document) -> None:
    """A label was bought: the carrier knows that a parcel will come."""
    event = _event(world, "pre_transit")
    answer = {
        "carrier": carrier,
        "tracking_number": number,
        "transaction": label["answer"]["object_id"],
        "metadata": label["answer"]["metadata"],
        "servicelevel": {"token": rate["servicelevel"]["token"], "name": rate["servicelevel"]["name"]},
        "address_from": None,
        "address_to": None,
        "eta": written(world.now() + timedelta(days=rate["estimated_days"])),
        "original_eta": None,
        "tracking_status": event,
        "tracking_history": [event],
        "messages": [],
    }
    path = PATHS.get(label["to_zip"], USUAL)
    doc = {"answer": answer, "order_id": label["order_id"], "status": "pre_transit", "path": path, "handed_over": False}
    world.put("shippo_track", number, doc)


def parcels_left(world: World, numbers: Iterable[str]) -> None:
    """The warehouse has given these parcels to their carriers."""
    for number in numbers:
        doc = world.get("shippo_track", number)
        if doc is not None and not doc["handed_over"]:
            world.put("shippo_track", number, doc | {"handed_over": True})
            _go_on(world, number, doc["status"])


def given(world: World, number: str) -> Document:
    """By people whom no warehouse system speaks for."""
    doc = world.get("shippo_track", number)
    if doc is None:
        raise KeyError(number)
    parcels_left(world, [number])
    answer: Document = doc["answer"]
    return answer


def move(world: World, number: str, status: str) -> Document:
    """The parcel is there now, and we are told."""
    doc = world.get("shippo_track", number)
    if doc is None or status not in STATUSES:
        raise KeyError(number if doc is None else status)
    if not doc["handed_over"]:
        raise ValueError(f"{number} has not left: the warehouse must hand it over first")
    event = _event(world, status)
    answer: Document = doc["answer"] | {
        "tracking_status": event,
        "tracking_history": [*doc["answer"]["tracking_history"], event],
    }
    world.put("shippo_track", number, doc | {"answer": answer, "status": status})
    label = world.get("shippo_transaction", answer["transaction"])
    if label is not None:
        kept = label["answer"] | {"tracking_status": event["status"]}
        world.put("shippo_transaction", answer["transaction"], label | {"answer": kept})
    webhooks.send(world, "shippo", {"event": "track_updated", "test": True, "data": answer})
    _go_on(world, number, status)
    return answer


@clock.action("shippo.move")
def move_on(world: World, subject: Document) -> None:
    doc = world.get("shippo_track", subject["number"])
    if doc and doc["status"] == subject["from"]:
        path = doc["path"]
        move(world, subject["number"], path[path.index(doc["status"]) + 1])


def _go_on(world: World, number: str, status: str) -> None:
    doc = world.get("shippo_track", number)
    if doc and status in doc["path"][:-1]:
        subject = {"number": number, "from": status}
        clock.schedule(world, "shippo.move", subject, paces=1, order_id=doc["order_id"])


def _track(world: World, carrier: str, number: str) -> Document:
    doc = world.get("shippo_track", number)
    if doc is not None and doc["answer"]["carrier"] == carrier:
        answer: Document = doc["answer"]
        return answer
    known = TEST_NUMBERS.get(number) if carrier == "shippo" else None
    event = _event(world, known) if known else None
    history = [event] if event else []
    return {
        "carrier": carrier,
        "tracking_number": number,
        "eta": None,
        "tracking_status": event,
        "tracking_history": history,
        "messages": [],
    }


def _event(world: World, status: str) -> Document:
    name, code, text = STATUSES[status]
    now = written(world.now())
    return {
        "object_id": world.new_id(""),
        "object_created": now,
        "object_updated": now,
        "status": name,
        "status_details": text,
        "status_date": now,
        "substatus": {"code": code, "text": text, "action_required": status in ("failure", "return_to_sender")},
        "location": None,
    }
