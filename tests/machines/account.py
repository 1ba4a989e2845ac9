"""One order, our tables and the sandbox's bank: what the process, a warehouse, people and banks do, an act at a time.

The activities and the adapter are the real ones, and so is what is read of the bank's events; only their order is
chosen by the test, as the engine would never let it be repeated.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import select

from activities import facts
from activities.capture import CaptureActivities
from activities.facts import cancellation_requests, effects, refund_requests
from activities.facts.journal import locked_order
from activities.facts.requests import Impossible
from activities.failures import OutcomeUnknown, ProviderFailure, Refused, Unavailable
from activities.models import (
    Action,
    CancelReason,
    ChangeStep,
    FulfillmentStep,
    HoldStep,
    LoadStep,
    OrderSnapshot,
    OrderStep,
    Policy,
    RefundStep,
    ResolveStep,
    Subject,
    WantedLine,
)
from activities.news import News
from activities.orders import OrderActivities
from activities.payment import PaymentActivities
from activities.ports import Parcel
from activities.providers.stripe.events import READERS
from activities.providers.stripe.payments import StripePayments
from activities.refund import RefundActivities
from activities.stock import StockActivities
from infra.clock import wall_clock
from infra.database.tables import Hold, Order, Payment, Refund
from infra.hold_kinds import HoldKind
from infra.sandbox.client import Mode, SandboxControl
from infra.words import NewsOutcome
from starter.webhooks.inbox import kept
from tests.fixtures_database import Database

BOX = Parcel(weight_g=800, length_mm=200, width_mm=150, height_mm=100)
MINUTE = effects.UNDER_WAY
Wanted = refund_requests.Wanted
StepT = TypeVar("StepT", bound=OrderStep)


class Trouble(NamedTuple):
    """What goes wrong with the next such call, and whether it is tried again while its key is good."""

    operation: str = ""
    mode: Mode = "error"
    soon: bool = True


CALM = Trouble()


class Account:
    def __init__(self, database: Database, sandbox: SandboxControl, stripe: StripePayments, order_id: str) -> None:
        self.database, self.sandbox, self.stripe, self.order_id = database, sandbox, stripe, order_id
        sessions = database.sessions
        self.paying, self.capturing = PaymentActivities(sessions, stripe), CaptureActivities(sessions, stripe)
        self.refunding, self.stock = RefundActivities(sessions, stripe), StockActivities(sessions)
        self.process = OrderActivities(sessions, Policy())
        self.later = timedelta()
        """How much time has passed, other than by itself."""
        self.taken: set[str] = set()
        """Events of the bank that we were told."""
        self.load()

    @property
    def at(self) -> datetime:
        return wall_clock() + self.later

    @property
    def step(self) -> OrderStep:
        return OrderStep(order_id=self.order_id, at=self.at)

    def of(self, fulfillment_id: str) -> FulfillmentStep:
        return FulfillmentStep(order_id=self.order_id, at=self.at, fulfillment_id=fulfillment_id)

    def load(self) -> None:
        """All that a run would know."""
        known = self.process.load(LoadStep(order_id=self.order_id, at=self.at))
        assert known.order
        self.order: OrderSnapshot = known.order
        self.fulfillments = {f.id: f for f in known.fulfillments}
        with self.database.sessions() as tx:
            mine = select(Payment).where(Payment.order_id == self.order_id).order_by(Payment.n)
            self.payments = list(tx.scalars(mine))
            self.refunds = list(tx.scalars(select(Refund).where(Refund.order_id == self.order_id).order_by(Refund.n)))
            open_ones = (Hold.order_id == self.order_id, Hold.closed_at.is_(None))
            self.holds = list(tx.scalars(select(Hold).where(*open_ones).order_by(Hold.hold_id)))
            row = tx.get_one(Order, self.order_id)
            self.closed, self.customer = row.status in ("completed", "cancelled"), row.buyer
        self.called_off = self.order.cancellation in ("accepted", "partly") and not self.closed
        self.events = self.sandbox.events(self.order_id)
        self.books = self.sandbox.books(self.order_id)

    # --- the process --------------------------------------------------------------------------------------------------

    def attempt(self, call: Callable[[StepT], object], step: StepT, trouble: Trouble = CALM) -> ProviderFailure | None:
        """As one attempt of the engine: what is not known, or was not taken, is tried again later. What is refused is
        a hold, as the workflow would open it."""
        effects.UNDER_WAY = MINUTE if trouble.soon else timedelta()
        fault = trouble.operation and self.sandbox.fail("stripe", trouble.operation, trouble.mode, match=self.order_id)
        try:
            call(step)
        except (OutcomeUnknown, Unavailable, Refused) as failure:
            return failure
        finally:
            effects.UNDER_WAY = MINUTE
            if fault:
                self.sandbox.mend(fault)
        return None

    def fact(self, happens: Callable[..., Any], *about: Any, **more: Any) -> Any:
        with self.database.sessions.begin() as tx:
            return happens(tx, *about, **more)

    def refund(self, refund_id: str, trouble: Trouble = CALM) -> ProviderFailure | None:
        step = RefundStep(order_id=self.order_id, at=self.at, refund_id=refund_id)
        failure = self.attempt(self.refunding.refund, step, trouble)
        if isinstance(failure, Refused):
            self.hold(HoldKind.REFUND_PAYMENT_FAILED, Subject("refund", refund_id), failure.code)
        return failure

    def hold(self, kind: HoldKind, about: Subject, code: str) -> None:
        self.process.open_hold(HoldStep(order_id=self.order_id, at=self.at, kind=kind, held=about, code=code))

    # --- goods --------------------------------------------------------------------------------------------------------

    def pack(self, fulfillment_id: str) -> None:
        self.fact(facts.fulfillments.requested, fulfillment_id, self.at)
        self.fact(facts.packing.packed, fulfillment_id, [BOX], self.at)

    def leave(self, fulfillment_id: str) -> None:
        self.fact(facts.handing_over.released, fulfillment_id, self.at)
        self.fact(facts.handing_over.handed_over, fulfillment_id, self.at)

    def arrive(self, fulfillment_id: str) -> None:
        self.fact(facts.tracking.taken_for_delivered, fulfillment_id, self.at)

    def stop(self, fulfillment_id: str, *, can: bool) -> None:
        """The warehouse is asked to stop, and answers."""
        self.fact(facts.recall.recall_asked, fulfillment_id, self.at)
        happens = facts.recall.recall_confirmed if can else facts.recall.recall_refused
        self.fact(happens, fulfillment_id, self.at)

    # --- people -------------------------------------------------------------------------------------------------------

    def cancel(self, lines: list[WantedLine] | None = None) -> bool:
        """Asked and decided; or it can't be."""
        try:
            with self.database.sessions.begin() as tx:
                order = locked_order(tx, self.order_id)
                asked = cancellation_requests.asked(tx, order, by="shop", lines=lines)
        except Impossible:
            return False
        if asked.change:
            about = {"order_id": self.order_id, "change_id": asked.change.change_id}
            self.process.decide_cancellation(ChangeStep(at=self.at, **about))
        return True

    def give_up(self) -> None:
        """No payment has come in time."""
        reason = CancelReason.PAYMENT
        self.process.decide_cancellation(
            ChangeStep(order_id=self.order_id, at=self.at, reason=reason, by="deadline", why="no payment came in time")
        )

    def ask_refund(self, wanted: Wanted) -> bool:
        try:
            with self.database.sessions.begin() as tx:
                refund_requests.asked(tx, locked_order(tx, self.order_id), wanted, by="shop")
        except Impossible:
            return False
        return True

    def give_method(self, card: str) -> None:
        self.fact(facts.placing.payment_method_given, self.order_id, f"pm_card_{card}", self.at)

    def resolve(self, hold: Hold, action: Action) -> None:
        step = ResolveStep(
            order_id=self.order_id, at=self.at, hold_id=hold.hold_id, action=action, by="operator", why="test"
        )
        self.process.resolve_hold(step)

    # --- time and news ------------------------------------------------------------------------------------------------

    def pass_time(self, duration: timedelta) -> None:
        self.later += duration
        self.sandbox.advance(self.customer, duration.total_seconds())

    @property
    def unheard(self) -> list[dict[str, Any]]:
        return [event for event in self.events if event["id"] not in self.taken]

    def hear(self, event: dict[str, Any]) -> NewsOutcome:
        """One event of the bank, as its endpoint reads it; the signature aside."""
        read = READERS.get(event["type"])
        content = read(event["data"]["object"]) if read else None
        self.taken.add(event["id"])
        if content is None:
            return NewsOutcome.IGNORED
        at = datetime.fromtimestamp(event["created"], UTC)
        outcome: NewsOutcome = self.fact(kept, "stripe", News(event["id"], event["type"], content, at), content)
        assert outcome != NewsOutcome.FINDING
        return outcome

    def hear_all(self) -> None:
        for event in self.unheard:
            self.hear(event)
