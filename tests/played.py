"""A database in which orders of each kind were really played."""

import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, insert, select, text

from infra.database import engine
from infra.database.tables import metadata
from infra.hold_kinds import HoldKind
from infra.sandbox.client import SandboxControl
from infra.temporal import DevServer
from tests.fixtures_database import Database
from tests.fixtures_shop import NewDatabase
from tests.shop import PACE, Shop, unique
from tests.workflows import cancelling, scenarios, stories
from tests.workflows.stories import Story


@dataclass(frozen=True)
class Played:
    sqlite: Path
    postgres: str
    """Nobody is connected to it: it can be copied."""
    orders: dict[str, str]
    """By the kind."""


def plain(shop: Shop, order: str) -> None:
    shop.place({shop.product(OAK=1): 1}, order_id=order, reference=f"SHOP-{order}", channel="web")
    assert shop.ends(order, 60) == "completed"


def with_a_voucher(shop: Shop, order: str) -> None:
    tenders = [
        {"method": "external", "reference": "voucher 17", "amount": 1000},
        {"method": "card", "payment_method": "pm_card_visa"},
    ]
    shop.place({shop.product(OAK=1): 1}, order_id=order, payments=tenders)
    assert shop.ends(order, 60) == "completed"


def refunded_and_disputed(shop: Shop, order: str) -> None:
    plain(shop, order)
    wish = {"lines": [{"line": 1, "quantity": 1}], "refund_request_id": "R-1"}
    shop.api.post(f"/v1/orders/{order}/refunds", json=wish).raise_for_status()
    shop.happened(order, "refund_succeeded", 1, 60)


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


KINDS: tuple[Story, ...] = (
    plain,
    with_a_voucher,
    refunded_and_disputed,
    held,
    stories.waits_for_stock,
    stories.two_holds,
    stories.cancelled_after_label,
    cancelling.line_cancelled,
    scenarios.declined_and_rescued,
    backordered,
)
AT_ONCE = 5


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
    with Shop(database, engine_server, sandbox) as shop:
        sandbox.pace(PACE)
        with ThreadPoolExecutor(AT_ONCE) as stories_at_once:
            playing = [stories_at_once.submit(story, shop, orders[story.__name__]) for story in KINDS]
        for each in playing:
            each.result()
        shop.until(lambda: nothing_is_due(database), "every nudge to be read")
        read_everything(shop, orders)
    sandbox.calm()
    file = tmp_path_factory.mktemp("played") / "orders.db"
    shutil.copyfile(sqlite_template, file)
    copy_rows(database.engine, f"sqlite:///{file}")
    database.engine.dispose()
    return Played(file, database.url, orders)


def nothing_is_due(database: Database) -> bool:
    with database.sessions() as tx:
        return not tx.scalar(text("SELECT count(*) FROM relay WHERE done_at IS NULL"))


def read_everything(shop: Shop, orders: dict[str, str]) -> dict[str, Any]:
    """Whatever can be read over HTTP, each list by each of its filters, and its second page."""
    order = shop.view(orders["plain"])
    sku, customer = order["lines"][0]["sku"], order["customer"]["customer_id"]
    filters = ["status=completed", "status=on_hold", "channel=web", f"reference=SHOP-{orders['plain']}"]
    filters += [f"sku={sku}", f"customer={customer}", "placed_after=2020-01-01T00:00:00Z"]
    lists = ["/v1/orders?limit=2", *(f"/v1/orders?limit=2&{each}" for each in filters)]
    lists += ["/v1/holds", "/v1/news?limit=2", "/v1/news?limit=2&status=finding"]
    one = [f"/v1/orders/{each}{part}" for each in orders.values() for part in ("", "/effects")]
    other = [f"/v1/stock?sku={sku}", "/healthz", "/readyz", "/metrics", "/docs", "/openapi.json"]
    found: dict[str, Any] = {}
    for url in [*lists, *one, *other]:
        answer = shop.api.get(url).raise_for_status()
        found[url] = answer.json() if "json" in answer.headers["content-type"] else None
        if url in lists and (cursor := found[url].get("next")):
            shop.api.get(url, params={"cursor": cursor}).raise_for_status()
    return found


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
