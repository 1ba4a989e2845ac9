"""The activities of an order."""

from activities.models import (
    ChangeStep,
    FulfillmentStep,
    HoldKind,
    HoldStep,
    LoadStep,
    OrderStep,
    ParcelStep,
    RefundStep,
    RemarkStep,
    ResolveStep,
    Snapshot,
)
from activities.refund_steps import AskRefundStep
from workflows.call import Call

LOAD = Call("load_order", LoadStep, Snapshot, local=True)
DECIDE = Call("decide_cancellation", ChangeStep, Snapshot, local=True)
ASK_REFUND = Call("ask_refund", AskRefundStep, Snapshot, local=True)
OPEN_HOLD = Call("open_hold", HoldStep, Snapshot, local=True)
RESOLVE_HOLD = Call("resolve_hold", ResolveStep, Snapshot, local=True)
NOTE_REMARK = Call("note_remark", RemarkStep, Snapshot, local=True)
PASS_DEADLINES = Call("pass_deadlines", OrderStep, Snapshot, local=True)
AUTHORIZE = Call("authorize_payment", OrderStep, Snapshot, fails_as=HoldKind.AUTHORIZE_FAILED)
REAUTHORIZE = Call("reauthorize_payment", FulfillmentStep, Snapshot, fails_as=HoldKind.REAUTHORIZE_FAILED)
CAPTURE = Call("capture_payment", FulfillmentStep, Snapshot, fails_as=HoldKind.CAPTURE_FAILED)
VOID = Call("void_payments", OrderStep, Snapshot, fails_as=HoldKind.VOID_FAILED)
REFUND = Call("refund_payment", RefundStep, Snapshot, fails_as=HoldKind.REFUND_PAYMENT_FAILED)
RESERVE = Call("reserve_stock", OrderStep, Snapshot, local=True)
RELEASE_STOCK = Call("release_stock", OrderStep, Snapshot, local=True)
REQUEST = Call("request_fulfillment", FulfillmentStep, Snapshot, fails_as=HoldKind.REQUEST_FAILED, brief=True)
READY = Call("ready_for_pickup", FulfillmentStep, Snapshot, local=True)
RELEASE = Call("release_fulfillment", FulfillmentStep, Snapshot, fails_as=HoldKind.RELEASE_FAILED, brief=True)
RECALL = Call("recall_fulfillment", FulfillmentStep, Snapshot, fails_as=HoldKind.RECALL_FAILED)
BUY = Call("buy_label", ParcelStep, Snapshot, fails_as=HoldKind.BUY_LABEL_FAILED)
REFUND_LABEL = Call("refund_label", ParcelStep, Snapshot, fails_as=HoldKind.REFUND_LABEL_FAILED)
POLL = Call("poll_delivery", FulfillmentStep, Snapshot, fails_as=HoldKind.POLL_FAILED)
TELL = Call("tell_customer", OrderStep, Snapshot, fails_as=HoldKind.TELL_FAILED, brief=True)

CALLS = tuple(value for value in dict(globals()).values() if isinstance(value, Call))
