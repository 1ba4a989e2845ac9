"""What is answered to those who may read orders. Holds personal data: never goes into a workflow or a log."""

from datetime import date, datetime
from typing import Any, Literal

from activities.models import (
    CancelReason,
    FulfillmentStatus,
    LabelStatus,
    OrderStatus,
    PaymentStatus,
    Recall,
)
from activities.ports import TrackingStatus
from activities.views.base import Amount, View
from activities.views.payments import PaymentView
from activities.views.returns import ReturnView
from infra.hold_kinds import HoldKind
from infra.holds import Action, HoldReason
from infra.words import (
    BackorderPolicy,
    Cancellation,
    Channel,
    EventType,
    HandOverProof,
    MessageKind,
    MessageStatus,
    OrderFulfillment,
    ShippingMethod,
)

WishToCancel = Literal["asked"] | Cancellation


class CustomerView(View):
    """The customer as this order knows them. Empty once erased."""

    customer_id: str
    name: str
    email: str
    phone: str
    locale: str
    notify: list[str]
    unreachable: dict[str, str]
    """Channels that lead nowhere, and why: `opted_out`, `invalid` or `bounced`. The other one is used."""


class AddressView(View):
    name: str
    street1: str
    street2: str
    city: str
    state: str
    zip: str
    country: str


class DestinationView(View):
    """One recipient at one address. Corrected by its id, and alone."""

    destination: str
    address: AddressView
    lines: list[int]


class ShippingView(View):
    method: ShippingMethod
    service: str
    price: Amount
    address: AddressView | None
    location: str | None
    """Where it is to be picked up. Of a fulfillment, its own."""
    person: str | None
    """Who comes for it."""


class TaxLineView(View):
    jurisdiction: str
    rate: str
    """A decimal fraction: 0.0825 is 8.25 %."""
    amount: Amount


class LineView(View):
    """One SKU. `waiting` units are on backorder, `cancelled` ones will never be sent, of `cancelling` ones their
    warehouse has been asked."""

    line: int
    sku: str
    quantity: int
    unit_price: Amount
    tax: Amount
    tax_lines: list[TaxLineView]
    discount: Amount
    reserved: int
    shipped: int
    waiting: int
    cancelled: int
    cancelling: int
    promised_on: date | None
    ship_to: AddressView | None
    destination: str | None
    """None: handed over at the counter, with all else of the order."""
    options: dict[str, Any]


class ParcelContentView(View):
    sku: str
    quantity: int


class ParcelView(View):
    n: int
    contents: list[ParcelContentView] | None
    """None: of several parcels nobody says."""
    weight_g: int
    carrier: str | None
    service: str | None
    label: LabelStatus
    tracking: TrackingStatus
    tracking_number: str | None
    tracking_url: str | None
    tracked_at: datetime | None


class FulfilledLine(View):
    line: int
    sku: str
    quantity: int


class HandOverView(View):
    """Units that the customer was given, at one time: on which proof, and by whom."""

    n: int
    quantity: int
    proof: HandOverProof
    by: str
    note: str
    paid_as: str | None
    effective_at: datetime


class FulfillmentView(View):
    fulfillment_id: str
    status: FulfillmentStatus
    method: ShippingMethod
    location: str
    destination: str | None
    recall: Recall | None
    amount: Amount
    captured: bool
    lines: list[FulfilledLine]
    parcels: list[ParcelView]
    requested_at: datetime | None
    shipped_at: datetime | None
    delivered_at: datetime | None
    """Or picked up, all that was."""
    ready_at: datetime | None
    """To be picked up, until `pickup_until`."""
    pickup_until: datetime | None
    extended_at: datetime | None
    hand_overs: list[HandOverView]


class AnyHoldView(View):
    """What waits for a person, why, and what may be done about it (while it is open). Its kind is one of the workflow
    that it is of: of an order's where there is an `order_id`."""

    hold: str
    kind: str
    order_id: str | None
    reason: HoldReason
    subject_kind: str
    subject_id: str
    fulfillment_id: str | None
    """The fulfillment that it is about, or whose parcel."""
    code: str
    advice: str
    actions: list[Action]
    choices: dict[Action, str]
    """What each of the actions does."""
    opened_at: datetime
    closed_at: datetime | None
    closed_by: str | None
    action: Action | None
    """What was decided; none where nobody needed to decide any more."""
    why: str | None


class HoldView(AnyHoldView):
    kind: HoldKind


class MessageView(View):
    location_id: str | None
    """The place that is told; none: the customer is."""
    kind: MessageKind
    subject: str
    channel: Channel
    status: MessageStatus
    code: str | None
    due_at: datetime | None
    """Until when it waits for what other parcels do."""
    sent_at: datetime | None


class TimelineView(View):
    sequence: int
    """The order's version with this event."""
    event: EventType
    at: datetime
    """When it happened, in the order's own time."""
    recorded_at: datetime
    fulfillment_id: str | None
    data: dict[str, Any]


class SaleView(View):
    """At which till, and when. What was handed over there is the fulfillment of the method `counter`."""

    till: str
    location: str
    shift: str | None
    sold_at: datetime


class OrderView(View):
    """One order: five statuses, and the facts behind them."""

    order_id: str
    reference: str | None
    version: int
    channel: str
    currency: str
    status: OrderStatus
    payment_status: PaymentStatus
    fulfillment_status: OrderFulfillment
    placed_at: datetime
    trimmed_at: datetime | None
    """Since then its timeline and what providers were asked for are gone, and nothing can be asked of it."""
    customer: CustomerView | None
    """None: who bought over the counter, and did not say who they are."""
    lines: list[LineView]
    shipping: ShippingView
    destinations: list[DestinationView]
    tax: Amount
    tax_included: bool
    """Whether prices, shipping and discount have the tax in them."""
    discount: Amount
    total: Amount
    promised_on: date
    """By the end of which all is to be there, as it was told last."""
    first_promised_on: date
    backorder: BackorderPolicy
    payment: PaymentView
    sale: SaleView | None
    """Of what a till sold."""
    returns: list[ReturnView]
    fulfillments: list[FulfillmentView]
    holds: list[HoldView]
    cancellation: WishToCancel | None
    """What became of the wish to cancel: `asked` until the order has decided it."""
    cancel_reason: CancelReason | None
    messages: list[MessageView]
    timeline: list[TimelineView]


class OrderSummary(View):
    """One order in a list: no name, no address."""

    order_id: str
    reference: str | None
    version: int
    channel: str
    customer_id: str | None
    status: OrderStatus
    payment_status: PaymentStatus
    fulfillment_status: OrderFulfillment
    cancellation: WishToCancel | None
    attention: list[HoldReason]
    """The reasons of its open holds."""
    currency: str
    total: Amount
    lines: int
    units: int
    placed_at: datetime


class OrderPage(View):
    orders: list[OrderSummary]
    next: str | None
    """The cursor of the next page; none: this is the last one."""
