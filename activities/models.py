"""The nouns that cross the line between the process and its effects. Frozen, small, and free of personal data.

Everything here may end in a workflow history: ids, amounts, instants and states only.
"""

from datetime import datetime
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict

from activities.policies import Policy as Policy
from activities.policies import StepPolicy as StepPolicy
from infra.hold_kinds import DeclaredHoldKind as DeclaredHoldKind
from infra.hold_kinds import HoldKind as HoldKind
from infra.holds import Action as Action
from infra.holds import AnyHoldKind as AnyHoldKind
from infra.holds import HoldReason as HoldReason
from infra.words import Cancellation as Cancellation
from infra.words import CancelReason as CancelReason
from infra.words import ChangeKind as ChangeKind
from infra.words import FulfillmentStatus as FulfillmentStatus
from infra.words import LabelStatus as LabelStatus
from infra.words import OrderStatus as OrderStatus
from infra.words import PaymentStatus as PaymentStatus
from infra.words import Recall as Recall
from infra.words import RefundStatus as RefundStatus
from infra.words import ShippingMethod as ShippingMethod


class Value(BaseModel):
    model_config = ConfigDict(frozen=True)


class Subject(NamedTuple):
    """What an effect, a hold, an event, a deadline or a workflow is about: its kind (`order`, `customer`), its id."""

    kind: str
    id: str

    @classmethod
    def order(cls, order_id: str) -> "Subject":
        return cls("order", order_id)

    @classmethod
    def fulfillment(cls, fulfillment_id: str) -> "Subject":
        return cls("fulfillment", fulfillment_id)

    @classmethod
    def parcel(cls, fulfillment_id: str, n: int) -> "Subject":
        return cls("parcel", f"{fulfillment_id}/{n}")

    @property
    def fulfillment_id(self) -> str | None:
        """The fulfillment that it is, or is in."""
        if self.kind == "parcel":
            return self.id.rpartition("/")[0]
        return self.id if self.kind == "fulfillment" else None


CLOSED = frozenset({OrderStatus.COMPLETED, OrderStatus.CANCELLED})
CALLED_OFF = frozenset({Cancellation.ACCEPTED, Cancellation.PARTLY})
OPEN_LABELS = frozenset({LabelStatus.BUYING, LabelStatus.BOUGHT, LabelStatus.REFUND_REQUESTED})
"""Labels that are neither used nor given back."""


class ParcelSnapshot(Value):
    n: int
    label: LabelStatus = LabelStatus.NONE


class HoldSnapshot(Value):
    hold_id: str
    kind: DeclaredHoldKind
    subject: Subject


class FulfillmentSnapshot(Value):
    """Where one fulfillment stands. The higher `version` is the later one."""

    id: str
    version: int
    status: FulfillmentStatus
    method: ShippingMethod = ShippingMethod.SHIP
    amount: int = 0
    """What its units cost that no charge has paid: to be captured when it is packed."""
    released: bool = False
    recall: Recall | None = None
    since: datetime | None = None
    """When it was requested, or shipped: what its next deadline counts from."""
    capture_in_doubt: bool = False
    """Cancelled, and captured for all we know."""
    parcels: tuple[ParcelSnapshot, ...] = ()
    holds: tuple[HoldSnapshot, ...] = ()
    """The open ones about it, or a parcel of it."""

    @property
    def ended(self) -> bool:
        return self.status in ENDED

    @property
    def has_left(self) -> bool:
        return self.status in LEFT

    def awaits(self, call: str) -> bool:
        """Whether the warehouse was asked for this (`request`, `release`, `recall`) and has not answered."""
        if call == "request":
            return self.status == FulfillmentStatus.REQUESTED
        if call == "release":
            taken = self.status == FulfillmentStatus.READY_FOR_PICKUP and self.recall == Recall.REFUSED
            return taken or (self.status == FulfillmentStatus.PACKED and self.released)
        return self.recall == Recall.ASKED and not (self.has_left or self.ended)


LEFT = frozenset(
    {FulfillmentStatus.SHIPPED, FulfillmentStatus.DELIVERED, FulfillmentStatus.PICKED_UP, FulfillmentStatus.RETURNED}
)
ENDED = LEFT - {FulfillmentStatus.SHIPPED} | {FulfillmentStatus.CANCELLED}
AT_REST = frozenset({FulfillmentStatus.PACKED, FulfillmentStatus.READY_FOR_PICKUP})
"""Packed, and still there."""


class ChangeSnapshot(Value):
    """Asked over HTTP and not decided yet."""

    change_id: int
    kind: ChangeKind
    reason: CancelReason | None = None
    hold_id: str | None = None
    action: Action | None = None


class OrderSnapshot(Value):
    """Where the order as a whole stands. The higher `version` is the later one."""

    version: int
    status: OrderStatus = OrderStatus.PROCESSING
    """What it is as a rule, so that most histories need not say it."""
    payment: PaymentStatus = PaymentStatus.NONE
    was_authorized: bool = False
    """Money was set aside once, though the payment status does not tell any more."""
    paid_elsewhere: bool = False
    """Nothing to authorize or capture."""
    due_later: bool = False
    """Others take it, as it is handed over."""
    capturable: int = 0
    """What a live authorization still allows to be captured."""
    elsewhere: int = 0
    """What somebody else took at the provider, and no charge has used."""
    refunds: dict[str, RefundStatus] = {}
    """To be asked of the provider; or asked, and the bank's last word is out."""
    due: datetime | None = None
    """When the nearest of all that must happen at a time is due."""
    payment_ready: bool = False
    """A payment method that has not been tried yet."""
    unplanned: bool = False
    """Units not yet reserved, or reserved and not yet in a fulfillment."""
    waiting: bool = False
    """Units on backorder."""
    cancellation: Cancellation | None = None
    payment_open: bool = False
    """A payment that was asked for, or waits for the customer, and is not authorized."""
    telling: int = 0
    """The oldest message that the customer is still to get."""
    to_undo: bool = False
    """Cancelled, and not undone yet."""
    holds: tuple[HoldSnapshot, ...] = ()
    """The open ones that are about no fulfillment."""
    changes: tuple[ChangeSnapshot, ...] = ()

    @property
    def money_left(self) -> bool:
        """Something is, or may yet be, set aside that was not captured."""
        return self.payment_open or self.capturable > 0

    @property
    def funded(self) -> bool:
        """Money was set aside once, or is not ours to ask for."""
        return self.was_authorized or self.paid_elsewhere or self.payment in FUNDED


FUNDED = frozenset(PaymentStatus) - {
    PaymentStatus.NONE,
    PaymentStatus.DECLINED,
    PaymentStatus.ACTION_REQUIRED,
    PaymentStatus.VOIDED,
}


class Snapshot(Value):
    """Where the order stands, or the parts of it that a step has just changed."""

    order: OrderSnapshot | None = None
    fulfillments: tuple[FulfillmentSnapshot, ...] = ()
    placed_at: datetime | None = None
    policy: Policy | None = None


class Step(Value):
    """What an activity is given. `at` is the workflow's own time, at each attempt anew."""

    at: datetime

    @property
    def subject(self) -> Subject:
        """What it is about."""
        raise NotImplementedError


class OrderStep(Step):
    """One step of the order as a whole."""

    order_id: str

    @property
    def subject(self) -> Subject:
        return Subject.order(self.order_id)


class LoadStep(OrderStep):
    """What is newer than a version of the order."""

    since: int = -1


class FulfillmentStep(OrderStep):
    fulfillment_id: str

    @property
    def subject(self) -> Subject:
        return Subject.fulfillment(self.fulfillment_id)


class RefundStep(OrderStep):
    refund_id: str

    @property
    def subject(self) -> Subject:
        return Subject("refund", self.refund_id)


class ParcelStep(FulfillmentStep):
    parcel: int

    @property
    def subject(self) -> Subject:
        return Subject.parcel(self.fulfillment_id, self.parcel)


class WantedLine(Value):
    """So many units of a line; without a quantity, all that is left of it."""

    line: int
    quantity: int | None = None


class ChangeStep(OrderStep):
    """A wish to cancel: from a stored change, or straight from the web UI. `lines`: not the whole order."""

    change_id: int | None = None
    lines: tuple[WantedLine, ...] = ()
    request_id: str = ""
    reason: CancelReason = CancelReason.CUSTOMER
    by: str = ""
    why: str = ""


class HoldStep(OrderStep):
    """Opens a hold: of which kind, about what, and what is known of the cause."""

    kind: DeclaredHoldKind
    held: Subject
    code: str = ""
    advice: str = ""


class ResolveStep(OrderStep):
    """What an operator decided about a hold, by HTTP or in the web UI; without it, nobody needs to decide any more."""

    hold_id: str
    action: Action | None = None
    change_id: int | None = None
    by: str = ""
    why: str = ""


class RemarkStep(OrderStep):
    """A signal that the order does not understand, and its sender's words, made short and harmless."""

    signal: str
    words: str
