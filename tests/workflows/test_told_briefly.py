"""Telling takes a moment, and so does asking the warehouse: each is tried once where the workflow runs, and then as a
step that operators see."""

from temporalio.client import WorkflowHistory

from infra.sandbox.client import SandboxControl
from infra.temporal import DevServer
from tests.fixtures_shop import NewDatabase
from tests.shop import Shop, unique
from tests.workflows import stories

CALM = {"ORDERS_HTTP_TIMEOUT": "5s", "ORDERS_START_TO_CLOSE": "8s", "ORDERS_STEP_PATIENCE": "30s"}
"""What is slow on a busy machine is no failure."""


def test_what_was_not_told_at_once_becomes_a_step_that_operators_see(
    new_database: NewDatabase, engine_server: DevServer, sandbox: SandboxControl
) -> None:
    with Shop(new_database("briefly"), engine_server, sandbox, settings=CALM) as shop:
        told_at_the_second_try(shop, sandbox)


def told_at_the_second_try(shop: Shop, sandbox: SandboxControl) -> None:
    order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
    stories.customer_hears(shop, order, "confirmed")
    shop.happened(order, "requested")
    assert "tell_customer" not in scheduled(shop.call(shop.handle(order).fetch_history()))
    fault = sandbox.fail("twilio", "send", "error", match=order)
    stories.pack(shop, order)
    stories.deliver(shop, order)
    assert shop.ends(order) == "completed"
    assert sandbox.struck(fault) == 1
    assert scheduled(shop.call(shop.handle(order).fetch_history())).count("tell_customer") == 1
    books = shop.books(order)
    assert (books["emails"], books["sms"]) == (4, 4)


def test_a_warehouse_that_was_not_asked_at_once_is_asked_by_a_step_that_operators_see(
    new_database: NewDatabase, engine_server: DevServer, sandbox: SandboxControl
) -> None:
    with Shop(new_database("asked"), engine_server, sandbox, settings=CALM) as shop:
        asked_at_the_second_try(shop, sandbox)


def asked_at_the_second_try(shop: Shop, sandbox: SandboxControl) -> None:
    order = unique("B")
    faults = [sandbox.fail("warehouse", call, "lose_answer", match=order) for call in ("request", "release")]
    stories.delivered(shop, order)
    assert [sandbox.struck(fault) for fault in faults] == [1, 1]
    found = scheduled(shop.call(shop.handle(order).fetch_history()))
    assert [found.count(f"{call}_fulfillment") for call in ("request", "release")] == [1, 1]
    books = shop.books(order)
    assert (books["warehouse_requests"], books["releases"]) == (1, 1)
    undisturbed = unique("B")
    stories.delivered(shop, undisturbed)
    found = scheduled(shop.call(shop.handle(undisturbed).fetch_history()))
    assert not {"request_fulfillment", "release_fulfillment", "tell_customer"} & set(found)


def scheduled(history: WorkflowHistory) -> list[str]:
    """Activities that an operator sees, pauses and repeats in the web UI."""
    return [event.activity_task_scheduled_event_attributes.activity_type.name for event in history.events]
