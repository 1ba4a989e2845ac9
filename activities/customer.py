"""Telling the customer, and places where no system works. Messages are rows; what is pending goes out once: a
customer's as one message per channel, a place's each alone."""

import time
from collections import defaultdict
from datetime import datetime, timedelta
from email.utils import parseaddr
from math import inf
from typing import NamedTuple

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity

from activities import news
from activities.facts import stores
from activities.facts.gathering import gathered
from activities.facts.journal import MINE, locked_order, mark_read, note, unread
from activities.facts.messages import refused, rerouted, say_until_when
from activities.facts.news import matching
from activities.facts.waiting import WAITS
from activities.failures import OutcomeUnknown, ProviderFailure, Refused, Unavailable
from activities.messages.wording import Notice, email, sms
from activities.models import OrderStep, Snapshot, Value
from activities.pickup import Pickups
from activities.ports import Mail, TextMessages
from activities.views.snapshot import snapshot
from infra.clock import wall_clock
from infra.database.tables import Contact, Customer, Location, Message, Order
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


class Answer(NamedTuple):
    """What a provider said to one message: its id there, why it takes none, or neither: nobody is at it any more, and
    the next attempt may look at once."""

    message: Outgoing
    reference: str | None = None
    code: str | None = None

    @property
    def settled(self) -> bool:
        return bool(self.reference or self.code)


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
        pickups: Pickups,
    ) -> None:
        self.sessions = sessions
        self.texts = texts
        self.mail = mail
        self.call_takes = call_takes
        self.payment_deadline = payment_deadline
        self.told_within = told_within
        self.pickups = pickups
        self.domain = parseaddr(sender)[1].rpartition("@")[2] or "localhost"

    @activity.defn(name="tell_customer", no_thread_cancel_exception=True)
    def tell(self, step: OrderStep) -> Snapshot:
        """Sends what is pending, by SMS and email, each message once. What cannot be delivered is on record."""
        latest = latest_call(self.call_takes)
        with self.sessions.begin() as tx:
            order = locked_order(tx, step.order_id)  # before the relay's rows, as whoever loads the order locks them
            attempt_takes = activity.info().start_to_close_timeout or timedelta()
            outgoing = claim(tx, order, step, attempt_takes, self.payment_deadline, self.told_within, self.pickups)
            if not outgoing:
                return snapshot(tx, step.order_id)
        trouble: ProviderFailure | None = None
        answers: list[Answer] = []
        for message in outgoing:
            try:
                answers.append(Answer(message, reference=self.sent(message, latest)))
            except Refused as refusal:
                answers.append(Answer(message, code=refusal.code))
            except ProviderFailure as failure:
                trouble = failure
                if isinstance(failure, OutcomeUnknown) and (message.busy_for or message.channel == Channel.SMS):
                    # the provider may be at it still: as long as an attempt takes, nothing is looked up
                    failure.retry_in = failure.retry_in or attempt_takes
                else:
                    answers.append(Answer(message))
        with self.sessions.begin() as tx:
            settle(tx, locked_order(tx, step.order_id), answers, step.at)
            if trouble is None or (isinstance(trouble, NoTimeLeft) and any(answer.settled for answer in answers)):
                return snapshot(tx, step.order_id)
        raise trouble

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


UNSENT_OR_SINCE = (
    select(Message, Contact, Customer, unread("message"))
    .select_from(Message)
    .join(Contact, and_(Contact.order_id == MINE, Contact.kind == ContactKind.CUSTOMER))
    .join(Customer, Customer.customer_id == bindparam("customer"))
    .where(
        Message.order_id == MINE,
        Message.status.in_((MessageStatus.PENDING, MessageStatus.CLAIMED)) | (Message.sent_at > bindparam("since")),
    )
    .order_by(Message.message_id)
)


def claim(
    tx: Session,
    order: Order,
    step: OrderStep,
    attempt_takes: timedelta,
    payment_deadline: timedelta,
    told_within: timedelta,
    pickups: Pickups,
) -> list[Outgoing]:
    """All pending rows of a channel become one message (or few, where texts would be too long), under a name that stays
    the same until it is sent. Texts first: all answers go on record together, and of a text that is not on record it
    can be found out whether it was sent."""
    order_id = step.order_id
    known = {"mine": order_id, "customer": order.customer_id, "since": step.at - told_within}
    found = tx.execute(UNSENT_OR_SINCE, known).all()
    if not found or found[0][3]:
        mark_read(tx, step.subject, "message")
    if not found:
        return []
    person, customer = found[0][1], found[0][2]
    for_places = [row for row, *_ in found if row.location_id and not row.sent_at]
    places, of_places = stores.places_told(tx, for_places) if for_places else ({}, [])
    found = [each for each in found if not each[0].location_id]
    rows, sent = [row for row, *_ in found if not row.sent_at], [row for row, *_ in found if row.sent_at]
    rows = rerouted(tx, order, customer, person, rows, step.at)
    rows = gathered(tx, order, rows, sent, step.at, told_within)
    say_until_when(tx, order, [row for row in rows if row.status == MessageStatus.PENDING], payment_deadline)
    fresh = set()
    for channel in Channel:
        pending = [row for row in rows if row.channel == channel and row.status == MessageStatus.PENDING]
        texts = () if channel == Channel.EMAIL else in_texts(order, person, customer.time_zone, pending, pickups)
        for part in [pending] if channel == Channel.EMAIL else texts:
            fresh |= {claimed(part)} if part else set()
    fresh |= {claimed([row]) for row in of_places if row.status == MessageStatus.PENDING}
    rows += of_places
    busy = {
        row.claimed_as: left for row in rows if row.tried_at and (left := row.tried_at + attempt_takes - wall_clock())
    }
    for row in rows:
        if busy.get(row.claimed_as, timedelta()) <= timedelta():
            row.tried_at = wall_clock()
    tx.flush()
    outgoing: dict[str, list[Message]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: row.channel != Channel.SMS):
        outgoing[str(row.claimed_as)].append(row)
    return [
        Outgoing(
            claim=name,
            channel=mine[0].channel,
            to=place.notify if place else person.email if mine[0].channel == Channel.EMAIL else person.phone,
            notice=to_place(order, place, mine, pickups)
            if place
            else notice(order, person, customer.time_zone, mine, pickups),
            fresh=name in fresh,
            busy_for=left if (left := busy.get(name, timedelta())) > timedelta() else None,
        )
        for name, mine in outgoing.items()
        for place in [places.get(mine[0].location_id or "")]
    ]


def claimed(rows: list[Message]) -> str:
    """One message carries them."""
    first = rows[0]
    name = f"{first.order_id}.{first.channel}.{first.message_id}"
    for row in rows:
        row.status, row.claimed_as = MessageStatus.CLAIMED, name
    return name


def in_texts(
    order: Order, person: Contact, time_zone: str, pending: list[Message], pickups: Pickups
) -> list[list[Message]]:
    """As few text messages as carry it all."""
    bodies: list[list[Message]] = []
    for row in pending:
        if bodies and len(sms(notice(order, person, time_zone, [*bodies[-1], row], pickups))) <= LONGEST_TEXT:
            bodies[-1].append(row)
        else:
            bodies.append([row])
    return bodies


def to_place(order: Order, place: Location, rows: list[Message], pickups: Pickups) -> Notice:
    kinds = [(row.kind, text_facts(row, order, pickups)) for row in rows]
    return Notice(order_id=order.order_id, kinds=kinds, name=place.name, locale=place.locale, currency=order.currency)


def notice(order: Order, person: Contact, time_zone: str, rows: list[Message], pickups: Pickups) -> Notice:
    return Notice(
        order_id=order.order_id,
        kinds=[(row.kind, text_facts(row, order, pickups)) for row in rows],
        name=person.name,
        locale=order.locale,
        currency=order.currency,
        time_zone=time_zone,
    )


def text_facts(row: Message, order: Order, pickups: Pickups) -> dict[str, str | int]:
    """Its facts, and what it is about unless they say so. Here alone a pickup's code comes to be, and the address of
    the customer's page: they go out, and are kept nowhere."""
    about = {"subject": row.subject} if row.subject and row.subject not in row.data.values() else {}
    facts: dict[str, str | int] = {**about, **row.data}
    if n := facts.pop("code_n", None):
        facts["code"] = pickups.codes.code(str(facts.pop("fulfillment")), int(n))
    if facts.pop("page", None):
        facts["url"] = f"{pickups.page}{order.track_token}"
    return facts


CLAIMED = (
    select(Message, WAITS)
    .where(Message.order_id == MINE, Message.claimed_as.in_(bindparam("claims", expanding=True)))
    .order_by(Message.message_id)
)


def settle(tx: Session, order: Order, answers: list[Answer], at: datetime) -> None:
    about = [news.reference("message", answer.reference) for answer in answers if answer.reference]
    claims = [answer.message.claim for answer in answers]
    known = {"mine": order.order_id, "claims": claims, "about": about}
    found = tx.execute(CLAIMED, known).all() if claims else []
    for message, reference, code in answers:
        rows = [row for row, _ in found if row.claimed_as == message.claim]
        for row in rows:
            row.tried_at = None
        if not (reference or code):
            continue
        for row in rows:
            row.status = MessageStatus.FAILED if code else MessageStatus.SENT
            row.reference, row.code, row.sent_at = reference, code, None if code else at
        refused(tx, order, [row for row in rows if not row.location_id], code)
        event = EventType.MESSAGE_FAILED if code else EventType.MESSAGE_SENT
        kinds = [row.kind for row in rows]
        note(tx, order, event, at, kinds=kinds, channel=message.channel, **({"code": code} if code else {}))
    if any(news_waits for _, news_waits in found):
        matching.matched(tx, about)
