"""Labels: bought (the same rate twice is two labels, as at the vendor), listed, and given back."""

from datetime import datetime, timedelta
from typing import Any

from infra.sandbox import clock, webhooks
from infra.sandbox.endpoint import Answer, Call
from infra.sandbox.shippo import carriers, tracks
from infra.sandbox.shippo.conversation import CLOCK, args, body, found, order_of, refused, written
from infra.sandbox.shippo.parameters import CREATE_REFUND, CREATE_TRANSACTION, LIST_TRANSACTIONS
from infra.sandbox.shippo.shipments import OWNER
from infra.sandbox.world import Document, World

RATES_LAST = timedelta(days=7)
BAD_FUNDS, HICCUP, UNKNOWN_FORMAT, NO_REFUND, UNKNOWN_CODE = "00001", "00002", "00003", "00004", "00008"
QUEUE_SECONDS = 0.2
REFUND_PACES = 2
UNSENT = ("unknown", "pre_transit")


def buy(world: World, call: Call) -> Answer:
    given = body(call, CREATE_TRANSACTION)
    rate = world.get("shippo_rate", given["rate"])
    if rate is None:
        raise refused(400, {"rate": ["Rate with supplied object_id not found."]})
    if world.now(CLOCK) - datetime.fromisoformat(rate["answer"]["object_created"]) > RATES_LAST:
        raise refused(400, {"rate": ["Rate is older than 7 days and can no longer be purchased."]})
    shipment = found(world, "shippo_shipment", rate["answer"]["shipment"])
    reference = given.get("metadata") or shipment["reference"]
    trouble = _trouble(world, rate, reference or rate["answer"]["shipment"])
    answer = _transaction(world, given, rate, shipment) | (trouble or {})
    doc = {"answer": answer, "order_id": order_of(reference), "to_zip": rate["to_zip"], "refund": None}
    if not trouble:
        _make(world, doc, rate)
    world.put("shippo_transaction", answer["object_id"], doc, under=given["rate"])
    webhooks.send(world, "shippo", {"event": "transaction_created", "test": True, "data": answer})
    if not trouble and given.get("async") is not False:
        return Answer(_queue(world, doc), 201)
    return Answer(answer, 201)


def list_transactions(world: World, call: Call) -> Answer:
    given = args(call, LIST_TRANSACTIONS)
    docs = world.all("shippo_transaction", under=given.get("rate"), newest_first=True)
    wanted = [doc["answer"] for doc in docs if _matches(doc["answer"], given)]
    size = given.get("results", 25)
    start = (given.get("page", 1) - 1) * size
    more = f"{world.url}/shippo/transactions?page={given.get('page', 1) + 1}&results={size}"
    following = more if len(wanted) > start + size else None
    return Answer({"next": following, "previous": None, "results": wanted[start : start + size]})


def get_transaction(world: World, call: Call) -> Answer:
    return Answer(found(world, "shippo_transaction", call.path_params["id"])["answer"])


def refund(world: World, call: Call) -> Answer:
    given = body(call, CREATE_REFUND)
    doc = world.get("shippo_transaction", given["transaction"])
    if doc is None:
        raise refused(400, {"transaction": ["Transaction with supplied object_id not found."]})
    if doc["answer"]["status"] != "SUCCESS":
        raise refused(400, {"transaction": ["Refund cannot be created for this transaction."]})
    now = written(world.now())
    answer = {
        "object_id": world.new_id(""),
        "object_owner": OWNER,
        "object_created": now,
        "object_updated": now,
        "transaction": given["transaction"],
        "status": "PENDING",
        "test": True,
    }
    world.put("shippo_refund", answer["object_id"], {"answer": answer, "order_id": doc["order_id"]})
    _change(world, doc | {"refund": answer["object_id"]}, status="REFUNDPENDING")
    world.count("label_refund", doc["order_id"], given["transaction"], doc["cents"])
    subject = {"label": given["transaction"]}
    clock.schedule(world, "shippo.answer_refund", subject, paces=REFUND_PACES, order_id=doc["order_id"])
    return Answer(answer, 201)


def get_refund(world: World, call: Call) -> Answer:
    return Answer(found(world, "shippo_refund", call.path_params["id"])["answer"])


@clock.action("shippo.answer_refund")
def answer_refund(world: World, subject: Document) -> None:
    """The carrier's answer: no, if the label was used."""
    doc = world.get("shippo_transaction", subject["label"])
    if doc and doc["answer"]["status"] == "REFUNDPENDING":
        track = world.get("shippo_track", doc["answer"]["tracking_number"])
        unused = track is None or (track["status"] in UNSENT and not track["handed_over"])
        decide_refund(world, subject["label"], granted=unused and doc["to_zip"] != NO_REFUND)


def decide_refund(world: World, label: str, *, granted: bool) -> Document:
    doc = world.get("shippo_transaction", label)
    if doc is None:
        raise KeyError(label)
    if doc["answer"]["status"] != "REFUNDPENDING":
        raise ValueError(f"no refund of {label} is pending: it is {doc['answer']['status']}")
    asked = found(world, "shippo_refund", doc["refund"])
    answer = asked["answer"] | {"status": "SUCCESS" if granted else "ERROR", "object_updated": written(world.now())}
    world.put("shippo_refund", doc["refund"], asked | {"answer": answer})
    return _change(world, doc, status="REFUNDED" if granted else "REFUNDREJECTED")


@clock.action("shippo.finish")
def finish(world: World, subject: Document) -> None:
    """A queued purchase is made."""
    doc = world.get("shippo_transaction", subject["label"])
    if doc and doc["answer"]["status"] == "QUEUED":
        _change(world, doc, **subject["made"])


def _trouble(world: World, rate: Document, parcel: str) -> Document | None:
    """What the destination's zip tells the carrier to refuse."""
    provider = rate["answer"]["provider"]
    if rate["to_zip"] == BAD_FUNDS:
        return _error(provider, "insufficient_funds", "Your account balance is not sufficient.")
    if rate["to_zip"] == HICCUP and world.get("shippo_hiccup", parcel) is None:
        world.put("shippo_hiccup", parcel, {})
        return _error(
            provider, "carrier_timeout", f"{provider} API did not respond. Please try again in a few minutes."
        )
    if rate["to_zip"] == UNKNOWN_CODE:
        return _error(provider, "E-4711", "Something is not as it should be.")
    return None


def _error(source: str, code: str, text: str) -> Document:
    return {"status": "ERROR", "object_state": "INVALID", "messages": [{"source": source, "code": code, "text": text}]}


def _transaction(world: World, given: Document, rate: Document, shipment: Document) -> Document:
    now = written(world.now())
    return {
        "object_id": world.new_id(""),
        "object_owner": OWNER,
        "object_state": "VALID",
        "object_created": now,
        "object_updated": now,
        "status": "SUCCESS",
        "rate": rate["answer"]["object_id"],
        "parcel": shipment["answer"]["parcels"][0]["object_id"],
        "metadata": given.get("metadata") or "",
        "label_file_type": given.get("label_file_type") or "PDF_4x6",
        "label_url": None,
        "commercial_invoice_url": None,
        "qr_code_url": None,
        "tracking_number": None,
        "tracking_status": None,
        "tracking_url_provider": None,
        "eta": None,
        "messages": [],
        "created_by": None,
        "test": True,
    }


def _make(world: World, doc: Document, rate: Document) -> None:
    """Money is spent, and the parcel has a number."""
    answer, carrier = doc["answer"], rate["answer"]["provider"].lower()
    number = carriers.tracking_number(carrier)
    doc["cents"] = int(rate["answer"]["amount"].replace(".", ""))
    answer |= {
        "label_url": f"{world.url}/shippo/labels/{answer['object_id']}.pdf",
        "tracking_number": number,
        "tracking_status": "PRE_TRANSIT",
        "tracking_url_provider": f"{world.url}/shippo/parcels/{carrier}/{number}",
    }
    if doc["to_zip"] == UNKNOWN_FORMAT:
        answer["label_file_type"] = "PDF_FUTURE"
    tracks.begin(world, carrier, number, doc, rate["answer"])
    world.count("label", doc["order_id"], answer["object_id"], doc["cents"])


def _queue(world: World, doc: Document) -> Document:
    """As asked: answered at once, and made a little later."""
    answer = doc["answer"]
    names = ("status", "label_url", "tracking_number", "tracking_status", "tracking_url_provider")
    clock.schedule(
        world,
        "shippo.finish",
        {"label": answer["object_id"], "made": {name: answer[name] for name in names}},
        after=QUEUE_SECONDS,
    )
    queued: Document = answer | dict.fromkeys(names) | {"status": "QUEUED"}
    world.put("shippo_transaction", answer["object_id"], doc | {"answer": queued})
    return queued


def _change(world: World, doc: Document, **changes: Any) -> Document:
    answer: Document = doc["answer"] | changes | {"object_updated": written(world.now())}
    world.put("shippo_transaction", answer["object_id"], doc | {"answer": answer})
    webhooks.send(world, "shippo", {"event": "transaction_updated", "test": True, "data": answer})
    return answer


def _matches(answer: Document, given: Document) -> bool:
    return given.get("object_status") in (None, answer["status"]) and given.get("tracking_status") in (
        None,
        answer["tracking_status"],
    )
