"""A database in which orders of each kind were really played, and what was asked of it meanwhile."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event, insert, select

from infra.database import engine
from infra.database.tables import News, Payment, Relay, metadata
from infra.hold_kinds import HoldKind
from infra.sandbox.client import SandboxControl
from infra.temporal import DevServer
from starter import keys
from tests.fixtures_database import Database
from tests.fixtures_shop import NewDatabase
from tests.shop import PACE, Shop, unique
from tests.workflows import cancelling, collecting, scenarios, stories
from tests.workflows.stories import Story
from tests.workflows.test_sales import TILL, sold

Statements = dict[str, list[Any]]
"""By its text: with what it was asked, each time that was not for many rows at once."""


@dataclass(frozen=True)
class Played:
    sqlite: Path
    postgres: str
    """Nobody is connected to it: it can be copied."""
    orders: dict[str, str]
    """By the kind."""
    statements: Statements = field(repr=False)


def plain(shop: Shop, order: str) -> None:
    shop.place({shop.product(OAK=1): 1}, order_id=order, reference=f"SHOP-{order}", channel="web")
    assert shop.ends(order, 60) == "completed"


def taxed(shop: Shop, order: str) -> None:
    """In the words of another system."""
    sku, theirs = unique("MUG"), unique("THEIRS")
    product = {"name": "Mug", "weight_g": 400, "references": [theirs]}
    shop.api.put(f"/v1/products/{sku}", json=product).raise_for_status()
    shop.receive("OAK", {sku: 2})
    asked = shop.order({theirs: 2}, order_id=order, tax=216)
    asked["lines"][0] |= {"tax": 216, "tax_lines": [{"jurisdiction": "US-CA", "rate": "0.0600", "amount": 216}]}
    shop.api.post("/v1/orders", json=asked).raise_for_status()
    assert shop.ends(order, 60) == "completed"


def reserved_at_checkout(shop: Shop, order: str) -> None:
    sku, checkout = shop.product(OAK=1), unique("CART")
    wish = {"reservation_id": checkout, "lines": [{"sku": sku, "quantity": 1}]}
    shop.api.post("/v1/reservations", json=wish).raise_for_status()
    shop.api.post(f"/v1/reservations/{checkout}/renew").raise_for_status()
    shop.place({sku: 1}, order_id=order, reservation_id=checkout)
    assert shop.ends(order, 60) == "completed"


def sold_and_brought_back(shop: Shop, order: str) -> None:
    shop.api.put(f"/v1/tills/{TILL}", json={"location": "OAK"}).raise_for_status()
    sold(shop, shop.product(OAK=1), order_id=order)
    back = {"return_id": unique("B"), "till": TILL, "received_at": "2026-11-28T10:00:00Z"}
    lines = [{"line": 1, "quantity": 1}]
    shop.api.post(f"/v1/orders/{order}/returns", json=back | {"lines": lines}).raise_for_status()


def counted(shop: Shop, order: str) -> None:
    """One of the units that are left is not found."""
    sku, count = shop.product(OAK=3), unique("COUNT")
    shop.place({sku: 1}, order_id=order)
    assert shop.ends(order, 60) == "completed"
    shop.api.post("/v1/counts", json={"count": count, "location": "OAK", "skus": [sku]}).raise_for_status()
    found = {"lines": [{"sku": sku, "quantity": 1}], "submit": True}
    shop.api.put(f"/v1/counts/{count}/sessions/ada", json=found).raise_for_status()
    shop.api.post(f"/v1/counts/{count}/submission").raise_for_status()
    accepted = {"lines": [{"sku": sku, "decision": "accept"}]}
    shop.api.post(f"/v1/counts/{count}/decision", json=accepted).raise_for_status()


def with_a_voucher(shop: Shop, order: str) -> None:
    tenders = [
        {"method": "external", "reference": "voucher 17", "amount": 1000},
        {"method": "card", "payment_method": "pm_card_visa"},
    ]
    shop.place({shop.product(OAK=1): 1}, order_id=order, payments=tenders)
    assert shop.ends(order, 60) == "completed"


def refunded(shop: Shop, order: str) -> None:
    plain(shop, order)
    wish = {"lines": [{"line": 1, "quantity": 1}], "refund_request_id": "R-1"}
    shop.api.post(f"/v1/orders/{order}/refunds", json=wish).raise_for_status()
    shop.happened(order, "refund_succeeded", 1, 60)


def disputed(shop: Shop, order: str) -> None:
    plain(shop, order)
    with shop.database.sessions() as tx:
        [of] = tx.scalars(select(Payment.intent).where(Payment.order_id == order))
    dispute = shop.sandbox.dispute(str(of))["id"]
    shop.until(lambda: shop.open_hold(order, HoldKind.DISPUTE), "a hold", order, 60)
    shop.sandbox.move_dispute(dispute, "won")
    shop.until(lambda: shop.open_hold(order) is None, "no hold", order, 60)


def held(shop: Shop, order: str) -> None:
    """Its carrier refuses the label."""
    shop.place({shop.product(OAK=1): 1}, order_id=order, zip="00001")
    shop.until(lambda: shop.open_hold(order, HoldKind.BUY_LABEL_FAILED), "a hold", order, 60)


def backordered(shop: Shop, order: str) -> None:
    here, missing = shop.product(OAK=1), shop.product()
    shop.place({here: 1, missing: 1}, order_id=order)
    stories.customer_hears(shop, order, "backordered")
    shop.receive("OAK", {missing: 1})
    assert shop.ends(order, 60) == "completed"


def short_picked(shop: Shop, order: str) -> None:
    """Of four one is missing and one is in no parcel: they come from elsewhere."""
    sku = shop.product(OAK=4, RNO=2)
    shop.place({sku: 4}, order_id=order, by_hand=True)
    shop.warehouse(order).misses({sku: 1})
    shop.happened(order, "short_picked", 1, 60)
    shop.warehouse(order).packs_units({sku: 1}, {sku: 1})
    shop.happened(order, "short_picked", 2, 60)
    shop.happened(order, "requested", 2, 60)
    shop.goes_by_itself(order)
    assert shop.ends(order, 60) == "completed"


KINDS: tuple[Story, ...] = (
    plain,
    taxed,
    reserved_at_checkout,
    sold_and_brought_back,
    counted,
    with_a_voucher,
    refunded,
    disputed,
    held,
    stories.waits_for_stock,
    stories.two_holds,
    stories.cancelled_after_label,
    cancelling.line_cancelled,
    scenarios.declined_and_rescued,
    backordered,
    short_picked,
    stories.lost_parcel,
    collecting.picked_up,
)
AT_ONCE = 5
OF_NOBODY = "NOBODY-1"


@pytest.fixture(scope="session")
def played(
    new_database: NewDatabase,
    engine_server: DevServer,
    sandbox: SandboxControl,
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Played:
    database = new_database("played", "postgresql")
    orders = {story.__name__: unique("P") for story in KINDS}
    patient = {"ORDERS_STEP_PATIENCE": "1m"}  # a busy machine is nothing that a person is to see
    with Shop(database, engine_server, sandbox, settings=patient) as shop, listening(database.engine) as statements:
        sandbox.pace(PACE)
        with ThreadPoolExecutor(AT_ONCE) as stories_at_once:
            playing = [stories_at_once.submit(story, shop, orders[story.__name__]) for story in KINDS]
        for each in playing:
            each.result()
        shop.until(lambda: nothing_is_due(database), "every nudge and all news to be read")
        sandbox.tell("/warehouse/send", {"type": "fulfillment.accepted", "data": {"fulfillment_id": OF_NOBODY}})
        shop.until(lambda: shop.api.get("/v1/news").json()["news"], "news without a match", timeout=90)
        read_everything(shop, orders)
    sandbox.calm()
    file = tmp_path_factory.mktemp("played") / "orders.db"
    shutil.copyfile(sqlite_template, file)
    copy_rows(database.engine, f"sqlite:///{file}")
    database.engine.dispose()
    return Played(file, database.url, orders, statements)


def nothing_is_due(database: Database) -> bool:
    """Within the hour: whose deadline is days away is started then."""
    soon = datetime.now(UTC) + timedelta(hours=1)
    with database.sessions() as tx:
        due = tx.scalars(select(Relay.relay_id).where(Relay.done_at.is_(None), Relay.due_at < soon)).all()
        waiting = tx.scalars(select(News.about).where(News.open_since.is_not(None))).all()
    return not (due or waiting)


def read_everything(shop: Shop, orders: dict[str, str]) -> dict[str, Any]:
    """Whatever can be read over HTTP, each list by each of its filters, and its second page."""
    order = shop.view(orders["plain"])
    sku, customer = order["lines"][0]["sku"], order["customer"]["customer_id"]
    since, until = "placed_after=2020-01-01T00:00:00Z", f"placed_before={order['placed_at'].replace('+', '%2B')}"
    never = "placed_after=2100-01-01T00:00:00Z"
    filters = ["", "status=completed", "status=on_hold", "channel=web", f"reference=SHOP-{orders['plain']}"]
    filters += [since, until, f"sku={sku}", f"sku={sku}&status=completed", f"status=completed&{since}&{until}"]
    filters += [f"customer={customer}", f"customer={customer}&status=on_hold", "channel=web&status=on_hold"]
    filters += [never, f"status=completed&{never}", f"sku={sku}&{never}", f"sku={sku}&{since}&{until}"]
    lists = [f"/v1/orders?limit=2&{each}" for each in filters]
    lists += ["/v1/holds", "/v1/holds?reason=step_failed&subject_kind=order&limit=2"]
    lists += ["/v1/news?limit=2", "/v1/news?limit=2&status=finding"]
    lists += ["/v1/counts?limit=1", "/v1/counts?limit=1&status=closed", "/v1/counts?limit=1&location=OAK"]
    one = [f"/v1/orders/{each}{part}" for each in orders.values() for part in ("", "/effects")]
    other = [
        f"/v1/stock?sku={sku}",
        f"/v1/stock/{sku}/moves",
        "/v1/fulfillments?location=OAK",
        "/v1/pickups?location=OAK",
        "/healthz",
        "/readyz",
        "/metrics",
        "/docs",
        "/openapi.json",
    ]
    found: dict[str, Any] = {}
    for url in [*lists, *one, *other]:
        answer = shop.api.get(url).raise_for_status()
        found[url] = answer.json() if "json" in answer.headers["content-type"] else None
        if url in lists and (cursor := found[url].get("next")):
            shop.api.get(f"{url}&cursor={cursor}").raise_for_status()
    with shop.database.sessions.begin() as tx:
        key = keys.create(tx, unique("web"), ["orders:read", "orders:operate"], "web")
    for url in ("/v1/orders?limit=2", "/v1/orders?limit=2&status=on_hold", "/v1/holds"):
        shop.api.get(url, headers={"Authorization": f"Bearer {key}"}).raise_for_status()
    return found


@contextmanager
def listening(engine: Engine) -> Iterator[Statements]:
    statements: Statements = {}

    def hear(_: Connection, __: Any, statement: str, parameters: Any, ___: Any, many: bool) -> None:
        statements.setdefault(statement, []).extend([] if many else [parameters])

    event.listen(engine, "before_cursor_execute", hear)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", hear)


def copy_rows(source: Engine, url: str) -> None:
    target = engine.create(url, durable=False)
    with source.connect() as ours, target.begin() as theirs:
        for table in metadata.sorted_tables:
            if table.name != "migrations" and (rows := ours.execute(select(table)).mappings().all()):
                theirs.execute(insert(table), [dict(row) for row in rows])
    target.dispose()


Copies = Callable[[str], Database]


@pytest.fixture
def copied(played: Played, new_postgres: Callable[..., str], tmp_path: Path) -> Iterator[Copies]:
    """Makes a copy of the played database, of this kind."""
    made: list[Database] = []

    def copy(kind: str) -> Database:
        if kind == "postgresql":
            url = new_postgres(played.postgres.rpartition("/")[2])
        else:
            file = tmp_path / "copy.db"
            shutil.copyfile(played.sqlite, file)
            url = f"sqlite:///{file}"
        opened = engine.create(url, pool_size=40, durable=False)
        made.append(Database(url, opened, engine.sessions(opened)))
        return made[-1]

    yield copy
    for each in made:
        each.engine.dispose()
