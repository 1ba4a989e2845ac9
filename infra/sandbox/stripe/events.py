"""What Stripe tells, event by event.

Those about one intent or one order may be kept back, and sent as a test likes: late, in another order, twice.
"""

from collections.abc import Iterable

from infra.sandbox import webhooks
from infra.sandbox.endpoint import Answer, Call
from infra.sandbox.stripe.calls import Given
from infra.sandbox.stripe.objects import VERSION, load, new_id, order_of, page, save, shown, stamp
from infra.sandbox.world import Document, World

KEPT, ABOUT = "stripe.kept_events", "stripe.event_about"


def announce(world: World, type: str, doc: Document, key: str | None = None) -> None:
    """Makes an event of the object as it is now, and sends it. What happens in another's account is told to nobody."""
    of_intent = doc if doc["object"] == "payment_intent" else world.get("stripe.payment_intent", doc["payment_intent"])
    intent: Document = of_intent or doc
    if intent.get("_account"):
        return
    event: Document = {
        "id": new_id("evt_"),
        "object": "event",
        "api_version": VERSION,
        "created": stamp(world, intent["customer"]),
        "data": {"object": shown(world, doc)},
        "livemode": False,
        "pending_webhooks": 1,
        "request": {"id": new_id("req_"), "idempotency_key": key},
        "type": type,
        "_sent": 0,
    }
    subjects = (intent["id"], order_of(intent))
    save(world, event)
    for about in subjects:  # found by it without reading all events of a long run
        world.put(ABOUT, f"{event['id']} {about}", {"event": event["id"]}, under=about)
    if all(world.get(KEPT, about) is None for about in subjects):
        _send(world, event, None)


def keep(world: World, about: str) -> None:
    """From now on, events about this intent or order are made and not sent."""
    world.put(KEPT, about, {})


def release(world: World, about: str) -> None:
    """What was kept goes out, one after the other; from now on nothing is kept."""
    world.delete(KEPT, about)
    follows = None
    for event in of(world, about):
        follows = follows if event["_sent"] else _send(world, event, follows)


def resend(world: World, about: str, types: Iterable[str]) -> None:
    """Sends events of these types, each when the one before was taken: of each type the oldest that was not sent yet,
    else the newest once more. ValueError: there is none."""
    follows = None
    for type in types:
        found = [event for event in of(world, about) if event["type"] == type]
        if not found:
            raise ValueError(f"no {type} about {about}")
        event = next((event for event in found if not event["_sent"]), found[-1])
        follows = _send(world, event, follows)


def of(world: World, about: str) -> list[Document]:
    """Those about an intent or an order, oldest first."""
    return [load(world, "event", link["event"], "id") for link in world.all(ABOUT, under=about)]


def _send(world: World, event: Document, follows: int | None) -> int:
    save(world, event | {"_sent": event["_sent"] + 1})
    return webhooks.send(world, "stripe", shown(world, event), id=event["id"], follows=follows)


def retrieve(world: World, call: Call, given: Given) -> Answer:
    return Answer(shown(world, load(world, "event", call.path_params["id"], "id"), given.get("expand")))


def listed(world: World, call: Call, given: Given) -> Answer:
    wanted = given.get("types") or ([given["type"]] if "type" in given else None)
    found = world.all("stripe.event", newest_first=True)
    return page(world, "/v1/events", [e for e in found if wanted is None or e["type"] in wanted], given)
