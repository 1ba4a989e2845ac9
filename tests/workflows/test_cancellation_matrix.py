"""Cancelled at every stage, in whole, by line and by quantity, with nothing else going on, in a race with the very next
step, and while the card's authorization is renewed: nothing of what was cancelled is left anywhere, judged by the
tables and by the outside world's books. A third of each stage's cells in `make test`, all in `make test-all`."""

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from enum import StrEnum
from itertools import product
from operator import attrgetter
from typing import Any, NamedTuple

import pytest
from sqlalchemy import select

from activities.intake.allocation import cost
from activities.views.check import breaches
from infra.database.tables import Event, Reservation, UnitAmount
from infra.words import EventType
from tests.cells import third
from tests.fixtures_shop import AS_IT_IS
from tests.shop import Shop, unique

MUGS, LAMPS = 3, 1
EACH = 1800 + 500 // (MUGS + LAMPS)
AT_ONCE = 4


class Beside(StrEnum):
    NOTHING = ""
    NEXT_STEP = ", in a race"
    RENEWAL = ", as its card is renewed"
    DECLINED = ", as its card's renewal is declined"


class Cell(NamedTuple):
    stage: str
    what: str
    beside: Beside

    def __str__(self) -> str:
        return f"{self.stage}, {self.what}{self.beside}"


WHAT: dict[str, dict[str, Any]] = {
    "whole": {},
    "line": {"lines": [{"line": 2}]},
    "quantity": {"lines": [{"line": 1, "quantity": 1}]},
}
STAGES = {
    "placed": "placed",
    "backordered": "backordered",
    "requested": "requested",
    "packed": "packed",
    "label bought": "label_bought",
    "captured": "captured",
    "released": "released",
    "handed over": "shipped",
    "delivered": "delivered",
}
"""And the event by which each is known."""
RENEWED = ("backordered", "requested")
"""Where an order stays while its money is only set aside."""
ASKED_FIRST = {("requested", "whole"), ("backordered", "line"), ("requested", "quantity")}
"""Of those that are cancelled as their card is renewed: the renewal is asked for when the cancellation is decided. Of
the others it comes after, and asks for what is left."""
CELLS = [Cell(*cell) for cell in product(STAGES, WHAT, (Beside.NOTHING, Beside.NEXT_STEP))]
CELLS += [Cell(*cell) for cell in product(RENEWED, WHAT, (Beside.RENEWAL, Beside.DECLINED))]
NEARLY = timedelta(days=6, hours=1)
"""An authorization is good for seven days."""


class Played(NamedTuple):
    order: str
    mugs: str
    lamps: str


def play(shop: Shop, cell: Cell) -> Played:
    """As far as its stage; cancels; then everything goes by itself to its end. Nobody is told of it: how that goes
    beside other steps is other tests' story."""
    waiting = cell.stage == "backordered"
    mugs, lamps = shop.product(OAK=MUGS), shop.product() if waiting else shop.product(OAK=LAMPS)
    changes = {"card": "pm_card_declinedOffSession"} if cell.beside is Beside.DECLINED else {}
    order = shop.place({mugs: MUGS, lamps: LAMPS}, order_id=unique("M"), notify=[], by_hand=True, **changes)
    stages = [stage for stage in STAGES if stage != "backordered" or waiting]
    at = stages.index(cell.stage)
    for stage in stages[: at + 1]:
        move(shop, order, stage)
        shop.happened(order, STAGES[stage], 1, 90)
    with ThreadPoolExecutor(1) as beside:
        begun = []
        if cell.beside is Beside.NEXT_STEP:
            begun = [beside.submit(move, shop, order, stage) for stage in stages[at + 1 : at + 2]]
        elif cell.beside:
            begun = [beside.submit(shop.pass_time, order, NEARLY)]
            if cell[:2] in ASKED_FIRST:
                shop.happened(order, "renewal_asked", 1, 90)
        answer = shop.cancel(order, **WHAT[cell.what])
        assert answer.status_code in (202, 409, 422), answer.text
        for each in begun:
            each.result(60)
    shop.goes_by_itself(order)
    if waiting:
        shop.receive("OAK", {lamps: LAMPS})
    shop.ends(order, 120)
    return Played(order, mugs, lamps)


def move(shop: Shop, order: str, stage: str) -> None:
    """What makes this stage come, where the order does not come to it by itself."""
    if stage == "packed":
        shop.warehouse(order).packs()
    elif stage == "handed over":
        shop.warehouse(order).hands_over()
    elif stage == "delivered":
        shop.goes_by_itself(order)


@pytest.fixture(scope="module")
def played(request: pytest.FixtureRequest, shops: Callable[[str], Shop]) -> Iterator[dict[Cell, Future[Played]]]:
    """Those that are asked for, side by side."""
    shop = shops(AS_IT_IS)
    shop.sandbox.webhooks_to(shop.settings.public_url)
    here = [item for item in request.session.items if item.parent is request.node]
    asked = [item.callspec.params["cell"] for item in here if "cell" in getattr(item, "fixturenames", ())]  # type: ignore[attr-defined]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {cell: pool.submit(play, shop, cell) for cell in asked}


@pytest.fixture(autouse=True)
def calm_sandbox() -> None:
    """Not between the cells: they run side by side."""


@pytest.mark.parametrize("cell", third(CELLS, attrgetter("stage")), ids=str)
def test_nothing_of_it_is_left(shops: Callable[[str], Shop], played: dict[Cell, Future[Played]], cell: Cell) -> None:
    shop, (order, mugs, lamps) = shops(AS_IT_IS), played[cell].result(300)
    view, books = shop.view(order), shop.books(order)
    sent = {line["line"]: line["shipped"] for line in view["lines"]}
    with shop.database.sessions() as tx:
        found = [str(breach) for breach in breaches(tx)]
        assert [one for one in found if order in one or mugs in one or lamps in one] == []
        gone = select(Reservation).where(Reservation.order_id == order, Reservation.status == "consumed")
        prices = tx.scalars(select(UnitAmount).where(UnitAmount.order_id == order)).all()
        worth = sum(
            cost([p for p in prices if p.line_no == r.line_no], r.first_unit, r.quantity) for r in tx.scalars(gone)
        )
    story = f"{cell}\n{shop.story(order)}"
    assert {line["line"]: line["shipped"] + line["cancelled"] for line in view["lines"]} == {1: MUGS, 2: LAMPS}, story
    assert books.get("captured", 0) - books.get("refunded", 0) == worth, story
    left = [f for f in view["fulfillments"] if f["status"] == "delivered"]
    assert books.get("labels", 0) - books.get("label_refunds", 0) == len(left), story
    assert shop.stock(mugs) == {"OAK": (MUGS - sent[1], 0)}, story
    assert shop.stock(lamps) == {"OAK": (LAMPS - sent[2], 0)}, story
    assert view["status"] == ("completed" if left else "cancelled"), story
    assert not any(a["status"] in ("asked", "action_required", "authorized") for a in view["payment"]["authorizations"])
    assert shop.open_hold(order) is None, story
    kept = [a for a in view["payment"]["authorizations"] if a["status"] == "captured"]
    assert books.get("authorizations", 0) - books.get("voids", 0) == len(kept), story
    if cell.stage in ("placed", "backordered") and not cell.beside:
        assert sum(sent.values()) == {"whole": 0, "line": MUGS, "quantity": MUGS}[cell.what], story
    if cell.beside in (Beside.RENEWAL, Beside.DECLINED):
        for amount, cancelled in renewals(shop, order):
            assert amount == EACH * (MUGS + LAMPS - cancelled), f"computed after what was decided\n{story}"
        if cell[:2] in ASKED_FIRST:
            assert renewals(shop, order)[0] == (EACH * (MUGS + LAMPS), 0), story
        declined = [a for a in view["payment"]["authorizations"] if a["status"] == "declined"]
        asked = len(renewals(shop, order)) if cell.beside is Beside.DECLINED else 0
        unanswered = cell[:2] in ASKED_FIRST  # perhaps, when it is cancelled
        assert asked - unanswered <= len(declined) <= asked, story
        assert all(a["n"] == 1 for a in kept) or cell.beside is Beside.RENEWAL, "the old one stays good"


def renewals(shop: Shop, order: str) -> list[tuple[int, int]]:
    """What the bank was asked for anew, and how many units were cancelled by then."""
    with shop.database.sessions() as tx:
        events = tx.scalars(select(Event).where(Event.order_id == order).order_by(Event.event_no)).all()
    asked, cancelled = [], 0
    for event in events:
        if event.type == EventType.UNITS_CANCELLED:
            cancelled += event.data["units"]
        elif event.type == EventType.RENEWAL_ASKED:
            asked.append((event.data["amount"], cancelled))
    return asked
