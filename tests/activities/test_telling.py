"""A text message is sent once: one whose answer was lost is given time before it is looked up."""

from dataclasses import replace
from datetime import datetime, timedelta
from math import inf
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update
from temporalio.testing import ActivityEnvironment

from activities import facts
from activities.customer import CustomerActivities, latest_call
from activities.facts.journal import locked_order
from activities.failures import OutcomeUnknown
from activities.models import OrderStep
from activities.pickup import Pickups
from activities.pickup_codes import PickupCodes
from activities.providers.mail.smtp import SmtpMail
from activities.providers.twilio.messages import TwilioMessages
from infra.clock import wall_clock
from infra.database.tables import Customer, Message, Order, Payment
from infra.sandbox.client import SandboxControl
from infra.words import MessageKind
from tests.activities import orders
from tests.fixtures_database import Database
from tests.sandbox import SECRETS
from tests.shop import unique

CALL, ATTEMPT = timedelta(seconds=5), timedelta(seconds=30)


def customer(database: Database, sandbox: SandboxControl, told_within: timedelta = timedelta()) -> CustomerActivities:
    texts = TwilioMessages(
        SECRETS["TWILIO_ACCOUNT_SID"],
        SECRETS["TWILIO_AUTH_TOKEN"],
        "+15005550006",
        api_base=sandbox.twilio_base,
        timeout=CALL.total_seconds(),
    )
    mail = SmtpMail(sandbox.smtp_url, "a@example.com")
    return CustomerActivities(
        database.sessions,
        texts,
        mail,
        "a@b.c",
        CALL,
        timedelta(days=3),
        told_within,
        Pickups(PickupCodes([]), timedelta(days=7), ""),
    )


def store_messages(database: Database, order_id: str, *news: tuple[MessageKind, str, dict[str, Any]]) -> None:
    with database.sessions.begin() as tx:
        order = tx.get_one(Order, order_id)
        order.notify = ["sms"]
        for kind, subject, data in news:
            facts.journal.tell(tx, order, kind, subject, **data)


def tell_all(database: Database, sandbox: SandboxControl, order_id: str) -> None:
    engine = ActivityEnvironment()
    engine.info = replace(engine.info, start_to_close_timeout=ATTEMPT)
    engine.run(customer(database, sandbox).tell, OrderStep(order_id=order_id, at=wall_clock()))


def test_more_than_one_text_takes_is_sent_in_several(database: Database, sandbox: SandboxControl) -> None:
    order_id = unique("T")
    orders.placed(database, order_id)
    link = "https://tools.usps.com/go/TrackConfirmAction?tLabels=9205590164917312751089"
    store_messages(database, order_id, *((MessageKind.SHIPPED, f"{order_id}-{n}", {"links": link}) for n in range(30)))
    tell_all(database, sandbox, order_id)
    with database.sessions() as tx:
        assert set(tx.scalars(select(Message.status))) == {"sent"}
    assert sandbox.books(order_id)["sms"] == 2


def test_a_message_whose_answer_was_lost_is_not_sent_beside_itself(database: Database, sandbox: SandboxControl) -> None:
    order_id = unique("T")
    orders.placed(database, order_id)
    store_messages(database, order_id, (MessageKind.CONFIRMED, "", {"total": 2300}))
    tell = customer(database, sandbox).tell
    engine = ActivityEnvironment()
    engine.info = replace(engine.info, start_to_close_timeout=ATTEMPT)
    step = OrderStep(order_id=order_id, at=wall_clock())
    sandbox.fail("twilio", "send", "lose_answer", match=order_id)
    with pytest.raises(OutcomeUnknown) as lost:
        engine.run(tell, step)
    assert lost.value.retry_in == ATTEMPT
    with pytest.raises(OutcomeUnknown) as early:
        engine.run(tell, step)
    assert early.value.code == "settling"
    with database.sessions.begin() as tx:
        locked_order(tx, order_id)
        tx.execute(update(Message).values(tried_at=wall_clock() - ATTEMPT))
    engine.run(tell, step)
    assert sandbox.books(order_id)["sms"] == 1


class Died(BaseException):
    """The process, between two calls."""


class LastCall(SmtpMail):
    """The process dies before it gets there, or before anything is on record."""

    arrives = False

    def send(self, *, to: str, subject: str, text: str, message_id: str) -> None:
        if self.arrives:
            super().send(to=to, subject=subject, text=text, message_id=message_id)
        raise Died


@pytest.mark.parametrize("arrives", [False, True])
def test_who_dies_between_text_and_record_has_told_once(
    database: Database, sandbox: SandboxControl, arrives: bool
) -> None:
    """Answers are recorded together: of the text it is found out, of the mail the mailbox keeps one."""
    order_id = unique("T")
    orders.placed(database, order_id)
    with database.sessions.begin() as tx:
        order = tx.get_one(Order, order_id)
        order.notify = ["email", "sms"]
        facts.journal.tell(tx, order, MessageKind.CONFIRMED, total=2300)
    teller = customer(database, sandbox)
    engine = ActivityEnvironment()
    engine.info = replace(engine.info, start_to_close_timeout=ATTEMPT)
    step = OrderStep(order_id=order_id, at=wall_clock())
    teller.mail = mail = LastCall(sandbox.smtp_url, "a@example.com")
    mail.arrives = arrives
    with pytest.raises(Died):
        engine.run(teller.tell, step)
    with database.sessions.begin() as tx:
        assert {(row.status, row.reference) for row in tx.scalars(select(Message))} == {("claimed", None)}
        tx.execute(update(Message).values(tried_at=wall_clock() - ATTEMPT))
    engine.run(customer(database, sandbox).tell, step)
    with database.sessions() as tx:
        assert set(tx.scalars(select(Message.status))) == {"sent"}
    books = sandbox.books(order_id)
    assert (books["sms"], books["emails"]) == (1, 1)


def test_parcels_that_move_while_others_wait_join_them(database: Database, sandbox: SandboxControl) -> None:
    """Without a step of the order for each."""
    order_id, hour, at = unique("T"), timedelta(hours=1), wall_clock().replace(microsecond=0)
    orders.placed(database, order_id)
    tell = customer(database, sandbox, hour).tell
    engine = ActivityEnvironment()
    engine.info = replace(engine.info, start_to_close_timeout=ATTEMPT)

    def hands_over(n: int, kind: MessageKind = MessageKind.PARTLY_SHIPPED) -> datetime | None:
        store_messages(database, order_id, (kind, f"{order_id}-{n}", {}))
        with database.sessions() as tx:
            return tx.scalars(select(Message.due_at).where(Message.subject == f"{order_id}-{n}")).one()

    assert hands_over(1) is None
    engine.run(tell, OrderStep(order_id=order_id, at=at))
    assert hands_over(2) is None
    asked = engine.run(tell, OrderStep(order_id=order_id, at=at + hour / 2)).order
    assert asked
    assert (asked.telling, asked.due) == (0, at + hour)
    assert hands_over(3, MessageKind.SHIPPED) == at + hour
    with database.sessions.begin() as tx:
        facts.passing.passed(tx, order_id, at + hour)
    asked = engine.run(tell, OrderStep(order_id=order_id, at=at + hour)).order
    assert asked
    assert (asked.telling, asked.due) == (0, None)
    assert sandbox.books(order_id)["sms"] == 2


@pytest.mark.parametrize("kind", [MessageKind.PAYMENT_PROBLEM, MessageKind.PAYMENT_ACTION])
def test_who_is_to_pay_is_told_until_when(database: Database, sandbox: SandboxControl, kind: MessageKind) -> None:
    """By the customer's clock. An order that was paid once is not cancelled by any deadline, and none is named."""
    order_id, there = unique("T"), "Asia/Kathmandu"
    orders.placed(database, order_id)
    with database.sessions.begin() as tx:
        tx.execute(update(Customer).values(time_zone=there))
    store_messages(database, order_id, (kind, "payment 1", {"url": "https://bank.example/3ds"}))
    tell_all(database, sandbox, order_id)
    with database.sessions.begin() as tx:
        until = tx.get_one(Order, order_id).placed_at + timedelta(days=3)
        tx.execute(update(Payment).where(Payment.order_id == order_id).values(status="authorized"))
    store_messages(database, order_id, (kind, "payment 2", {"url": "https://bank.example/3ds"}))
    tell_all(database, sandbox, order_id)
    later, first = [letter["text"] for letter in sandbox.ask("/mailbox", order_id=order_id)["messages"]]
    until = until.astimezone(ZoneInfo(there))
    assert f"until {until.day} {until:%B %Y, %H:%M}: " in first
    assert "until" not in later


@pytest.mark.parametrize(("attempt", "ever"), [(4, True), (5, True), (6, False)])
def test_a_patience_no_longer_than_a_call_still_calls(attempt: int, ever: bool) -> None:
    engine = ActivityEnvironment()
    engine.info = replace(engine.info, start_to_close_timeout=timedelta(seconds=attempt))
    assert (engine.run(latest_call, CALL) == inf) is ever
