"""What the activities ask of a provider, whoever it is. Adapters in `providers/` implement these.

Every method makes one attempt with a timeout and raises only `failures.Refused`, `Unavailable` or `OutcomeUnknown`.
Amounts are integer minor units; instants are aware and UTC.
"""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from pydantic import BaseModel, ConfigDict, Field

from infra.words import DisputeStatus as DisputeStatus
from infra.words import RefundStatus as RefundStatus
from infra.words import TrackingStatus as TrackingStatus


class Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class PostalAddress(Value):
    """A place, and who is there."""

    name: str
    street1: str
    street2: str = ""
    city: str
    state: str = ""
    zip: str
    country: str
    """ISO 3166-1 alpha-2."""
    email: str = ""
    phone: str = ""


class IntentStatus(StrEnum):
    """Where a payment intent stands, in Stripe's order of life."""

    UNCONFIRMED = "unconfirmed"
    ACTION_REQUIRED = "action_required"
    DECLINED = "declined"
    AUTHORIZED = "authorized"
    CAPTURED = "captured"
    """Nothing is left to capture."""
    ENDED = "ended"
    """Voided, or expired, before anything was captured."""


class PaymentIntent(Value):
    """One authorization at the payment provider."""

    intent_id: str
    status: IntentStatus
    amount: int
    currency: str = ""
    """Lower case."""
    by_hand: bool = True
    """Captured when we say so, not as soon as it is authorized."""
    captured: int = 0
    """Sum of all captures so far (Stripe's `amount_received`)."""
    capturable: int = 0
    capture_before: datetime | None = None
    multicapture: bool = False
    """Whether more than one capture is possible."""
    payment_method: str | None = None
    customer: str | None = None
    """The provider's id of whose method it is."""
    reusable: bool = False
    """The method was saved with that customer, and pays again without them."""
    decline_code: str | None = None
    expired: bool = False
    """Ended by itself, and by nobody."""
    action_url: str | None = None
    """Where the customer proves who they are (3-D Secure)."""
    client_secret: str | None = Field(default=None, repr=False)
    """With which the customer's browser proves it, while it is to be proven."""
    metadata: dict[str, str] = {}
    of_others: bool = False
    """Another installation, in the same account, says that it is its own."""


class Refund(Value):
    refund_id: str
    amount: int
    status: RefundStatus
    metadata: dict[str, str] = {}


CHARGE_DISPUTED = "charge_disputed"
"""Why a provider refuses to refund what a bank disputes."""


class DisputeMove(Value):
    reference: str
    """The provider's, of its books."""
    amount: int
    """Negative: taken by the customer's bank."""


class Dispute(Value):
    """The customer's bank asks for what was taken of an intent: all that the provider has on record of it."""

    dispute_id: str
    intent_id: str
    amount: int
    reason: str
    due_by: datetime | None = None
    """Until when evidence is taken."""
    answered: bool = False
    """The bank has our evidence."""
    status: DisputeStatus
    moves: tuple[DisputeMove, ...] = ()


class Payments(Protocol):
    """Cards: authorize, capture, void, refund. `key` is the idempotency key; the same key is the same effect."""

    def create_customer(self, customer_id: str, *, key: str) -> str:
        """The provider's id for our customer (metadata `customer_id`, no contact details)."""

    def create_intent(
        self,
        *,
        amount: int,
        currency: str,
        customer: str,
        payment_method: str,
        metadata: dict[str, str],
        off_session: bool,
        key: str,
    ) -> PaymentIntent:
        """An unconfirmed intent, to be captured by hand: harmless if it is lost. On session it saves the method for
        off-session use; multicapture is asked for where the account has it. A payment method that nobody knows is a
        decline, and makes none (`intent_id` is empty)."""

    def confirm(self, intent_id: str, *, off_session: bool, key: str) -> PaymentIntent:
        """Asks the bank. A decline or a demand for 3-D Secure is an answer (`status`), not an error."""

    def intent(self, intent_id: str) -> PaymentIntent: ...

    def mark(self, intent_id: str, *, metadata: dict[str, str], key: str) -> PaymentIntent:
        """Adds to an intent's metadata, and changes nothing else of it."""

    def intents_of(self, customer: str) -> list[PaymentIntent]:
        """Every intent of this customer, newest first (consistent, unlike a search)."""

    def capture(self, intent_id: str, *, amount: int, final: bool, key: str) -> PaymentIntent:
        """Takes `amount`; `final` gives the rest of the authorization back to the customer."""

    def void(self, intent_id: str, *, key: str) -> PaymentIntent:
        """Gives back what is authorized and not captured. Safe when there is nothing left to give back."""

    def refund(self, intent_id: str, *, amount: int, metadata: dict[str, str], key: str) -> Refund:
        """`Refused` as `CHARGE_DISPUTED`: a bank has, or had for good, what was taken (`disputes`)."""

    def refund_status(self, refund_id: str) -> Refund: ...

    def refunds(self, intent_id: str) -> list[Refund]: ...

    def disputes(self, intent_id: str) -> list[Dispute]: ...


class Parcel(Value):
    weight_g: int
    length_mm: int
    width_mm: int
    height_mm: int


class Rate(Value):
    rate_id: str
    carrier: str
    """Lower case, as the tracking API wants it: `usps`."""
    service: str
    """The service level's token: `usps_priority`."""
    amount: int
    currency: str
    days: int | None = None


class LabelStatus(StrEnum):
    """Where a bought label stands at the provider."""

    QUEUED = "queued"
    BOUGHT = "bought"
    FAILED = "failed"
    REFUND_REQUESTED = "refund_requested"
    REFUNDED = "refunded"
    REFUND_REJECTED = "refund_rejected"


class Label(Value):
    label_id: str
    """Shippo's transaction."""
    rate_id: str
    status: LabelStatus
    carrier: str = ""
    tracking_number: str = ""
    tracking_url: str = ""
    label_url: str = ""
    error_code: str = ""
    advice: str = ""
    final: bool = False
    """Of a failed label: whether buying again is useless until somebody has followed the advice."""


class Tracking(Value):
    status: TrackingStatus
    occurred_at: datetime | None = None
    eta: datetime | None = None


class Labels(Protocol):
    """Rates, labels, tracking. The provider has no idempotency keys: look up before repeating."""

    def rates(self, *, origin: PostalAddress, destination: PostalAddress, parcel: Parcel, reference: str) -> list[Rate]:
        """Free and harmless to repeat. `Refused` where only a person can help: a bad address (`address`), another
        country (`customs`), a parcel that nobody takes; `Unavailable` where it is not known why there are none."""

    def buy(self, rate_id: str, *, reference: str) -> Label:
        """Buys one label, synchronously. Not safe to repeat: `labels_of(rate_id)` first. Any trouble after the request
        was sent, an answer that cannot be parsed included, is `OutcomeUnknown`."""

    def labels_of(self, rate_id: str) -> list[Label]: ...

    def label(self, label_id: str) -> Label: ...

    def refund(self, label_id: str) -> LabelStatus:
        """Asks for the money back for an unused label. The answer comes later; a second request is refused by the
        provider: `label(label_id)` first."""

    def tracking(self, carrier: str, tracking_number: str) -> Tracking: ...


class TextMessages(Protocol):
    """SMS. No idempotency keys: look up before repeating."""

    def send(self, *, to: str, body: str) -> str:
        """The provider's message id. An unreachable, invalid or unsubscribed number: `Refused`."""

    def find(self, *, to: str, body: str) -> str | None:
        """The id of a message with exactly this body to this number, if there is one."""


class Mail(Protocol):
    """Email. SMTP has no look-up: the same `message_id` twice is one message to a mail store."""

    def send(self, *, to: str, subject: str, text: str, message_id: str) -> None: ...


class WarehouseLine(Value):
    sku: str
    quantity: int


class PickedUpBy(Value):
    name: str


class WarehouseRequest(Value):
    """To be sent, or to be picked up there."""

    fulfillment_id: str
    order_id: str
    location: str
    lines: list[WarehouseLine]
    ship_to: PostalAddress | None = None
    pickup: PickedUpBy | None = None


class ReleasedParcel(Value):
    tracking_number: str
    carrier: str
    label_url: str
    contents: list[WarehouseLine] | None = None
    """None: of one parcel all, of several the warehouse did not say."""


class Warehouses(Protocol):
    """A location's warehouse system, by the name in the settings. Every call is safe to repeat with the same `key`
    (it travels as `webhook-id`, and a fulfillment known already is answered 200 and not done again)."""

    def request(self, warehouse: str, fulfillment: WarehouseRequest, *, key: str) -> None: ...

    def release(self, warehouse: str, fulfillment_id: str, parcels: list[ReleasedParcel], *, key: str) -> None: ...

    def cancel(self, warehouse: str, fulfillment_id: str, *, key: str) -> None:
        """Asks to stop. Taken is not stopped: the answer comes as a webhook (`cancelled` or `cancel_refused`)."""

    def close(self) -> None:
        """Ends its connections."""
