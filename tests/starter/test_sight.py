"""What a key sees: as much as its scopes allow, of its own channel alone."""

from typing import Any

import pytest
from sqlalchemy import func, select

from activities import facts
from activities.models import Subject
from infra.database.tables import Change, Relay
from infra.hold_kinds import HoldKind
from tests.starter import stages
from tests.starter.door import Api, an_order

PERSON = ("Ada", "ada@", "Clayton", "94117", "4155550100")
ELSEWHERE = an_order()["shipping"]["address"] | {"street1": "1 Market St"}


def held(api: Api) -> str:
    with api.database.sessions.begin() as tx:
        about = Subject("payment", "W-1001/1")
        return facts.holds.opened(tx, "W-1001", HoldKind.PAYMENT_NEEDS_CUSTOMER, about, stages.now())


async def test_a_key_that_may_not_read_sees_no_person_in_any_answer(api: Api) -> None:
    writer, operator = api.key("orders:write"), api.key("orders:operate")
    seen = [await api.client.post("/v1/orders", json=an_order(), headers=writer) for _ in range(2)]
    other = await api.client.post("/v1/orders", json=an_order(total=1), headers=writer)
    stages.declined(api.database)
    asked: list[tuple[str, Any, dict[str, str]]] = [
        ("payment-method", {"payment_method": "pm_card_amex"}, writer),
        ("shipping-address", ELSEWHERE, writer),
        ("resolution", {"hold": held(api), "action": "retry", "why": "w"}, operator),
        ("shipping-service", {"service": "fastest"}, writer),
        ("cancellation", {}, writer),
    ]
    stale, done, again = [], [], []
    for what, body, key in asked:
        where = f"/v1/orders/W-1001/{what}"
        stale.append(await api.client.post(where, json=body, headers=key | {"If-Match": '"0"'}))
        done.append(await api.client.post(where, json=body, headers=key))
        again.append(await api.client.post(where, json=body, headers=key))
    assert [answer.status_code for answer in (*seen, other)] == [202, 200, 422]
    assert {answer.status_code for answer in stale} == {412}
    assert {answer.status_code for answer in done} == {202}
    for answer in (*seen, *done, *stale):
        shown = answer.json()["order"] if answer in stale else answer.json()
        assert shown == {"order_id": "W-1001", "version": int(answer.headers["etag"].strip('"'))}
    for answer in (*seen, other, *stale, *done, *again):
        assert not [word for word in PERSON if word in answer.text], answer.text
    reader = api.key("orders:write", "orders:read")
    whole = await api.client.post("/v1/orders/W-1001/cancellation", json={}, headers=reader | {"If-Match": '"0"'})
    assert whole.json()["order"]["customer"]["name"] == an_order()["customer"]["name"]


async def test_terms_are_shown_to_who_may_read_or_give_them(api: Api) -> None:
    person = {"name": "Ada", "email": "ada@example.com"}
    await api.client.put("/v1/customers/C-1", json=person | {"terms_days": 30})
    for scopes, terms in ((("orders:write",), None), (("orders:write", "orders:read"), 30)):
        answer = await api.client.put("/v1/customers/C-1", json=person, headers=api.key(*scopes))
        assert (answer.status_code, answer.json()["terms_days"]) == (200, terms)


async def test_a_key_of_one_channel_knows_no_other(api: Api) -> None:
    shop = api.key("orders:read", "orders:write", "orders:operate", channel="phone")
    await api.place()
    await api.client.post("/v1/orders", json=an_order(order_id="P-1", channel="phone"), headers=shop)

    changes: dict[str, Any] = {
        "cancellation": {},
        "refunds": {},
        "payment-method": {"payment_method": "pm_card_amex"},
        "shipping-address": ELSEWHERE,
        "shipping-service": {"service": "fastest"},
        "resolution": {"hold": "h", "action": "retry", "why": "w"},
        "pickup-person": {"name": "Ben"},
    }
    doors = {path.removeprefix("/v1/orders/{order_id}") for path in api.app.openapi()["paths"] if "{order_id}" in path}
    of_tills = {"/returns"}
    assert doors - of_tills == {"", "/effects", *(f"/{change}" for change in changes)}

    async def statuses(order_id: str) -> list[int]:
        there, stale = f"/v1/orders/{order_id}", shop | {"If-Match": '"0"'}
        answers = [await api.client.get(f"{there}{what}", headers=shop) for what in ("", "/effects")]
        answers += [
            await api.client.post(f"{there}/{what}", json=body, headers=stale) for what, body in changes.items()
        ]
        return [answer.status_code for answer in answers]

    assert await statuses("P-1") == [200, 200] + [412] * len(changes)
    assert await statuses("W-1001") == await statuses("W-none") == [404] * len(doors - of_tills)
    listed = (await api.client.get("/v1/orders", headers=shop)).json()["orders"]
    assert [order["order_id"] for order in listed] == ["P-1"]
    assert (await api.client.get("/v1/orders?channel=phone", headers=shop)).status_code == 200
    for refused in (
        await api.client.get("/v1/orders?channel=web", headers=shop),
        await api.client.post("/v1/orders", json=an_order(order_id="P-2"), headers=shop),
    ):
        assert refused.status_code == 403
        assert [error["field"] for error in refused.json()["errors"]] == ["channel"]


async def test_a_key_of_one_channel_reads_no_customer_through_an_order(api: Api) -> None:
    """Customers are of no channel: their id alone would tell who they are."""
    known = {"name": "Ada Park", "email": "ada@example.com", "phone": "+14155550100", "locale": "de"}
    await api.client.put("/v1/customers/C-1", json=known)
    shop = api.key("orders:read", "orders:write", channel="phone")

    async def placed(**customer: str) -> Any:
        order = an_order(order_id="P-1", channel="phone", customer={"customer_id": "C-1", **customer})
        return await api.client.post("/v1/orders", json=order, headers=shop)

    for customer, field in (({}, "customer.name"), ({"name": "B"}, "customer.email")):
        answer = await placed(**customer)
        assert (answer.status_code, [error["field"] for error in answer.json()["errors"]]) == (422, [field])
    whole = await placed(name="B", email="b@example.com")
    assert (whole.status_code, whole.json()["customer"]["locale"]) == (202, "de")
    changed = await api.client.put("/v1/customers/C-1", json=known, headers=shop)
    assert changed.status_code == 403
    assert not [word for word in PERSON for answer in (whole, changed) if word in str(answer.json().get("customer"))]


async def test_the_log_names_key_and_address_never_the_key(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    key = api.key("orders:read", name="till")
    await api.client.get("/v1/orders", headers=key)
    await api.client.post("/v1/orders", json=an_order(), headers=key)
    await api.client.get("/v1/orders", headers={"Authorization": f"Bearer ord_{'a' * 43}"})
    lines = [record.getMessage() for record in caplog.records if record.name == "starter.http.middleware"]
    assert [status in line for status, line in zip(("200", "403", "401"), lines, strict=True)] == [True] * 3
    assert all("127.0.0.1" in line for line in lines)
    assert ["'till'" in line for line in lines] == [True, True, False]
    assert not any(secret in line for line in lines for secret in ("ord_", "Ada"))


async def test_holds_are_listed_and_decided_within_the_keys_channel(api: Api) -> None:
    await api.place()
    stages.declined(api.database)
    hold, other = held(api), Subject("production", "M-1")
    with api.database.sessions.begin() as tx:
        facts.holds.record(tx, "M-1-h1", HoldKind.STOPPED, other, stages.now())
    where, retry = f"/v1/holds/{hold}/resolution", {"action": "retry", "why": "w"}
    for channel, seen in (("web", [hold]), ("shop", []), (None, [hold, "M-1-h1"])):
        key = api.key("orders:operate", channel=channel)
        page = (await api.client.get("/v1/holds", headers=key)).json()
        assert [one["hold"] for one in page["holds"]] == seen
        answers = [await api.client.post(f"/v1/holds/{each}/resolution", json=retry, headers=key) for each in seen]
        assert {answer.status_code for answer in answers} <= {202}
    shop = api.key("orders:operate", channel="shop")
    assert (await api.client.post(where, json=retry, headers=shop)).status_code == 404
    web = api.key("orders:operate", channel="web")
    assert (await api.client.post("/v1/holds/M-1-h1/resolution", json=retry, headers=web)).status_code == 404
    narrowed = (await api.client.get("/v1/holds", params={"limit": 1, "reason": "payment_action"})).json()
    assert ([one["hold"] for one in narrowed["holds"]], narrowed["more"]) == ([hold], False)
    assert (await api.client.get("/v1/holds", params={"limit": 1})).json()["more"]
    with api.database.sessions() as tx:
        asked = tx.execute(select(Change.hold_id, Change.order_id, func.count()).group_by(Change.hold_id)).all()
        nudged = tx.scalars(select(Relay.kind).where(Relay.subject_kind == "production", Relay.subject_id == "M-1"))
        assert {tuple(row) for row in asked} == {(hold, "W-1001", 1), ("M-1-h1", None, 1)}
        assert nudged.all() == ["news"]
