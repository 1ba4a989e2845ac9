"""What the code may write, every view can read: an order in any state is answered, in its own words."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import pytest
from sqlalchemy import Enum, String, inspect, select, text
from sqlalchemy.exc import StatementError
from sqlalchemy.orm import Session

from activities import facts
from activities.facts.journal import locked_order
from activities.facts.refundable import Part
from activities.facts.units import PricedUnits
from activities.models import CancelReason, HoldKind, Snapshot, Subject
from activities.ports import Dispute, DisputeStatus
from activities.views import effects, holds, news, order, orders, snapshot, stock
from infra.clock import wall_clock
from infra.database.tables import (
    Base,
    Claim,
    Contact,
    Count,
    CountLine,
    HandOver,
    Location,
    News,
    Order,
    Payment,
    Return,
    ReturnUnits,
    metadata,
)
from infra.database.tables.base import WORD
from infra.words import (
    ChargeStatus,
    ClaimStatus,
    Condition,
    ContactKind,
    CountLineStatus,
    CountStatus,
    HandOverProof,
    MoneyMoveKind,
    NewsOutcome,
    RefundWay,
)
from tests.activities import orders as asked
from tests.fixtures_database import Database

ORDER, FULFILLMENT = "W-1", "W-1-1"
TABLES = {mapper.local_table.name: mapper.class_ for mapper in Base.registry.mappers}  # type: ignore[attr-defined]
NAMES_AND_CODES = {
    *("customers.locale", "customers.time_zone", "orders.locale", "locations.locale"),
    *("orders.channel", "api_keys.channel", "claims.channel", "locations.warehouse", "parcels.carrier"),
    *("migrations.revision", "migrations.runs_with"),
    *("payments.decline_code", "disputes.reason", "messages.code", "line_cancellations.cause", "changes.cause"),
    "counts.cause",
}
"""Words that are somebody else's, or that operators choose."""
OTHERS = {
    *("effects.subject_kind", "relay.subject_kind", "relay.kind", "deadlines.subject_kind", "holds.subject_kind"),
    *("events.subject_kind", "deadlines.kind"),
    *("effects.outcome", "news.sender"),
}
"""Open words: a new kind of workflow brings a kind of subject, its nudges and its effects' outcomes of its own."""


def columns() -> Iterator[tuple[str, type[StrEnum]]]:
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, Enum) and column.type.enum_class:
                yield f"{table.name}.{column.name}", column.type.enum_class  # type: ignore[misc]


every_word = [pytest.param(column, word, id=f"{column}={word}") for column, words in columns() for word in words]


@pytest.fixture(scope="module")
def whole(new_database: Any) -> Database:
    """An order that has a row in every table with words."""
    database: Database = new_database("words", "sqlite")
    now = wall_clock()
    asked.placed(database, ORDER, 2, in_stock=1)
    asked.packed(database, ORDER)
    with database.sessions.begin() as tx:
        placed = locked_order(tx, ORDER)
        payment = tx.scalars(select(Payment)).one()
        charge = facts.charges.write(tx, placed, 1, 1, [PricedUnits(1, 0, 1, 100)], ChargeStatus.PAID)
        facts.moves.moved(tx, placed, payment.payment_id, MoneyMoveKind.CAPTURED, 100, "c", now, charge.charge_id)
        facts.refunds.asked(tx, placed, [Part(charge, payment.payment_id, 100, [])], now)
        seen = Dispute(dispute_id="dp_1", intent_id="", amount=100, reason="general", status=DisputeStatus.OPEN)
        facts.disputes.reported(tx, payment.payment_id, seen, now)
        change = facts.cancellation.cancellation_asked(
            tx, ORDER, reason=CancelReason.CUSTOMER, by="x", why="", lines=[{"line": 1, "quantity": 1}]
        )
        facts.cancellation.lines_decided(tx, placed, change, now)
        about = {"order_id": ORDER, "n": 1, "received_at": now, "recorded_at": now, "location_id": "OAK"}
        tx.add(Return(change_id=change.change_id, refund=RefundWay.CASH, void=False, exchanged=0, **about))
        tx.flush()
        back = {"line_no": 1, "first_unit": 0, "quantity": 1, "condition": Condition.SELLABLE}
        tx.add(ReturnUnits(order_id=ORDER, n=1, **back))
        facts.holds.opened(tx, ORDER, HoldKind.STOPPED, Subject.order(ORDER), now)
        place = tx.scalars(select(Contact).where(Contact.kind == ContactKind.SHIP_TO)).one()
        fields = {attribute.key: getattr(place, attribute.key) for attribute in inspect(Contact).column_attrs}
        news = {"sender": "stripe", "news_id": "evt_1", "n": 0, "type": "refund.updated", "about": "refund re_2"}
        tx.add(News(**news, digest="", outcome=NewsOutcome.WAITING, open_since=now, effective_at=now, recorded_at=now))
        taken = {"reference": None, "proof": HandOverProof.CODE, "by": "x", "note": "", "quantity": 1, "paid_as": None}
        of = {"fulfillment_id": FULFILLMENT, "n": 1, "order_id": ORDER}
        tx.add(HandOver(**of, **taken, effective_at=now, recorded_at=now))
        cart = {"claim_id": "C-1", "digest": "", "made_by": "k", "channel": "web", "lines": [], "units": 1}
        tx.add(Claim(**cart, status=ClaimStatus.HELD, expires_at=now, recorded_at=now))
        asked_for = {"count_id": "C-1", "location_id": "OAK", "cause": "monthly", "round": 1, "asked_by": "x"}
        tolerance = {"tolerance_units": 0, "tolerance_percent": 0}
        tx.add(Count(**asked_for, **tolerance, status=CountStatus.OPEN, recorded_at=now))
        tx.flush()
        tx.add(CountLine(count_id="C-1", sku=asked.SKU, status=CountLineStatus.ASKED, packed=0))
        tx.add(Contact(**fields | {"contact_id": None, "kind": ContactKind.LINE, "destination": "d2"}))
    return database


def last_row(tx: Session, column: str) -> tuple[Any, str]:
    table, name = column.split(".")
    cls = TABLES[table]
    row = tx.scalars(select(cls).order_by(*(key.desc() for key in inspect(cls).primary_key)).limit(1)).first()
    assert row is not None, f"no row to write {column} in"
    return row, name


def read_all(tx: Session) -> None:
    one = tx.get_one(Order, ORDER)
    order.read(tx, one).model_dump_json()
    orders.page(tx, orders.Filter(), limit=10).model_dump_json()
    for known in (snapshot.whole(tx, one), snapshot.snapshot(tx, ORDER, [FULFILLMENT])):
        assert Snapshot.model_validate_json(known.model_dump_json(exclude_defaults=True)) == known
    news.still_open(tx, None, 10).model_dump_json()
    holds.still_open(tx, reason=None, subject_kind=None, channel=None, limit=10).model_dump_json()
    effects.read(tx, ORDER).model_dump_json()
    stock.of_skus(tx, [asked.SKU])[0].model_dump_json()
    assert tx.scalars(select(Location)).all()


@pytest.mark.parametrize(("column", "word"), every_word)
def test_every_word_is_read_in_every_view(whole: Database, column: str, word: StrEnum) -> None:
    with whole.sessions() as tx:
        row, name = last_row(tx, column)
        setattr(row, name, word)
        tx.flush()
        tx.expire_all()
        assert getattr(row, name) is word
        read_all(tx)
        tx.rollback()


@pytest.mark.both_databases
def test_no_other_word_is_written_or_read(database: Database) -> None:
    asked.placed(database, ORDER)
    with database.sessions() as tx:
        tx.get_one(Order, ORDER).status = "lost"  # type: ignore[assignment]
        with pytest.raises(StatementError, match="lost"):
            tx.flush()
    with database.sessions() as tx:
        tx.execute(text("UPDATE orders SET status = 'lost'"))
        with pytest.raises(LookupError, match="lost"):
            tx.get(Order, ORDER)


def test_states_and_kinds_are_words_of_a_type() -> None:
    free = {
        f"{table.name}.{column.name}"
        for table in metadata.sorted_tables
        for column in table.columns
        if type(column.type) is String and column.type.length == WORD.length
    }
    assert free - NAMES_AND_CODES == OTHERS
