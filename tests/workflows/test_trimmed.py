"""What has served its time goes: of an order that ended long ago what was done for it, so it is not entered again."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select
from temporalio.client import WorkflowFailureError

from activities.facts import trimming
from activities.views.check import breaches
from infra.database.tables import Effect, Event, MoneyMove, News, Order, OrderLine, Relay, StockMove
from infra.sandbox.client import SandboxControl
from infra.temporal import DevServer
from starter.cli.__main__ import run
from tests.fixtures_shop import NewDatabase
from tests.shop import PACE, Shop
from tests.workflows.test_money_elsewhere import intent

LONG = timedelta(days=500)


@pytest.fixture(scope="module")
def shop(new_database: NewDatabase, engine_server: DevServer, sandbox: SandboxControl) -> Iterator[Shop]:
    """Of its own: what is oldest is looked at first."""
    with Shop(new_database("trimmed", "postgresql"), engine_server, sandbox) as shop:
        sandbox.pace(PACE)
        yield shop


def completed(shop: Shop) -> str:
    order = shop.place({shop.product(OAK=1): 1})
    assert shop.ends(order) == "completed"
    return order


def rows(shop: Shop, order: str) -> dict[str, int]:
    with shop.database.sessions() as tx:
        counted = {
            table.__tablename__: tx.scalar(select(func.count()).select_from(table).where(table.order_id == order)) or 0
            for table in (Effect, Event, MoneyMove)
        }
        moves = select(func.count()).select_from(StockMove).where(StockMove.reference.startswith(order))
        return counted | {"stock_moves": tx.scalar(moves) or 0}


def is_of_long_ago(shop: Shop, order: str) -> None:
    with shop.database.sessions.begin() as tx:
        for event in tx.scalars(select(Event).where(Event.order_id == order)):
            event.recorded_at -= LONG
        tx.get_one(Order, order).placed_at -= LONG
        for line in tx.scalars(select(OrderLine).where(OrderLine.order_id == order)):
            line.placed_at -= LONG
        for nudge in tx.scalars(select(Relay).where(Relay.subject_id == order)):
            nudge.recorded_at -= LONG
            nudge.done_at = nudge.done_at and nudge.done_at - LONG
        for news in tx.scalars(select(News).where(News.about.contains(order))):
            news.recorded_at -= LONG


def trim(shop: Shop) -> Mapping[str, int]:
    removed: Counter[str] = Counter()
    now, retention = datetime.now(UTC), timedelta(days=400)
    for batch in trimming.trimmed(shop.database.sessions, now, retention, dry_run=False):
        removed.update(batch)
    return removed


def waits(shop: Shop, kind: str) -> bool:
    """News of this kind is not applied, as if it were about nothing that is known."""
    with shop.database.sessions() as tx:
        return bool(
            tx.scalars(select(News.about).where(News.open_since.is_not(None), News.type.startswith(kind))).all()
        )


def test_an_order_that_ended_long_ago_says_that_it_was_trimmed_and_is_not_entered_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """However many batches it takes."""
    monkeypatch.setattr(trimming, "BATCH", 3)
    old, young = completed(shop), completed(shop)
    is_of_long_ago(shop, old)
    before, of_young, of_intent = rows(shop, old), rows(shop, young), intent(shop, old)
    monkeypatch.setenv("DATABASE_URL", shop.database.url)
    monkeypatch.setenv("ORDERS_HOME", str(tmp_path))
    assert run(["db", "trim", "--dry-run", "--json"]) == 0
    would_go = json.loads(capsys.readouterr().out)
    assert rows(shop, old) == before
    gone = trim(shop)
    assert would_go == {**gone, "dry_run": True}
    assert (gone["orders"], gone["effects"], gone["events"]) == (1, before["effects"], before["events"])
    assert gone["relay"] > 0
    assert min(gone["news"], gone["effects"]) > trimming.BATCH
    assert not any(trim(shop).values())
    assert rows(shop, old) == before | {"effects": 0, "events": 0}
    assert rows(shop, young) == of_young
    seen = shop.view(old)
    assert (seen["status"], seen["timeline"]) == ("completed", [])
    assert seen["trimmed_at"][:10] == f"{datetime.now(UTC):%Y-%m-%d}"
    refused = shop.api.post(f"/v1/orders/{old}/refunds", json={})
    assert refused.status_code == 409
    assert refused.json()["detail"].startswith(f"order {old} was trimmed on ")
    shop.reset(old)
    with pytest.raises(WorkflowFailureError) as failed:
        shop.ends(old)
    assert f"order {old} was trimmed on " in str(failed.value.cause)
    shop.sandbox.refund_elsewhere(of_intent, 500)
    shop.until(lambda: waits(shop, "refund"), "news for a person")
    assert rows(shop, old) == before | {"effects": 0, "events": 0}
    with shop.database.sessions() as tx:
        assert list(breaches(tx)) == []
