"""What customers and operators ask of an order: stored as asked, refused where the tables already say no."""

import asyncio
from typing import Any

import pytest
from sqlalchemy import func, select

from activities import facts
from activities.models import CancelReason, Subject
from infra.database.tables import Change, Contact, Fulfillment, Order, Payment
from infra.hold_kinds import HoldKind
from infra.words import AuthorizationStatus, Cancellation
from tests.starter import stages
from tests.starter.door import Api, an_order

pytestmark = pytest.mark.both_databases


async def ask(api: Api, what: str, body: Any, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await api.client.post(f"/v1/orders/W-1001/{what}", json=body, headers=named)


def changes(api: Api) -> int:
    with api.database.sessions() as tx:
        return tx.scalar(select(func.count()).select_from(Change)) or 0


def held(api: Api, kind: HoldKind = HoldKind.REQUEST_FAILED, subject: Subject | None = None) -> str:
    with api.database.sessions.begin() as tx:
        about = subject or Subject.order("W-1001")
        return facts.holds.opened(tx, "W-1001", kind, about, stages.now(), code="no_rates")


# --- cancellation -----------------------------------------------------------------------------------------------------


async def test_a_cancellation_is_stored_once_and_the_order_nudged(api: Api) -> None:
    await api.place()
    stages.read_by_the_order(api.database)
    answers = await asyncio.gather(*(ask(api, "cancellation", {"why": "changed my mind"}) for _ in range(5)))
    assert {answer.status_code for answer in answers} == {202}
    order = answers[0].json()
    assert (order["cancellation"], order["cancel_reason"]) == ("asked", "customer")
    assert (changes(api), stages.nudges(api.database)) == (1, ["news"])
    with api.database.sessions() as tx:
        assert tx.scalars(select(Change.by)).one() == "tests"


async def test_what_has_left_is_not_cancelled(api: Api) -> None:
    await api.place()
    stages.shipped(api.database)
    answer = await ask(api, "cancellation", {})
    assert (answer.status_code, changes(api)) == (409, 0)
    assert "returned" in answer.json()["detail"]


async def test_what_is_closed_is_not_cancelled(api: Api) -> None:
    await api.place()
    with api.database.sessions.begin() as tx:
        facts.cancellation.cancellation_decided(
            tx, "W-1001", None, reason=CancelReason.CUSTOMER, by="x", why="", at=stages.now()
        )
        tx.scalars(select(Payment)).one().status = AuthorizationStatus.ENDED
        facts.reserving.released(tx, "W-1001", stages.now())
    answer = await ask(api, "cancellation", {})
    assert (answer.status_code, changes(api)) == (409, 0)


# --- If-Match ---------------------------------------------------------------------------------------------------------


async def test_a_stale_view_changes_nothing_and_is_shown_the_order_as_it_is(api: Api) -> None:
    tag = (await api.place()).headers["etag"]
    stages.declined(api.database)
    answer = await ask(api, "cancellation", {}, If_Match=tag)
    assert answer.status_code == 412
    assert answer.json()["order"]["payment_status"] == "declined"
    assert changes(api) == 0
    fresh = answer.headers["etag"]
    assert (await ask(api, "cancellation", {}, If_Match=fresh)).status_code == 202
    assert (await ask(api, "cancellation", {}, If_Match="*")).status_code == 202


# --- payment method ---------------------------------------------------------------------------------------------------


async def test_another_card_is_taken_once_after_a_decline(api: Api) -> None:
    await api.place()
    stages.declined(api.database)
    stages.read_by_the_order(api.database)
    for _ in range(2):
        assert (await ask(api, "payment-method", {"payment_method": "pm_card_amex"})).status_code == 202
    third = await ask(api, "payment-method", {"payment_method": "pm_card_visa"})
    assert (third.status_code, "just being asked" in third.json()["detail"]) == (409, True)
    with api.database.sessions() as tx:
        assert [(p.n, p.status, p.method) for p in tx.scalars(select(Payment).order_by(Payment.n))] == [
            (1, "declined", "pm_card_visa"),
            (2, "asked", "pm_card_amex"),
        ]
    assert stages.nudges(api.database) == ["news"]


async def test_another_card_is_refused_while_none_is_waited_for(api: Api) -> None:
    await api.place()
    assert (await ask(api, "payment-method", {"payment_method": "pm_card_amex"})).status_code == 409
    stages.authorized(api.database)
    assert (await ask(api, "payment-method", {"payment_method": "pm_card_amex"})).status_code == 409
    held(api, HoldKind.PAYMENT_NEEDS_CUSTOMER)
    assert (await ask(api, "payment-method", {"payment_method": "pm_card_amex"})).status_code == 202
    assert (await ask(api, "payment-method", {"payment_method": "4242 4242"})).status_code == 422


async def test_another_card_is_asked_for_what_is_still_to_be_sent(api: Api) -> None:
    lines = [{"sku": "MUG-BLUE", "quantity": 6, "unit_price": 1000}]
    await api.place(lines=lines, tax=0, total=6500, backorder="cancel_unavailable")
    stages.authorized(api.database)
    stages.requested(api.database)
    held(api, HoldKind.PAYMENT_NEEDS_CUSTOMER)
    assert (await ask(api, "payment-method", {"payment_method": "pm_card_amex"})).status_code == 202
    with api.database.sessions() as tx:
        going = tx.scalars(select(Fulfillment.amount)).one()
        assert tx.scalars(select(Payment.amount).order_by(Payment.n)).all() == [6500, going]
        assert going < 6500, "nobody has the sixth"


async def test_another_card_is_taken_for_what_a_cancellation_could_not_stop(api: Api) -> None:
    await api.place()
    stages.authorized(api.database)
    held(api, HoldKind.PAYMENT_NEEDS_CUSTOMER)
    with api.database.sessions.begin() as tx:
        tx.get_one(Order, "W-1001").cancellation = Cancellation.PARTLY
    assert (await ask(api, "payment-method", {"payment_method": "pm_card_amex"})).status_code == 202


# --- holds ------------------------------------------------------------------------------------------------------------


async def test_a_hold_is_decided_with_who_and_why(api: Api) -> None:
    await api.place()
    hold = held(api)
    stages.read_by_the_order(api.database)
    decision = {"hold": hold, "action": "retry", "by": "sam", "why": "the carrier is back"}
    for _ in range(2):
        assert (await ask(api, "resolution", decision)).status_code == 202
    with api.database.sessions() as tx:
        change = tx.scalars(select(Change)).one()
        assert (change.by, change.why, change.action, change.hold_id) == (
            "sam (tests)",
            "the carrier is back",
            "retry",
            hold,
        )
    assert stages.nudges(api.database) == ["news"]


async def test_a_decision_must_fit_the_hold(api: Api) -> None:
    await api.place()
    await api.place(order_id="W-2")
    hold = held(api)

    async def refused(**fields: str) -> tuple[int, list[str]]:
        answer = await ask(api, "resolution", {"hold": hold, "action": "retry", "why": "because"} | fields)
        return answer.status_code, [error["field"] for error in answer.json().get("errors", [])]

    assert await refused(action="skip") == (422, ["action"])
    assert await refused(action="dance") == (422, ["action"])
    assert await refused(why=" ") == (422, ["why"])
    assert await refused(hold="W-1001-h9") == (422, ["hold"])
    with api.database.sessions.begin() as tx:
        facts.holds.closed(tx, hold, stages.now(), by="x", why="")
    assert await refused() == (409, [])
    assert changes(api) == 0


# --- address ----------------------------------------------------------------------------------------------------------

ELSEWHERE = an_order()["shipping"]["address"] | {"street1": "1 Market St", "zip": "94105"}


async def test_the_address_changes_until_a_warehouse_was_asked(api: Api) -> None:
    await api.place()
    stages.read_by_the_order(api.database)
    answer = await ask(api, "shipping-address", ELSEWHERE)
    assert (answer.status_code, answer.json()["shipping"]["address"]["zip"]) == (202, "94105")
    assert stages.nudges(api.database) == ["news"]
    fulfillment = stages.requested(api.database)
    with api.database.sessions() as tx:
        place = tx.get_one(Contact, tx.get_one(Fulfillment, fulfillment).contact_id)
        assert (place.zip, place.email) == ("94105", "ada@example.com")
    refusal = await ask(api, "shipping-address", ELSEWHERE)
    assert (refusal.status_code, fulfillment in refusal.json()["detail"]) == (409, True)


async def test_a_warehouse_that_may_have_been_asked_fixes_the_address(api: Api) -> None:
    await api.place()
    stages.asking(api.database)
    assert (await ask(api, "shipping-address", ELSEWHERE)).status_code == 409


async def test_a_hold_on_the_address_lets_it_be_changed(api: Api) -> None:
    await api.place()
    fulfillment = stages.requested(api.database)
    held(api, HoldKind.REQUEST_FAILED, Subject.fulfillment(fulfillment))
    assert (await ask(api, "shipping-address", ELSEWHERE)).status_code == 202
    bad = await ask(api, "shipping-address", ELSEWHERE | {"country": "Narnia"})
    assert (bad.status_code, bad.json()["errors"][0]["field"]) == (422, "country")


async def test_a_label_fixes_the_address(api: Api) -> None:
    await api.place()
    fulfillment = stages.labelled(api.database)
    held(api, HoldKind.REQUEST_FAILED, Subject.fulfillment(fulfillment))
    answer = await ask(api, "shipping-address", ELSEWHERE)
    assert (answer.status_code, "label" in answer.json()["detail"]) == (409, True)


async def test_what_is_asked_of_no_order_is_not_found(api: Api) -> None:
    for what, body in (
        ("cancellation", {}),
        ("payment-method", {"payment_method": "pm_card_visa"}),
        ("resolution", {"hold": "x", "action": "retry", "why": "y"}),
        ("shipping-address", ELSEWHERE),
    ):
        assert (await ask(api, what, body)).status_code == 404
