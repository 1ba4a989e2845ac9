"""An order's row before products, and before what the relay keeps of it: held on a database that locks rows one by one.
Where it is not kept, transactions side by side end each other."""

import asyncio
import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select, text, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from temporalio.client import Client
from temporalio.testing import ActivityEnvironment

from activities import facts
from activities.customer import CustomerActivities
from activities.facts.checkout import Most
from activities.facts.journal import mark_read, nudge
from activities.intake.example import example_order
from activities.intake.order import AskedOrder
from activities.models import ChangeStep, LoadStep, OrderStep, Policy, Subject
from activities.news import (
    AnyContent,
    FulfillmentHandedOver,
    FulfillmentPacked,
    FulfillmentShortPicked,
    GoodsReceived,
    News,
    Units,
)
from activities.orders import OrderActivities
from activities.pickup import Pickups
from activities.pickup_codes import PickupCodes
from activities.ports import Parcel
from activities.providers.mail.smtp import SmtpMail
from activities.providers.twilio.messages import TwilioMessages
from activities.stock import StockActivities
from activities.views.check import breaches
from infra.clock import wall_clock
from infra.database.tables import ApiKey, Claim, Relay
from infra.database.tables import News as Row
from infra.settings import Settings
from infra.words import NewsOutcome
from starter import keys
from starter.placing import place
from starter.relay import BATCH, leased
from starter.webhooks.inbox import kept
from tests.fixtures_database import Database
from tests.fixtures_shop import NewDatabase
from tests.shop import unique
from tests.starter.door import ADDRESS, running

SKUS, ORDERS = ("MUG", "TEA"), [f"L-{n}" for n in range(4)]
AT_ONCE, ROUNDS = 8, 40
BOX = Parcel(weight_g=800, length_mm=200, width_mm=150, height_mm=100)


@pytest.fixture
def locking(new_database: NewDatabase) -> Database:
    """A shop on PostgreSQL, which looks for deadlocks at once."""
    database = new_database("locking", "postgresql")
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as administrator:
        name = database.engine.url.database
        administrator.execute(text(f"ALTER DATABASE \"{name}\" SET deadlock_timeout = '20ms'"))
    database.engine.dispose()
    with database.sessions.begin() as tx:
        for sku in SKUS:
            facts.catalogue.product_put(tx, sku, name=sku, weight_g=350, lead_time_days=14)
        facts.catalogue.location_put(
            tx, "OAK", name="Oak", kind="warehouse", priority=1, warehouse="default", address=ADDRESS
        )
        facts.inventory.received(tx, reference="opening", location_id="OAK", lines=[(sku, 6) for sku in SKUS])
        for n, order_id in enumerate(ORDERS):
            lines = dict.fromkeys(SKUS if n % 2 else reversed(SKUS), 2)
            asked = AskedOrder.model_validate(example_order(order_id, lines, notify=[]))
            facts.placing.placed(tx, asked, order_id=order_id, idempotency_key=None)
    return database


class Crowd:
    """Whoever works on the same orders and units: activities, webhooks and the relay."""

    def __init__(self, database: Database) -> None:
        self.sessions = database.sessions
        with database.sessions.begin() as tx:
            keys.create(tx, "shop", ["orders:write"])
            self.key_id = tx.scalars(select(ApiKey.key_id)).one()
        self.orders = OrderActivities(database.sessions, Policy())
        self.stock = StockActivities(database.sessions)
        texts, mail = TwilioMessages("AC1", "token", "+1", timeout=1), SmtpMail("smtp://127.0.0.1:9", "a@example.com")
        second = timedelta(seconds=1)
        codes = Pickups(PickupCodes([]), timedelta(days=7), "")
        self.customer = CustomerActivities(database.sessions, texts, mail, "a@b.c", second, second, second, codes)
        self.ended_by_another: list[str] = []
        self.things: list[Callable[[str], object]] = [
            lambda order: self.stock.reserve(OrderStep(order_id=order, at=wall_clock())),
            lambda order: self.orders.load(LoadStep(order_id=order, at=wall_clock())),
            lambda order: ActivityEnvironment().run(self.customer.tell, OrderStep(order_id=order, at=wall_clock())),
            self.cancel,
            lambda _: self.in_transaction(partial(leased, now=wall_clock() + timedelta(hours=1))),
            lambda _: self.hear(self.restock()),
            lambda order: self.hear(
                FulfillmentPacked(fulfillment=f"{order}-1", warehouse="default", parcels=(BOX,)),
                FulfillmentHandedOver(fulfillment=f"{order}-1", warehouse="default"),
            ),
            lambda order: self.hear(
                FulfillmentShortPicked(
                    fulfillment=f"{order}-1", warehouse="default", missing=(Units(sku=SKUS[0], quantity=1),)
                )
            ),
            lambda order: self.in_transaction(lambda tx: nudge(tx, [order], "message")),
            lambda _: self.check_out(),
            lambda _: self.in_transaction(facts.claims.sweep),
        ]

    def cancel(self, order: str) -> None:
        if order != ORDERS[0]:
            self.orders.decide_cancellation(ChangeStep(order_id=order, at=wall_clock(), by="eve"))
            self.stock.release(OrderStep(order_id=order, at=wall_clock()))

    def check_out(self) -> None:
        """Renewed, and then given up, used, or over as soon as it begins."""
        now, skus = wall_clock(), random.sample(SKUS, 2)
        lines = [{"sku": sku, "quantity": 1} for sku in skus]
        about = {"made_by": self.key_id, "channel": "web", "lines": lines, "units": 2, "status": "held"}
        until = now + random.choice([timedelta(0), timedelta(minutes=1)])
        name = unique("C")
        claim = Claim(claim_id=name, digest="", expires_at=until, recorded_at=now, **about)
        with suppress(facts.checkout.Short, facts.checkout.TooMuch, facts.checkout.Over):
            self.in_transaction(lambda tx: facts.checkout.claimed(tx, claim, Most(3, 6)))
            self.in_transaction(lambda tx: facts.checkout.renewed(tx, tx.get_one(Claim, name), wall_clock()))
            if random.random() < 0.5:
                self.in_transaction(lambda tx: facts.checkout.released(tx, tx.get_one(Claim, name)))
                return
            asked = AskedOrder.model_validate(example_order(unique("L"), dict.fromkeys(skus, 1), notify=[]))
            asked = asked.model_copy(update={"reservation_id": name})
            self.in_transaction(lambda tx: place(tx, asked, placed_by=self.key_id))

    def restock(self) -> GoodsReceived:
        lines = tuple(Units(sku=sku, quantity=1) for sku in random.sample(SKUS, 2))
        return GoodsReceived(reference=unique("PO"), location="OAK", warehouse="default", lines=lines)

    def hear(self, *contents: AnyContent) -> None:
        for content in contents:
            news = News(unique("msg"), content.kind, content, None)
            self.in_transaction(partial(kept, sender="warehouse", news=news, content=content))

    def in_transaction(self, work: Callable[[Session], object]) -> None:
        with self.sessions.begin() as tx:
            work(tx)

    def work(self, seed: int) -> None:
        chance = random.Random(seed)
        for _ in range(ROUNDS):
            do, order = chance.choice(self.things), chance.choice(ORDERS)
            try:
                do(order)
            except OperationalError as trouble:
                self.ended_by_another.append(str(trouble))


def test_whatever_is_done_side_by_side_nothing_is_ended_by_another(locking: Database) -> None:
    crowd = Crowd(locking)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(crowd.work, range(AT_ONCE)))
    locking.engine.dispose()  # a connection that ends tells what it has counted
    assert crowd.ended_by_another == []
    with locking.sessions() as tx:
        counted = text("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        assert tx.scalar(counted) == 0
        assert [each for each in breaches(tx) if "authorization" not in each.what] == [], "nobody gave the money back"


def test_relays_side_by_side_neither_wait_for_each_other_nor_for_an_order_that_reads(locking: Database) -> None:
    now = wall_clock() + timedelta(minutes=1)
    with locking.sessions.begin() as tx:
        tx.execute(update(Relay).values(done_at=now))
        nudge(tx, [f"R-{n}" for n in range(2 * BATCH)])
    with locking.sessions() as first, locking.sessions() as second, locking.sessions() as reading:
        for tx in (first, second):
            tx.execute(text("SET LOCAL lock_timeout = '1ms'"))
        mark_read(reading, Subject.order("R-0"))
        mine, others = ({row.relay_id for row in leased(tx, now)} for tx in (first, second))
        read = set(reading.scalars(select(Relay.relay_id).where(Relay.subject_id == "R-0")))
    assert (len(mine), len(others)) == (BATCH, BATCH - 1)
    assert not mine & others
    assert not (mine | others) & read


async def test_a_look_at_waiting_news_that_is_cut_off_leaves_no_connection(
    locking: Database, settings: Settings, engine_away: Client
) -> None:
    """It waits for a row that somebody else has: whoever ends the API waits for it."""
    content = FulfillmentHandedOver(fulfillment="L-9-1", warehouse="default")
    with locking.sessions.begin() as tx:
        assert kept(tx, "warehouse", News("msg-1", content.kind, content, None), content) == NewsOutcome.WAITING
        tx.execute(update(Row).values(open_since=wall_clock() - timedelta(seconds=10)))
    held = locking.sessions()
    held.scalars(select(Row).with_for_update()).one()

    def somebody_waits() -> bool:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        with locking.sessions() as tx:
            return bool(tx.scalar(waiting))

    async def run() -> None:
        async with running(settings, locking, engine_away), asyncio.timeout(30):
            while not await asyncio.to_thread(somebody_waits):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            waits.set()

    waits = asyncio.Event()
    api = asyncio.create_task(run())
    await waits.wait()
    done, _ = await asyncio.wait([api], timeout=1)
    assert not done
    held.rollback()
    held.close()
    await api
    assert locking.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
