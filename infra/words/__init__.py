"""Our own words: what a column of states or kinds may hold. Stored as they are written here.

A word comes with its behaviour: what nothing writes has none.
"""

from infra.words.fulfillments import (
    FulfillmentStatus,
    HandOverProof,
    LabelStatus,
    Recall,
    RefusalReason,
    TrackingStatus,
)
from infra.words.messages import Channel, MessageKind, MessageStatus
from infra.words.money import (
    AuthorizationStatus,
    ChargePurpose,
    ChargeStatus,
    DisputeStatus,
    IntentMisfit,
    MoneyMoveKind,
    PaymentMethod,
    RefundStatus,
    RefundWay,
    TenderDue,
    TenderKind,
)
from infra.words.news import NewsOutcome
from infra.words.orders import (
    BackorderPolicy,
    Cancellation,
    CancelReason,
    ContactKind,
    LineCancellationStatus,
    OrderFulfillment,
    OrderStatus,
    PaymentStatus,
    ShippingMethod,
)
from infra.words.process import ChangeKind, DeadlineKind, Decision, EventType
from infra.words.stock import (
    OWN,
    BackorderStatus,
    ClaimStatus,
    Condition,
    CountLineStatus,
    CountStatus,
    LocationKind,
    ReservationStatus,
    StockMoveKind,
)

__all__ = [
    "OWN",
    "AuthorizationStatus",
    "BackorderPolicy",
    "BackorderStatus",
    "CancelReason",
    "Cancellation",
    "ChangeKind",
    "Channel",
    "ChargePurpose",
    "ChargeStatus",
    "ClaimStatus",
    "Condition",
    "ContactKind",
    "CountLineStatus",
    "CountStatus",
    "DeadlineKind",
    "Decision",
    "DisputeStatus",
    "EventType",
    "FulfillmentStatus",
    "HandOverProof",
    "IntentMisfit",
    "LabelStatus",
    "LineCancellationStatus",
    "LocationKind",
    "MessageKind",
    "MessageStatus",
    "MoneyMoveKind",
    "NewsOutcome",
    "OrderFulfillment",
    "OrderStatus",
    "PaymentMethod",
    "PaymentStatus",
    "Recall",
    "RefundStatus",
    "RefundWay",
    "RefusalReason",
    "ReservationStatus",
    "ShippingMethod",
    "StockMoveKind",
    "TenderDue",
    "TenderKind",
    "TrackingStatus",
]
