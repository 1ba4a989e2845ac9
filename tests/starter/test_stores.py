"""A place without a warehouse system: its people see what waits there, and say what they did."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from activities import facts
from activities.facts.journal import locked_order
from infra.clock import wall_clock
from infra.database.tables import Deadline, Event, Fulfillment, Message, News, Relay, Reservation
from tests.starter import stages
from tests.starter.door import ADDRESS, Api, an_order

F = "W-1001-1"
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
BOX = {"weight_g": 800, "length_mm": 200, "width_mm": 150, "height_mm": 100}
OWN = {"name": "Berlin Mitte", "warehouse": "own", "address": ADDRESS, "notify": "mitte@example.com", "locale": "de"}
PERSON = ("Ada", "ada@", "Clayton", "94117", "4155550100")


class Store:
    """With a key that is bound to it."""

    def __init__(self, api: Api, location: str) -> None:
        self.api, self.location = api, location
        self.header = api.key("store", name=f"terminal {location}", location=location)

    async def says(self, what: str, body: Any = None, *, fulfillment: str = F, key: str = "") -> httpx.Response:
        headers = self.header | ({"Idempotency-Key": key} if key else {})
        return await self.api.client.post(f"/v1/fulfillments/{fulfillment}/{what}", json=body, headers=headers)

    async def waits(self) -> list[dict[str, Any]]:
        answer = await self.api.client.get("/v1/fulfillments", headers=self.header)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["fulfillments"]
        return found


@pytest.fixture
async def ber(api: Api) -> Store:
    """It has two red mugs, asked for by W-1001."""
    assert (await api.client.put("/v1/locations/BER", json=OWN)).status_code == 201
    lines = [{"sku": "MUG-RED", "quantity": 2}]
    await api.client.post("/v1/restocks", json={"reference": "PO-B", "location": "BER", "lines": lines})
    order = an_order()
    order["lines"] = [order["lines"][0] | {"sku": "MUG-RED", "quantity": 2}]
    assert (await api.client.post("/v1/orders", json=order)).status_code == 202
    with api.database.sessions.begin() as tx:
        facts.reserving.reserved(tx, "W-1001", stages.now())
        facts.stores.requested(tx, F, stages.now())
    stages.read_by_the_order(api.database)
    return Store(api, "BER")


def released(api: Api) -> None:
    stages.bought(api.database)
    with api.database.sessions.begin() as tx:
        facts.handing_over.released(tx, F, stages.now())


def rows(api: Api) -> list[int]:
    """How many there are of what a fact would write."""
    with api.database.sessions() as tx:
        return [tx.scalar(select(func.count()).select_from(table)) or 0 for table in (Event, Relay, News, Message)]


async def test_a_request_is_seen_packed_and_handed_over(api: Api, ber: Store) -> None:
    [one] = await ber.waits()
    assert (one["fulfillment_id"], one["status"], one["accepted_at"]) == (F, "requested", None)
    assert one["lines"] == [{"sku": "MUG-RED", "name": "Mug-Red", "quantity": 2}]
    for what, body, column in (
        ("accept", {"by": "Kim"}, "accepted_at"),
        ("pick", None, "picking_at"),
        ("pack", {"by": "Kim", "parcels": [BOX]}, "packed_at"),
    ):
        answer = await ber.says(what, body)
        assert answer.status_code == 200, answer.text
        assert answer.json()[column] is not None
    early = await ber.says("hand-over")
    assert (early.status_code, early.json()["detail"]) == (409, f"{F} is not released yet: it waits for its labels")
    released(api)
    [one] = await ber.waits()
    assert (one["released"], one["parcels"][0]["label"]) == (True, "bought")
    assert (await ber.says("hand-over", {"by": "Sam"})).json()["status"] == "shipped"
    assert await ber.waits() == []
    with api.database.sessions() as tx:
        asked = {str(event.type): event.data.get("by") for event in tx.scalars(select(Event))}
        assert set(tx.scalars(select(Reservation.status))) == {"consumed"}
        assert tx.scalars(select(Deadline).where(Deadline.kind == "store_reminder")).one().done_at is not None
    assert [asked[each] for each in ("accepted", "picking", "packed", "shipped")] == [
        "Kim (terminal BER)",
        "terminal BER",
        "Kim (terminal BER)",
        "Sam (terminal BER)",
    ]
    assert stages.nudges(api.database).count("news") == 4


async def test_nothing_is_told_of_the_customer(ber: Store) -> None:
    texts = [str(await ber.waits()), (await ber.says("accept")).text]
    answer = await ber.api.client.get(f"/v1/fulfillments/{F}", headers=ber.header)
    with ber.api.database.sessions() as tx:
        mail = tx.scalars(select(Message).where(Message.location_id == "BER")).one()
        assert (mail.kind, mail.data) == ("store_request", {"subject": F, "items": "2 × Mug-Red"})
    assert not [word for word in PERSON for text in (*texts, answer.text) if word in text]


async def test_said_again_it_changes_nothing(api: Api, ber: Store) -> None:
    asked: tuple[tuple[str, Any], ...] = (("accept", None), ("pick", None), ("pack", {"parcels": [BOX]}))
    for what, body in asked:
        await ber.says(what, body)
        before = rows(api)
        again = await ber.says(what, body)
        assert (again.status_code, rows(api)) == (200, before), what
    for what, body in asked[:2]:  # late
        assert (await ber.says(what, body)).status_code == 200
    assert rows(api) == before


@pytest.mark.both_databases
async def test_a_request_is_known_by_its_key(api: Api, ber: Store) -> None:
    packed = {"parcels": [BOX]}
    assert (await ber.says("pack", packed, key="k-1")).status_code == 200
    anew = {"parcels": [BOX | {"weight_g": 900}]}
    assert (await ber.says("pack", anew, key="k-2")).status_code == 200
    before = rows(api)
    assert (await ber.says("pack", packed, key="k-1")).json()["parcels"][0]["weight_g"] == 900
    other = await ber.says("pack", anew, key="k-1")
    assert (other.status_code, other.json()["errors"][0]["field"]) == (409, "Idempotency-Key")
    assert rows(api) == before
    refused = await ber.says("refuse", {"reason": "closed"}, key="k-3")
    assert (refused.status_code, rows(api)) == (409, before), "a refusal uses no key up"


async def test_a_key_of_another_place_is_told_which_it_is_for(api: Api, ber: Store) -> None:
    nyc, before = Store(api, "NYC"), rows(api)
    for what, body in (
        ("accept", None),
        ("pack", {"parcels": [BOX]}),
        ("refuse", {"reason": "closed"}),
        ("stop", None),
    ):
        answer = await nyc.says(what, body)
        assert (answer.status_code, answer.json()["detail"]) == (403, "this API key is for the location NYC")
        assert answer.json()["errors"][0]["field"] == "fulfillment_id"
    for where, field in ((f"/{F}", "fulfillment_id"), ("?location=BER", "location")):
        answer = await api.client.get(f"/v1/fulfillments{where}", headers=nyc.header)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, field)
    unbound = await api.client.get("/v1/fulfillments", headers=api.key("store"))
    assert (unbound.status_code, unbound.json()["errors"][0]["field"]) == (422, "location")
    assert (await nyc.waits(), rows(api)) == ([], before)


async def test_what_is_not_possible_is_refused_and_changes_nothing(api: Api, ber: Store) -> None:
    inside = [{"sku": "MUG-RED", "quantity": 3}, {"sku": "MUG-BLUE", "quantity": 1}]
    wrong: list[tuple[str, Any, int, list[str]]] = [
        ("accept", {"who": "Kim"}, 422, ["who"]),
        ("refuse", None, 422, ["body"]),
        ("refuse", {"reason": "no_idea"}, 422, ["reason"]),
        ("pack", {"parcels": []}, 422, ["parcels"]),
        ("pack", {"parcels": [BOX | {"weight_g": 0}]}, 422, ["parcels[0].weight_g"]),
        ("pack", {"parcels": [BOX, BOX | {"contents": inside[:1]}]}, 422, ["parcels[0].contents"]),
        (
            "pack",
            {"parcels": [BOX | {"contents": inside}]},
            422,
            ["parcels[0].contents[0].quantity", "parcels[0].contents[1].sku"],
        ),
        ("hand-over", None, 409, []),
        ("stop", None, 409, []),
        ("refuse-stop", None, 409, []),
    ]
    before = rows(api)
    for what, body, status, fields in wrong:
        answer = await ber.says(what, body)
        assert answer.status_code == status, (what, answer.text)
        assert [error["field"] for error in answer.json().get("errors", [])] == fields
    assert (await ber.says("accept", fulfillment="W-none-1")).status_code == 404
    assert rows(api) == before


async def test_a_system_says_itself_what_was_done(api: Api) -> None:
    await api.place()
    stages.requested(api.database)
    oak, before = Store(api, "OAK"), rows(api)
    answer = await oak.says("accept")
    assert (answer.status_code, "warehouse system default" in answer.json()["detail"]) == (409, True)
    assert rows(api) == before


async def test_a_refusal_waits_for_a_person(api: Api, ber: Store) -> None:
    answer = await ber.says("refuse", {"reason": "too_busy", "by": "Kim"})
    assert (answer.status_code, await ber.waits()) == (200, [])
    [hold] = (await api.client.get("/v1/holds")).json()["holds"]
    assert (hold["kind"], hold["code"], hold["subject_id"]) == ("fulfillment_refused", "too_busy", F)
    before = rows(api)
    assert ((await ber.says("refuse", {"reason": "too_busy"})).status_code, rows(api)) == (200, before)
    assert (await ber.says("accept")).status_code == 409


@pytest.mark.parametrize(
    ("answer", "recall", "status"), [("stop", "confirmed", "cancelled"), ("refuse-stop", "refused", "requested")]
)
async def test_they_say_whether_it_is_stopped(api: Api, ber: Store, answer: str, recall: str, status: str) -> None:
    with api.database.sessions.begin() as tx:
        locked_order(tx, "W-1001")
        facts.stores.recall_asked(tx, F, stages.now())
    [one] = await ber.waits()
    assert one["recall"] == "asked"
    assert (await ber.says("pack", {"parcels": [BOX]})).status_code == 409
    for _ in range(2):
        done = await ber.says(answer, {"by": "Kim"})
        assert (done.status_code, done.json()["recall"], done.json()["status"]) == (200, recall, status)
    with api.database.sessions() as tx:
        mails = tx.scalars(select(Message.kind).where(Message.location_id == "BER").order_by(Message.message_id)).all()
    assert mails == ["store_request", "store_recall"]


async def test_who_has_not_accepted_is_reminded_until_they_have(api: Api, ber: Store) -> None:
    def passes(hours: int) -> list[str]:
        with api.database.sessions.begin() as tx:
            asked = tx.get_one(Fulfillment, F).requested_at
            assert asked
            facts.passing.passed(tx, "W-1001", asked + hours * HOUR + SECOND)
        with api.database.sessions() as tx:
            return list(tx.scalars(select(Message.subject).where(Message.kind == "store_reminder")))

    assert passes(3) == []
    assert passes(4) == [f"{F} 1"]
    assert passes(4) == [f"{F} 1"]
    assert passes(9) == [f"{F} 1", f"{F} 2"]
    await ber.says("accept")
    assert passes(100) == [f"{F} 1", f"{F} 2"]


async def test_a_place_without_an_address_is_told_nothing(api: Api, ber: Store) -> None:
    await api.client.put("/v1/locations/BER", json=OWN | {"notify": ""})
    with api.database.sessions.begin() as tx:
        facts.fulfillments.to_ask_again(tx, F, "request")
        tx.execute(Message.__table__.delete())  # type: ignore[attr-defined]
        facts.stores.requested(tx, F, wall_clock())
    with api.database.sessions() as tx:
        assert tx.scalars(select(Message)).all() == []


async def test_only_an_own_place_is_notified_and_no_system_is_called_own(api: Api) -> None:
    refused = await api.client.put("/v1/locations/OAK", json=OWN | {"warehouse": "default"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "notify")
    odd = await api.client.put("/v1/locations/OAK", json=OWN | {"notify": "two@example.com, three@example.com"})
    assert (odd.status_code, odd.json()["errors"][0]["field"]) == (422, "notify")
