"""What providers and warehouses tell us, in our words: an adapter in `providers/` reads it, `facts.news` applies it.

Ids, amounts, codes and instants, and of those only what we use; never a name, an address or a text. It is kept as it
is written here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, NamedTuple, Protocol, TypeVar

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from activities.ports import Dispute, LabelStatus, Parcel, RefundStatus, TrackingStatus
from infra.words import MessageStatus, NewsOutcome

WITHOUT_MATCH = (NewsOutcome.WAITING, NewsOutcome.UNMATCHED)


class Content(BaseModel):
    """`about` is what waiting news is found by once that comes to be."""

    model_config = ConfigDict(frozen=True)

    noun: ClassVar[str]
    id_field: ClassVar[str]

    @property
    def about(self) -> str:
        return reference(self.noun, getattr(self, self.id_field))

    @property
    def likely(self) -> NewsOutcome:
        """What mostly comes of it: recorded so at first, and mended where it is otherwise."""
        return NewsOutcome.TAKEN


def reference(noun: str, id: str) -> str:
    return f"{noun} {id}"[:255]


# --- payments ---------------------------------------------------------------------------------------------------------


class PaymentNews(Content):
    noun, id_field = "intent", "intent"

    intent: str
    order: str = ""
    """That its maker named."""

    @property
    def likely(self) -> NewsOutcome:
        return NewsOutcome.UNCHANGED  # our own call was answered first


class PaymentConfirmed(PaymentNews):
    """The money is set aside: the customer has acted, or our own call has."""

    kind: Literal["payment_confirmed"] = "payment_confirmed"


class PaymentDeclined(PaymentNews):
    kind: Literal["payment_declined"] = "payment_declined"
    code: str


class PaymentEnded(PaymentNews):
    """Given back before it was taken: by somebody, or because it expired."""

    kind: Literal["payment_ended"] = "payment_ended"
    expired: bool


class PaymentTaken(PaymentNews):
    """Nothing is left to take of it."""

    kind: Literal["payment_taken"] = "payment_taken"
    captured: int


class RefundChanged(Content):
    noun, id_field = "refund", "refund"

    kind: Literal["refund_changed"] = "refund_changed"
    refund: str
    intent: str
    order: str = ""
    ours: str = ""  # the refund of ours that its maker named
    moved: bool = True  # not, where the provider books as a refund what it releases of an authorization
    amount: int
    status: RefundStatus


class PaymentDisputed(PaymentNews):
    kind: Literal["payment_disputed"] = "payment_disputed"
    dispute: Dispute


# --- parcels, messages ------------------------------------------------------------------------------------------------


class ParcelSeen(Content):
    noun, id_field = "tracking", "tracking_number"

    kind: Literal["parcel_seen"] = "parcel_seen"
    tracking_number: str
    status: TrackingStatus
    order: str | None = None
    """That the label's buyer named; None: the carrier does not say."""


class LabelChanged(Content):
    noun, id_field = "label", "label"

    kind: Literal["label_changed"] = "label_changed"
    label: str
    status: LabelStatus
    order: str | None = None


FINAL = (MessageStatus.DELIVERED, MessageStatus.UNDELIVERED, MessageStatus.FAILED, MessageStatus.READ)
"""What is not followed by another word."""


class MessageReported(Content):
    """How it ended; what came of it on its way says nothing to anybody."""

    noun, id_field = "message", "message"

    kind: Literal["message_reported"] = "message_reported"
    message: str
    status: str
    code: str | None = None


# --- warehouses -------------------------------------------------------------------------------------------------------


class FulfillmentNews(Content):
    noun, id_field = "fulfillment", "fulfillment"

    fulfillment: str
    warehouse: str
    """Who signed it: it may speak of its own locations only."""


class FulfillmentAcknowledged(FulfillmentNews):
    """Accepted, or being picked."""

    kind: Literal["fulfillment_acknowledged"] = "fulfillment_acknowledged"

    @property
    def likely(self) -> NewsOutcome:
        return NewsOutcome.UNCHANGED  # no order waits for it


class Units(BaseModel):
    model_config = ConfigDict(frozen=True)

    sku: str
    """Or a reference of the product."""
    quantity: int


class FulfillmentPacked(FulfillmentNews):
    kind: Literal["fulfillment_packed"] = "fulfillment_packed"
    parcels: tuple[Parcel, ...] = ()  # none where it is to be picked up
    contents: tuple[tuple[Units, ...], ...] = ()
    """Of each of the parcels; of none where the warehouse does not tell."""


class FulfillmentShortPicked(FulfillmentNews):
    kind: Literal["fulfillment_short_picked"] = "fulfillment_short_picked"
    missing: tuple[Units, ...]


class FulfillmentRefused(FulfillmentNews):
    kind: Literal["fulfillment_refused"] = "fulfillment_refused"
    code: str


class FulfillmentHandedOver(FulfillmentNews):
    kind: Literal["fulfillment_handed_over"] = "fulfillment_handed_over"


class FulfillmentPickedUp(FulfillmentNews):
    """By the customer, at the store."""

    kind: Literal["fulfillment_picked_up"] = "fulfillment_picked_up"
    by: str = ""  # who handed it over, by the store's own code for them
    units: tuple[Units, ...] = ()  # none: all that was left of it


class FulfillmentStopped(FulfillmentNews):
    kind: Literal["fulfillment_stopped"] = "fulfillment_stopped"


class FulfillmentNotStopped(FulfillmentNews):
    kind: Literal["fulfillment_not_stopped"] = "fulfillment_not_stopped"


class GoodsReceived(Content):
    noun, id_field = "restock", "reference"

    kind: Literal["goods_received"] = "goods_received"
    reference: str
    location: str
    warehouse: str
    lines: tuple[Units, ...]

    @property
    def likely(self) -> NewsOutcome:
        return NewsOutcome.UNCHANGED  # of what comes twice nothing is to be mended


AnyContent = Annotated[
    PaymentConfirmed
    | PaymentDeclined
    | PaymentEnded
    | PaymentTaken
    | PaymentDisputed
    | RefundChanged
    | ParcelSeen
    | LabelChanged
    | MessageReported
    | FulfillmentAcknowledged
    | FulfillmentPacked
    | FulfillmentShortPicked
    | FulfillmentRefused
    | FulfillmentHandedOver
    | FulfillmentPickedUp
    | FulfillmentStopped
    | FulfillmentNotStopped
    | GoodsReceived,
    Field(discriminator="kind"),
]
CONTENT: TypeAdapter[AnyContent] = TypeAdapter(AnyContent)


# --- how it comes -----------------------------------------------------------------------------------------------------


class Delivery(NamedTuple):
    """A webhook as it came: `headers` by their names in lower case, `path` with the query."""

    body: bytes
    headers: Mapping[str, str]
    path: str


class News(NamedTuple):
    """One piece of news, by the sender's own id for it, or by one made of what it says."""

    news_id: str
    type: str
    """The sender's own word."""
    content: AnyContent | None
    """None: nothing that we use."""
    at: datetime | None
    """By the sender's clock."""


class Sender(Protocol):
    """Who tells us, whatever way."""

    signature: str
    """The header without which nothing of the body is read."""

    def read(self, delivery: Delivery) -> News:
        """Raises `Unsigned`, told in constant time, or `Unreadable`."""


class Unsigned(Exception):
    """The signature is missing, forged or stale."""


class Unreadable(Exception):
    """Fields that are not as they should be, as pydantic names them."""

    def __init__(self, errors: Sequence[Any]) -> None:
        super().__init__()
        self.errors = errors


class Body(BaseModel):
    """What senders say is data: checked where it is used, and free to hold more than we know."""

    model_config = ConfigDict(frozen=True, extra="ignore")


M = TypeVar("M", bound=BaseModel)


def parsed(model: type[M], body: bytes | Mapping[str, Any], *within: str) -> M:
    """What of the body, or of a part of it, we use."""
    try:
        return model.model_validate_json(body) if isinstance(body, bytes) else model.model_validate(body)
    except ValidationError as error:
        found = [dict(one) | {"loc": ("body", *within, *one["loc"])} for one in error.errors(include_input=False)]
        raise Unreadable(found) from None
