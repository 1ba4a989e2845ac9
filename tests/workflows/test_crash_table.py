"""The crash table: every activity × where it is cut off × how. Each cell ends with the same tables and the same
books of the outside world as the order that nothing happened to."""

import threading
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import get_type_hints

import pytest

from infra.sandbox.client import Mode, SandboxControl
from infra.temporal import DevServer
from tests.cells import chosen
from tests.fixtures_shop import NewDatabase
from tests.shop import Shop, unique
from tests.workflows import cancelling, collecting, displacing, refunding, storekeeping, stories
from tests.workflows.mishaps import Cut, How, Mishap, Mishaps, Where
from workers.wiring import activities, pickups, policy
from workflows.calls import CALLS

ROWS: dict[str, stories.Story] = {
    "load_order": stories.delivered,
    "authorize_payment": stories.delivered,
    "reserve_stock": stories.delivered,
    "request_fulfillment": stories.delivered,
    "buy_label": stories.delivered,
    "capture_payment": stories.delivered,
    "release_fulfillment": stories.delivered,
    "tell_customer": stories.delivered,
    "reauthorize_payment": stories.two_holds,
    "pass_deadlines": stories.renewed,
    "decide_cancellation": stories.cancelled_while_waiting,
    "ask_refund": refunding.refunded_on_the_way,
    "release_stock": stories.cancelled_while_waiting,
    "note_remark": stories.misunderstood,
    "void_payments": stories.cancelled_while_waiting,
    "recall_fulfillment": stories.cancelled_after_label,
    "refund_payment": stories.cancelled_after_label,
    "refund_label": stories.cancelled_after_label,
    "open_hold": stories.held_and_cancelled,
    "resolve_hold": stories.held_and_cancelled,
    "poll_delivery": stories.lost_parcel,
    "ready_for_pickup": collecting.picked_up,
}
OTHER: dict[str, tuple[stories.Story, ...]] = {
    "authorize_payment": (stories.waits_for_stock, stories.waits_longer),
    "refund_payment": (stories.delivered, refunding.refunded_after_the_end),
    "decide_cancellation": (cancelling.line_cancelled,),
    "recall_fulfillment": (cancelling.line_cancelled,),
    "reserve_stock": (displacing.requested, displacing.displaced),
}
"""What comes before it may be cut off, and then: of an authorization, its renewal; of a refund, a closed order's; of a
cancellation, that of some units; of a
reservation, that of units which were sold from under it."""
STORES: dict[str, tuple[stories.Story, ...]] = {
    "request_fulfillment": (storekeeping.delivered,),
    "release_fulfillment": (storekeeping.delivered,),
    "recall_fulfillment": (storekeeping.stopped,),
    "pass_deadlines": (storekeeping.asked, storekeeping.reminded),
    "tell_customer": (storekeeping.asked, storekeeping.reminded),
}
"""Each step that differs at a place without a warehouse system."""
CELLS = [
    Mishap(activity, where, how, other, store)
    for other, store, rows in ((False, False, ROWS), (True, False, OTHER), (False, True, STORES))
    for activity in rows
    for where in Where
    for how in How
]
LOOKED_UP = {("buy_label", Where.AFTER_INTENT): "label:"}
"""Without an idempotency key: a call that was not made is on record as such, once, beside the one that was."""
AT_ONCE = 12
HURRY = {"ORDERS_HTTP_TIMEOUT": "2s", "ORDERS_START_TO_CLOSE": "4s", "ORDERS_STEP_PATIENCE": "20s"}


Row = tuple[stories.Story, ...]


def row_of(cell: Mishap) -> Row:
    if cell.store:
        return STORES[cell.activity]
    return OTHER[cell.activity] if cell.other else (ROWS[cell.activity],)


class Table:
    """Runs the cells that are asked for side by side, and keeps what each left behind."""

    def __init__(self, shop: Shop, mishaps: Mishaps) -> None:
        self.shop = shop
        self.mishaps = mishaps
        self.pool = ThreadPoolExecutor(AT_ONCE)
        self.left: dict[Mishap | Row, Future[tuple[dict[str, list[str]], bool]]] = {}
        self.lock = threading.Lock()

    def begin(self, cells: list[Mishap]) -> None:
        for row in {row_of(cell) for cell in cells}:
            self.left[row] = self.pool.submit(self.play, row, None)
        for cell in cells:
            self.left[cell] = self.pool.submit(self.play, row_of(cell), cell)

    def play(self, row: Row, mishap: Mishap | None) -> tuple[dict[str, list[str]], bool]:
        order, fault = unique("X"), None
        *before, story = row
        for each in before:
            each(self.shop, order)
        outside = mishap and mishap.where is Where.AFTER_EFFECT and mishap.how is not How.PROCESS_ENDS
        if mishap and outside and (effect := mishap.effect):
            mode: Mode = "lose_answer" if mishap.how is How.ANSWER_LOST else "error_after"
            fault, mishap = self.shop.sandbox.fail(*effect, mode, match=order), None
        if mishap:
            self.mishaps.armed[order] = mishap
        story(self.shop, order)
        struck = order in self.mishaps.struck if mishap else fault is None or self.shop.sandbox.struck(fault) == 1
        return stories.traces(self.shop, order), struck


@pytest.fixture(scope="module")
def table(
    request: pytest.FixtureRequest, new_database: NewDatabase, engine_server: DevServer, sandbox: SandboxControl
) -> Iterator[Table]:
    mishaps, database = Mishaps(), new_database("crashes")
    mishaps.watch(database.sessions)
    shop = Shop(database, engine_server, sandbox, wrap=mishaps.wrap, interceptors=[Cut(mishaps)], settings=HURRY)
    with shop:
        running = Table(shop, mishaps)
        asked = [item for item in request.session.items if item.parent is request.node]
        running.begin([item.callspec.params["cell"] for item in asked if "cell" in getattr(item, "fixturenames", ())])  # type: ignore[attr-defined]
        yield running
        running.pool.shutdown(cancel_futures=True)


@pytest.fixture(autouse=True)
def calm_sandbox() -> None:
    """Not between the cells: they run side by side."""


@pytest.mark.parametrize("cell", chosen(CELLS), ids=str)
def test_cut_off_anywhere_an_order_leaves_the_same_behind(table: Table, cell: Mishap) -> None:
    left, struck = table.left[cell].result(180)
    undisturbed, _ = table.left[row_of(cell)].result(180)
    assert struck, "the mishap never came about"
    if step := LOOKED_UP.get((cell.activity, cell.where)):
        undisturbed = stories.looked_up(undisturbed, step)
    differences = stories.differences(left, undisturbed)
    assert not differences, "\n".join(differences)


def test_every_activity_has_its_row(plain_shop: Shop) -> None:
    shop = plain_shop
    registered = activities(
        shop.database.sessions,
        shop.outside,
        policy(shop.settings),
        settle=shop.settings.orders_label_settle,
        told_within=shop.settings.orders_parcels_told_within,
        sender=shop.settings.mail_from,
        call_takes=shop.settings.orders_http_timeout,
        pickups=pickups(shop.settings),
    )
    definitions = {each: each.__temporal_activity_definition for each in registered}  # type: ignore[attr-defined]
    # an exception thrown into a thread, wherever it is just then, may leave a lock behind that nobody releases
    assert all(definition.no_thread_cancel_exception for definition in definitions.values())
    methods = {definition.name: each for each, definition in definitions.items()}
    assert set(ROWS) == set(methods)
    hints = {name: get_type_hints(method) for name, method in methods.items()}
    assert {call.name: {"step": call.takes, "return": call.answers} for call in CALLS} == hints
