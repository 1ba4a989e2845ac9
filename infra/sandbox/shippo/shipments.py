"""Shipments and their rates: free, and as many as you like."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from infra.sandbox.endpoint import Answer, Call
from infra.sandbox.shippo import carriers
from infra.sandbox.shippo.conversation import CLOCK, body, found, order_of, written
from infra.sandbox.shippo.parameters import CREATE_SHIPMENT
from infra.sandbox.world import Document, World

NOWHERE, SILENT, SILENT_ONCE = "00000", "00007", "00009"
OWNER = "sandbox@example.com"


def create_shipment(world: World, call: Call) -> Answer:
    given = body(call, CREATE_SHIPMENT)
    shipment = world.new_id("")
    rates, messages = _rates(world, shipment, given)
    order_id = order_of(given.get("metadata"))
    zip = given["address_to"].get("zip") or ""
    for rate in rates:
        world.put("shippo_rate", rate["object_id"], {"answer": rate, "order_id": order_id, "to_zip": zip})
    doc = {
        **_object(world, shipment),
        "status": "SUCCESS",
        "test": True,
        "metadata": given.get("metadata") or "",
        "address_from": _address(world, given["address_from"]),
        "address_to": _address(world, given["address_to"]),
        "parcels": [_parcel(world, each) for each in given["parcels"]],
        "carrier_accounts": [],
        "shipment_date": given.get("shipment_date") or written(world.now(CLOCK)),
        "extra": {},
        "messages": messages,
        "rates": rates,
    }
    world.put("shippo_shipment", shipment, {"answer": doc, "order_id": order_id, "reference": given.get("metadata")})
    later = given.get("async") is not False
    return Answer(doc | {"status": "QUEUED", "rates": [], "messages": []} if later else doc, 201)


def get_shipment(world: World, call: Call) -> Answer:
    return Answer(found(world, "shippo_shipment", call.path_params["id"])["answer"])


def get_rate(world: World, call: Call) -> Answer:
    return Answer(found(world, "shippo_rate", call.path_params["id"])["answer"])


def _rates(world: World, shipment: str, given: Document) -> tuple[list[Document], list[Document]]:
    """The rates, or else why there are none."""
    origin, destination = _place(given["address_from"]), _place(given["address_to"])
    if destination["zip"] == NOWHERE:
        return [], [_message("Shippo Address Validator", "address_not_found", "The address could not be found.")]
    if destination["zip"] == SILENT or (destination["zip"] == SILENT_ONCE and _first(world, given)):
        return [], [_message("USPS", "", "USPS API did not respond. Please try again in a few minutes.")]
    if not destination["zip"] and destination["country"] == "US":
        return [], [_message("Shippo", "address_incomplete", "The destination needs a zip code.")]
    if carriers.crosses_customs(origin["country"], destination["country"]) and not given.get("customs_declaration"):
        return [], [_message("Shippo", "customs_missing", "International shipments need a customs declaration.")]
    found = carriers.quotes(sum(map(_grams, given["parcels"]), Decimal(0)), origin, destination)
    if not found:
        return [], [_message("Shippo", "parcel_too_heavy", "No carrier takes a shipment of this weight.")]
    return list(_offers(world, shipment, found)), []


def _first(world: World, given: Document) -> bool:
    """Whether rates are asked for this parcel for the first time."""
    parcel = given.get("metadata") or ""
    known = world.get("shippo_silence", parcel) is not None
    world.put("shippo_silence", parcel, {})
    return not known


def _offers(world: World, shipment: str, quotes: list[carriers.Quote]) -> Iterator[Document]:
    cheapest = min(quote.cents for quote in quotes)
    fastest = min(quote.days for quote in quotes)
    for quote in quotes:
        price = f"{quote.cents // 100}.{quote.cents % 100:02d}"
        marks = (("CHEAPEST", quote.cents == cheapest), ("FASTEST", quote.days == fastest))
        yield {
            "object_id": world.new_id(""),
            "object_owner": OWNER,
            "object_created": written(world.now(CLOCK)),
            "shipment": shipment,
            "provider": quote.service.provider,
            "servicelevel": {"token": quote.service.token, "name": quote.service.name, "terms": ""},
            "carrier_account": f"sandbox_{quote.service.carrier}",
            "amount": price,
            "currency": "USD",
            "amount_local": price,
            "currency_local": "USD",
            "estimated_days": quote.days,
            "duration_terms": f"Delivery in {quote.days} business days.",
            "arrives_by": None,
            "zone": str(quote.zone),
            "attributes": [mark for mark, earned in marks if earned],
            "messages": [],
            "test": True,
        }


def _place(address: Document) -> dict[str, str]:
    return {"country": address["country"], "zip": (address.get("zip") or "").strip()}


def _grams(parcel: Document) -> Decimal:
    return Decimal(parcel["weight"]) * carriers.GRAMS[parcel["mass_unit"]]


def _address(world: World, given: Document) -> Document:
    checked = {"is_valid": _place(given)["zip"] != NOWHERE, "messages": []} if given.get("validate") else {}
    kept = {name: value for name, value in given.items() if name != "validate"}
    complete = all(given.get(name) for name in ("name", "street1", "city"))
    return {**_object(world), **kept, "is_complete": complete, "validation_results": checked, "test": True}


def _parcel(world: World, given: Document) -> Document:
    return {**_object(world), **given, "object_state": "VALID", "test": True}


def _object(world: World, id: str | None = None) -> dict[str, Any]:
    now = written(world.now(CLOCK))
    return {"object_id": id or world.new_id(""), "object_owner": OWNER, "object_created": now, "object_updated": now}


def _message(source: str, code: str, text: str) -> Document:
    return {"source": source, "code": code, "text": text}
