"""Telling the customer. Messages are rows; what is pending goes out as one message per channel, and only once."""

import time
from datetime import timedelta
from email.utils import parseaddr
from math import inf

from sqlalchemy import select, update
from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity

from activities import news
from activities.facts.gathering import gathered
from activities.facts.journal import locked_order, mark_read, note
from activities.facts.messages import refused, rerouted, say_until_when
from activities.facts.news import matching
from activities.facts.waiting import waits
from activities.failures import OutcomeUnknown, ProviderFailure, Refused, Unavailable
from activities.messages.wording import Notice, email, sms
from activities.models import OrderStep, Snapshot, Value
from activities.ports import Mail, TextMessages
from activities.views.snapshot import snapshot
from infra.clock import wall_clock
from infra.database.tables import Contact, Customer, Message, Order
from infra.words import Channel, ContactKind, EventType, MessageStatus

LONGEST_TEXT = 1_600
"""Characters that Twilio takes in one message."""


class Outgoing(Value):
    """One message to one person: what it carries, whether an earlier attempt may have sent it, and how long that one
    may still be at it."""

    claim: str
    channel: Channel
    to: str
    notice: Notice
    fresh: bool
    busy_for: timedelta | None = None


class CustomerActivities:
    def __init__(
        self,
        sessions: sessionmaker[Session],
        texts: TextMessages,
        mail: Mail,
        sender: str,
        call_takes: timedelta,
        payment_deadline: timedelta,
        told_within: timedelta,
    ) -> None:
        self.sessions = sessions
        self.texts = texts
        self.mail = mail
        self.call_takes = call_takes
        self.payment_deadline = payment_deadline
        self.told_within = told_within
        self.domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"

    @activity.defn(name="tell_customer")
    def tell(self, step: OrderStep) -> Snapshot:
        """Sends what is pending, by email and SMS, each message once. What cannot be delivered is on record."""
        latest = latest_call(self.call_takes)
        with self.sessions.begin() as tx:
            locked_order(tx, step.order_id)  # before the relay's rows, as whoever loads the order locks them
            mark_read(tx, step.subject, "message")
            attempt_takes = activity.info().start_to_close_timeout or timedelta()
            outgoing = claim(tx, step, attempt_takes, self.payment_deadline, self.told_within)
        trouble: ProviderFailure | None = None
        settled = False
        for message in outgoing:
            try:
                reference, code = self.sent(message, latest), None
            except Refused as refusal:
                reference, code = None, refusal.code
            except ProviderFailure as failure:
                trouble = failure
                if isinstance(failure, OutcomeUnknown) and (message.busy_for or message.channel == Channel.SMS):
                    # the provider may be at it still: as long as an attempt takes, nothing is looked up
                    failure.retry_in = failure.retry_in or attempt_takes
                else:
                    with self.sessions.begin() as tx:
                        answered(tx, step, message)
                continue
            with self.sessions.begin() as tx:
                settle(tx, step, message, reference, code)
            settled = True
        if trouble and not (settled and isinstance(trouble, NoTimeLeft)):
            raise trouble
        with self.sessions.begin() as tx:
            return snapshot(tx, step.order_id)

    def sent(self, message: Outgoing, latest: float) -> str:
        """A mail store keeps one copy per Message-ID; a text is looked up before it is sent again, and not before the
        attempt that may be sending it has ended (a reset in the web UI begins another beside it)."""
        if message.busy_for:
            raise OutcomeUnknown("messages", "settling", "Another attempt may be at it.", retry_in=message.busy_for)
        if message.channel == Channel.EMAIL:
            in_time(latest)
            subject, text = email(message.notice)
            message_id = f"<{message.claim}@{self.domain}>"
            self.mail.send(to=message.to, subject=subject, text=text, message_id=message_id)
            return message_id
        body = sms(message.notice)
        known = None if message.fresh else self.texts.find(to=message.to, body=body)
        if known:
            return known
        in_time(latest)
        return self.texts.send(to=message.to, body=body)


class NoTimeLeft(Unavailable):
    """No failure where something was sent: the order sees that it has more to tell, and asks again."""


def latest_call(takes: timedelta) -> float:
    """When the last call of this attempt may begin. One that outlived the attempt would meet the next one's look-up. By
    this machine's own clock: the engine's may differ."""
    whole = activity.info().start_to_close_timeout or timedelta.max
    if whole <= takes:  # a patience no longer than a call: the engine has cut the attempt down to it
        return inf
    return time.monotonic() + (whole - takes).total_seconds()


def in_time(latest: float) -> None:
    if time.monotonic() > latest:
        raise NoTimeLeft("messages", "no_time_left", "The next attempt goes on with what is left.")


def claim(
    tx: Session, step: OrderStep, attempt_takes: timedelta, payment_deadline: timedelta, told_within: timedelta
) -> list[Outgoing]:
    """All pending rows of a channel become one message (or few, where texts would be too long), under a name that stays
    the same until it is sent."""
    order_id = step.order_id
    order = locked_order(tx, order_id)
    unsent = Message.status.in_((MessageStatus.PENDING, MessageStatus.CLAIMED))
    these = select(Message).where(Message.order_id == order_id, unsent | (Message.sent_at > step.at - told_within))
    found = list(tx.scalars(these.order_by(Message.message_id)))
    rows, sent = [row for row in found if not row.sent_at], [row for row in found if row.sent_at]
    about = select(Contact, Customer).join(Customer, Customer.customer_id == order.customer_id)
    person, customer = tx.execute(about.where(Contact.order_id == order_id, Contact.kind == ContactKind.CUSTOMER)).one()
    rows = rerouted(tx, order, customer, person, rows, step.at)
    rows = gathered(tx, order, rows, sent, step.at, told_within)
    say_until_when(tx, order, [row for row in rows if row.status == MessageStatus.PENDING], payment_deadline)
    fresh = set()
    for channel in Channel:
        pending = [row for row in rows if row.channel == channel and row.status == MessageStatus.PENDING]
        for part in [pending] if channel == Channel.EMAIL else in_texts(order, person, pending):
            for row in part:
                row.status, row.claimed_as = MessageStatus.CLAIMED, f"{order_id}.{channel}.{part[0].message_id}"
                fresh.add(row.claimed_as)
    busy = {
        row.claimed_as: left for row in rows if row.tried_at and (left := row.tried_at + attempt_takes - wall_clock())
    }
    for row in rows:
        if busy.get(row.claimed_as, timedelta()) <= timedelta():
            row.tried_at = wall_clock()
    tx.flush()
    claims = dict.fromkeys((str(row.claimed_as), row.channel) for row in rows)
    return [
        Outgoing(
            claim=name,
            channel=channel,
            to=person.email if channel == Channel.EMAIL else person.phone,
            notice=notice(order, person, [row for row in rows if row.claimed_as == name]),
            fresh=name in fresh,
            busy_for=left if (left := busy.get(name, timedelta())) > timedelta() else None,
        )
        for name, channel in claims
    ]


def in_texts(order: Order, person: Contact, pending: list[Message]) -> list[list[Message]]:
    """As few text messages as carry it all."""
    bodies: list[list[Message]] = []
    for row in pending:
        if bodies and len(sms(notice(order, person, [*bodies[-1], row]))) <= LONGEST_TEXT:
            bodies[-1].append(row)
        else:
            bodies.append([row])
    return bodies


def notice(order: Order, person: Contact, rows: list[Message]) -> Notice:
    return Notice(
        order_id=order.order_id,
        kinds=[(row.kind, text_facts(row)) for row in rows],
        name=person.name,
        locale=order.locale,
        currency=order.currency,
    )


def text_facts(row: Message) -> dict[str, str | int]:
    """Its facts, and what it is about unless they say so."""
    return {**({"subject": row.subject} if row.subject and row.subject not in row.data.values() else {}), **row.data}


def answered(tx: Session, step: OrderStep, message: Outgoing) -> None:
    """Neither this attempt nor the provider is at it any more: the next one may look at once."""
    locked_order(tx, step.order_id)
    about = (Message.order_id == step.order_id, Message.claimed_as == message.claim)
    tx.execute(update(Message).where(*about).values(tried_at=None))


def settle(tx: Session, step: OrderStep, message: Outgoing, reference: str | None, code: str | None) -> None:
    order = locked_order(tx, step.order_id)
    about = [news.reference("message", reference)] if reference else []
    mine = select(Message, waits(*about))
    found = tx.execute(mine.where(Message.order_id == step.order_id, Message.claimed_as == message.claim)).all()
    rows = [row for row, _ in found]
    for row in rows:
        row.status = MessageStatus.FAILED if code else MessageStatus.SENT
        row.reference, row.code = reference, code
        row.sent_at, row.tried_at = None if code else step.at, None
    refused(tx, order, rows, code)
    event = EventType.MESSAGE_FAILED if code else EventType.MESSAGE_SENT
    kinds = [row.kind for row in rows]
    note(tx, order, event, step.at, kinds=kinds, channel=message.channel, **({"code": code} if code else {}))
    if any(news_waits for _, news_waits in found):
        matching.matched(tx, about)
