"""The activities of an order."""

from activities.models import (
    ChangeStep,
    FulfillmentStep,
    HoldStep,
    LoadStep,
    OrderStep,
    ParcelStep,
    RemarkStep,
    ResolveStep,
    Snapshot,
)
from workflows.call import Call

LOAD = Call("load_order", LoadStep, Snapshot, local=True)
DECIDE = Call("decide_cancellation", ChangeStep, Snapshot, local=True)
OPEN_HOLD = Call("open_hold", HoldStep, Snapshot, local=True)
RESOLVE_HOLD = Call("resolve_hold", ResolveStep, Snapshot, local=True)
NOTE_REMARK = Call("note_remark", RemarkStep, Snapshot, local=True)
PASS_DEADLINES = Call("pass_deadlines", OrderStep, Snapshot, local=True)
AUTHORIZE = Call("authorize_payment", OrderStep, Snapshot, "authorize")
REAUTHORIZE = Call("reauthorize_payment", FulfillmentStep, Snapshot, "authorize again")
CAPTURE = Call("capture_payment", FulfillmentStep, Snapshot, "capture")
VOID = Call("void_payments", OrderStep, Snapshot, "void", skippable=True)
REFUND = Call("refund_payment", FulfillmentStep, Snapshot, "refund", skippable=True)
RESERVE = Call("reserve_stock", OrderStep, Snapshot, local=True)
RELEASE_STOCK = Call("release_stock", OrderStep, Snapshot, local=True)
REQUEST = Call("request_fulfillment", FulfillmentStep, Snapshot, "request")
RELEASE = Call("release_fulfillment", FulfillmentStep, Snapshot, "release")
RECALL = Call("recall_fulfillment", FulfillmentStep, Snapshot, "recall", skippable=True)
BUY = Call("buy_label", ParcelStep, Snapshot, "buy label")
REFUND_LABEL = Call("refund_label", ParcelStep, Snapshot, "refund label", skippable=True)
POLL = Call("poll_delivery", FulfillmentStep, Snapshot, "poll", skippable=True)
TELL = Call("tell_customer", OrderStep, Snapshot, "tell", skippable=True)

CALLS = tuple(value for value in dict(globals()).values() if isinstance(value, Call))
