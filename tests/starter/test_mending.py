"""What holds advise is done over HTTP: another service, another address, other parcels."""

from typing import Any

import pytest

from activities import facts
from activities.models import Subject
from infra.database.tables import Parcel
from infra.hold_kinds import HoldKind
from tests.starter import stages
from tests.starter.door import Api, an_order
from tests.starter.senders import Senders, order

pytestmark = pytest.mark.both_databases

BOX = stages.BOX.model_dump()
HEAVY = BOX | {"weight_g": 70_000}


async def ask(api: Api, what: str, body: Any) -> Any:
    return await api.client.post(f"/v1/orders/W-1001/{what}", json=body)


def held(api: Api, fulfillment: str, kind: HoldKind = HoldKind.BUY_LABEL_FAILED) -> None:
    about = Subject.parcel(fulfillment, 1) if kind == HoldKind.BUY_LABEL_FAILED else Subject.fulfillment(fulfillment)
    with api.database.sessions.begin() as tx:
        facts.holds.opened(tx, "W-1001", kind, about, stages.now(), code="parcel_too_heavy")


async def open_holds(api: Api) -> list[str]:
    return [hold["kind"] for hold in (await order(api))["holds"] if hold["closed_at"] is None]


async def sizes(api: Api) -> list[int]:
    return [parcel["weight_g"] for parcel in (await order(api))["fulfillments"][0]["parcels"]]


# --- the service ------------------------------------------------------------------------------------------------------


async def test_another_service_is_stored_and_what_it_held_goes_on(api: Api, senders: Senders) -> None:
    fulfillment = stages.requested(api.database)
    held(api, fulfillment)
    held(api, fulfillment, HoldKind.CAPTURE_FAILED)
    answer = await ask(api, "shipping-service", {"service": "usps_priority"})
    assert (answer.status_code, answer.json()["shipping"]["service"]) == (202, "usps_priority")
    assert await open_holds(api) == ["capture_payment_failed"]
    assert stages.nudges(api.database) == ["news"]
    assert (await ask(api, "shipping-service", {"service": "usps_priority"})).status_code == 202
    assert stages.nudges(api.database) == ["news"], "the same again is nothing new"
    assert (await ask(api, "shipping-service", {"service": "Next day!"})).status_code == 422


async def test_bought_labels_fix_the_service(api: Api, senders: Senders) -> None:
    stages.labelled(api.database)
    answer = await ask(api, "shipping-service", {"service": "fastest"})
    assert (answer.status_code, "label" in answer.json()["detail"]) == (409, True)


# --- parcels ----------------------------------------------------------------------------------------------------------


async def test_parcels_are_packed_anew_until_their_labels_are_bought(api: Api, senders: Senders) -> None:
    body = {"fulfillment_id": stages.requested(api.database)}

    async def packed(*parcels: dict[str, int]) -> str:
        answer = await senders.warehouse("fulfillment.packed", body | {"parcels": parcels})
        return str(answer.json()["outcome"])

    assert await packed(HEAVY) == "taken"
    held(api, body["fulfillment_id"])
    stages.read_by_the_order(api.database)
    assert await packed(HEAVY) == "unchanged"
    assert await open_holds(api) == ["buy_label_failed"]
    assert await packed(BOX, BOX) == "taken"
    assert (await sizes(api), await open_holds(api)) == ([800, 800], [])
    assert stages.nudges(api.database) == ["news"]
    stages.bought(api.database)
    assert await packed(HEAVY, BOX) == "unchanged", "the first has its label"
    assert await packed(BOX, HEAVY, BOX) == "taken"
    assert await sizes(api) == [800, 70_000, 800]
    assert await packed(BOX) == "taken"
    assert await packed(BOX, BOX) == "unchanged", "each has its label"
    assert await sizes(api) == [800]


async def test_what_is_called_back_is_not_packed_anew(api: Api, senders: Senders) -> None:
    body = {"fulfillment_id": stages.requested(api.database)}
    await senders.warehouse("fulfillment.packed", body | {"parcels": [HEAVY]})
    with api.database.sessions.begin() as tx:
        facts.recall.recall_asked(tx, body["fulfillment_id"], stages.now())
    await senders.warehouse("fulfillment.packed", body | {"parcels": [BOX]})
    with api.database.sessions() as tx:
        assert tx.get_one(Parcel, (body["fulfillment_id"], 1)).weight_g == 70_000


# --- the address ------------------------------------------------------------------------------------------------------

ELSEWHERE = an_order()["shipping"]["address"] | {"street1": "1 Market St", "zip": "94105"}


async def test_where_a_lines_own_address_is_held_the_one_meant_is_named(api: Api) -> None:
    line = an_order()["lines"][0] | {"quantity": 1}
    await api.place(lines=[line, line | {"ship_to": ELSEWHERE}])
    stages.requested(api.database)
    held(api, "W-1001-2")
    better = ELSEWHERE | {"street1": "2 Market St"}
    unnamed = await ask(api, "shipping-address", better)
    assert (unnamed.status_code, "W-1001-2" in unnamed.json()["detail"]) == (409, True)
    foreign = await ask(api, "shipping-address?fulfillment=W-9-1", better)
    assert (foreign.status_code, foreign.json()["errors"][0]["field"]) == (422, "fulfillment")
    answer = await ask(api, "shipping-address?fulfillment=W-1001-2", better)
    assert answer.status_code == 202, answer.text
    assert answer.json()["lines"][1]["ship_to"]["street1"] == "2 Market St"
    assert answer.json()["shipping"]["address"]["street1"] == "215 Clayton St"
    assert await open_holds(api) == []


def boxes(*recipients: dict[str, Any] | None) -> list[dict[str, Any]]:
    line = an_order()["lines"][0] | {"quantity": 1}
    return [line | ({"ship_to": to} if to else {}) for to in recipients]


async def test_the_same_recipient_at_the_same_address_is_one_destination(api: Api) -> None:
    home, friend = an_order()["shipping"]["address"], ELSEWHERE | {"name": "Bo Lind"}
    answer = await api.place(
        lines=boxes(None, ELSEWHERE, home, friend, ELSEWHERE), total=an_order()["total"] + 3 * 1800
    )
    assert answer.status_code == 202, answer.text
    order = answer.json()
    assert [(d["destination"], d["lines"]) for d in order["destinations"]] == [
        ("d1", [1, 3]),
        ("d2", [2, 5]),
        ("d3", [4]),
    ]
    assert [line["destination"] for line in order["lines"]] == ["d1", "d2", "d1", "d3", "d2"]


async def test_a_destination_is_corrected_alone_also_where_it_becomes_the_same(api: Api) -> None:
    home = an_order()["shipping"]["address"]
    await api.place(lines=boxes(None, ELSEWHERE))
    first = await ask(api, "shipping-address?destination=d2", home)
    assert first.status_code == 202, first.text
    other = home | {"street1": "9 Pine St"}
    order = (await ask(api, "shipping-address?destination=d1", other)).json()
    assert [d["address"]["street1"] for d in order["destinations"]] == ["9 Pine St", home["street1"]], "two, still"
    for wrong, field in (("destination=d3", "destination"), ("destination=x", "destination")):
        answer = await ask(api, f"shipping-address?{wrong}", other)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)
    both = await ask(api, "shipping-address?destination=d1&fulfillment=W-1001-1", other)
    assert both.status_code == 422


async def test_what_goes_elsewhere_does_not_keep_an_address_from_being_corrected(api: Api) -> None:
    """The first has left; the label of the second is refused."""
    await api.place(lines=boxes(None, ELSEWHERE))
    stages.requested(api.database)
    with api.database.sessions.begin() as tx:
        facts.handing_over.handed_over(tx, "W-1001-1", stages.now())
    held(api, "W-1001-2")
    better = ELSEWHERE | {"zip": "94105", "street1": "2 Market St"}
    assert (await ask(api, "shipping-address?destination=d1", better)).status_code == 409
    answer = await ask(api, "shipping-address?destination=d2", better)
    assert answer.status_code == 202, answer.text
    assert [f["destination"] for f in answer.json()["fulfillments"]] == ["d1", "d2"]
    assert answer.json()["destinations"][1]["address"]["street1"] == "2 Market St"
    assert len(await open_holds(api)) == 1, "what left unasked is another matter"
