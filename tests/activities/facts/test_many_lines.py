"""Long orders and long queues cost as many statements as short ones."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from sqlalchemy import event, func, insert, select
from sqlalchemy.orm import Session

from activities import facts
from activities.facts.catalogue import location_put
from activities.intake.example import EXAMPLE
from activities.intake.order import AskedOrder
from activities.views import order as order_view
from activities.views import stock as stock_view
from activities.views.snapshot import whole
from infra.clock import wall_clock
from infra.database.tables import Backorder, Customer, Fulfillment, Order, Product, Relay, Reservation, Stock
from tests.fixtures_database import Database

MANY = 1_000
QUEUE = 10_000
PLACE = {"street1": "1 Dock Rd", "street2": "", "city": "Oakland", "state": "CA", "zip": "94607", "country": "US"}
Act = Callable[[Session, str, list[str]], object]


@contextmanager
def counted(database: Database) -> Iterator[list[str]]:
    """The statements that are sent meanwhile; one that is sent for many rows at once is one."""
    sent: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        sent.append(statement)

    event.listen(database.engine, "before_cursor_execute", note)
    yield sent
    event.remove(database.engine, "before_cursor_execute", note)


@pytest.fixture
def stocked(database: Database) -> Database:
    with database.sessions.begin() as tx:
        address = {"name": "Dock", **PLACE}
        location_put(tx, "OAK", name="OAK", kind="warehouse", priority=1, warehouse="default", address=address)
        rows = [{"sku": sku, "name": "Mug", "weight_g": 400, "lead_time_days": 7} for sku in skus(MANY)]
        tx.execute(insert(Product), rows)
    return database


def skus(count: int) -> list[str]:
    return [f"SKU-{n:05}" for n in range(count)]


def asked(order_id: str, lines: int, backorder: str) -> AskedOrder:
    wanted = [{"sku": sku, "quantity": 1, "unit_price": 100} for sku in skus(lines)]
    changes = {"order_id": order_id, "lines": wanted, "tax": 7, "total": lines * 100 + 507, "backorder": backorder}
    return AskedOrder.model_validate(EXAMPLE | changes)


def restock(tx: Session, order_id: str, wanted: list[str]) -> None:
    facts.inventory.received(tx, reference=f"PO-{order_id}", location_id="OAK", lines=[(sku, 1) for sku in wanted])


def reserve(tx: Session, order_id: str, _: list[str]) -> None:
    facts.reserving.reserved(tx, order_id, wall_clock())


def release(tx: Session, order_id: str, _: list[str]) -> None:
    facts.reserving.released(tx, order_id, wall_clock())


def request(tx: Session, order_id: str, _: list[str]) -> None:
    facts.fulfillments.requested(tx, f"{order_id}-1", wall_clock())


def confirm_recall(tx: Session, order_id: str, _: list[str]) -> None:
    assert facts.recall.recall_confirmed(tx, f"{order_id}-1", wall_clock())


def hand_over(tx: Session, order_id: str, _: list[str]) -> None:
    assert facts.handing_over.handed_over(tx, f"{order_id}-1", wall_clock())


def short_pick(tx: Session, order_id: str, wanted: list[str]) -> None:
    assert facts.short_pick.short_picked(tx, f"{order_id}-1", [(sku, 1) for sku in wanted], wall_clock())


def look(tx: Session, order_id: str, wanted: list[str]) -> None:
    view = order_view.read(tx, tx.get_one(Order, order_id))
    assert view is not None
    assert len(view.lines) == len(wanted)
    assert len(stock_view.of_skus(tx, wanted)) == len(wanted)
    whole(tx, tx.get_one(Order, order_id))


LIVES: dict[str, list[Act]] = {
    "in stock and shipped": [restock, reserve, look, request, hand_over, look],
    "in stock and cancelled": [restock, reserve, release, look],
    "recalled from the warehouse": [restock, reserve, request, confirm_recall, look],
    "waiting, then restocked": [reserve, look, restock, reserve, look],
    "waiting, then cancelled": [reserve, release, look],
    "not to be found": [restock, reserve, request, short_pick, look],
    "dropped as nobody has it": [reserve, look],
}


@pytest.mark.parametrize("life", LIVES)
def test_a_thousand_lines_take_as_many_statements_as_ten(stocked: Database, life: str) -> None:
    policy = "cancel_unavailable" if life.startswith("dropped") else "ship_partial"
    short, long = (statements(stocked, LIVES[life], f"L-{lines}", lines, policy) for lines in (10, MANY))
    assert {act: after - short[act] for act, after in long.items() if after > short[act]} == {}


def statements(database: Database, acts: list[Act], order_id: str, lines: int, policy: str) -> dict[str, int]:
    """How many each act of the order's life took."""
    counts: dict[str, int] = {}
    wanted = asked(order_id, lines, policy)

    def place(tx: Session, order_id: str, _: list[str]) -> None:
        facts.placing.placed(tx, wanted, order_id=order_id, idempotency_key=None)

    for n, act in enumerate([place, *acts]):
        with counted(database) as sent, database.sessions.begin() as tx:
            act(tx, order_id, skus(lines))
        counts[f"{n} {act.__name__}"] = len(sent)
    return counts


def test_many_addresses_are_planned_in_as_many_statements_as_few(stocked: Database) -> None:
    sent = []
    for count in (10, 200):
        order_id, wanted = f"A-{count}", skus(count)
        order = asked(order_id, count, "ship_partial").model_dump(mode="json", exclude_unset=True)
        for n, line in enumerate(order["lines"]):
            line["ship_to"] = order["shipping"]["address"] | {"street1": f"{n} Test St"}
        with stocked.sessions.begin() as tx:
            facts.placing.placed(tx, AskedOrder.model_validate(order), order_id=order_id, idempotency_key=None)
            restock(tx, order_id, wanted)
        with counted(stocked) as statements, stocked.sessions.begin() as tx:
            reserve(tx, order_id, wanted)
        with stocked.sessions() as tx:
            assert tx.scalar(select(func.count()).where(Fulfillment.order_id == order_id)) == count
        sent.append(len(statements))
    assert sent[0] == sent[1]


def test_ten_thousand_waiting_orders_are_served_by_one_restock_in_order_of_placement(stocked: Database) -> None:
    [sku] = skus(1)
    with stocked.sessions.begin() as tx:
        line_up(tx, sku)
    with counted(stocked) as sent, stocked.sessions.begin() as tx:
        facts.inventory.received(tx, reference="PO-1", location_id="OAK", lines=[(sku, QUEUE - 1)])
    assert len(sent) <= 15, "\n".join(sent)
    with stocked.sessions() as tx:
        assert tx.scalar(select(func.count()).select_from(Reservation)) == QUEUE - 1
        left = tx.scalars(select(Backorder.order_id).where(Backorder.status == "waiting")).all()
        assert left == [f"Q-{QUEUE - 1:05}"], "the youngest waits on"
        assert tx.scalar(select(func.count()).where(Relay.kind == "restocked")) == QUEUE - 1
        assert tx.execute(select(Stock.on_hand, Stock.reserved)).all() == [(QUEUE - 1, QUEUE - 1)]


def line_up(tx: Session, sku: str) -> None:
    """Orders that wait for one unit each, written as their facts would."""
    now = wall_clock()
    who = {"name": "Ada", "email": "", "phone": "", "locale": "en", "time_zone": "UTC", "notify": [], "unreachable": {}}
    tx.execute(insert(Customer), [{"customer_id": "C-1", "recorded_at": now, **who}])
    states = {"status": "processing", "payment_status": "authorized", "fulfillment_status": "backordered"}
    money = {
        "currency": "usd",
        "shipping_price": 0,
        "tax": 0,
        "tax_included": False,
        "discount": 0,
        "total": 100,
    }
    words = {"channel": "web", "backorder": "ship_partial", "shipping_method": "ship", "service": "cheapest"}
    rest = {"locale": "en", "notify": [], "content_hash": "", "version": 1}
    days = {"promised_on": now.date(), "first_promised_on": now.date()}
    rest |= days
    same = states | money | words | rest | {"cancellation_settled": False, "customer_id": "C-1", "recorded_at": now}
    ids = [f"Q-{n:05}" for n in range(QUEUE)]
    placed = {order_id: now + timedelta(seconds=n) for n, order_id in enumerate(ids)}
    tx.execute(insert(Order), [{"order_id": i, "track_token": i, "placed_at": placed[i], **same} for i in ids])
    waiting = {"line_no": 1, "sku": sku, "first_unit": 0, "quantity": 1, "status": "waiting", "promised_on": now.date()}
    # the youngest first: the queue is by placement, not by row
    tx.execute(insert(Backorder), [{"order_id": i, "placed_at": placed[i], **waiting} for i in reversed(ids)])
