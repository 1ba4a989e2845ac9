"""Why something waits for a person: each kind of hold, declared once. The runbook's table is held equal to orders'."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BeforeValidator

from infra.holds import DECLARED, Action, AnyHoldKind, HoldReason

DeclaredHoldKind = Annotated[AnyHoldKind, BeforeValidator(lambda word: DECLARED.get(word, word))]
"""Of a field: any workflow's kind, read from its word."""

AT_ONCE = "tries at once"
WRITES_OFF = "writes off what has left and is not paid; where nothing has, it is refused"
END = "ends the whole order: warehouses are asked to stop what has not left, and stock, money and labels go back"
STOP = (
    "cancels what is in this fulfillment, and the order where nothing else of it is left: the warehouse is asked to "
    "stop it, and its stock, money and label go back"
)
STOP_OR_END = f"of a fulfillment: {STOP}; of the order: {END}"
SEEN_TO = "you have seen to it: nothing else changes"
SEE_LOG = "See the worker's log for this order, mend the cause, then retry."

FORWARD: Mapping[Action, str] = {Action.RETRY: AT_ONCE, Action.CANCEL: END}
"""Of a step of the order on the way forward."""
OF_PART: Mapping[Action, str] = {Action.RETRY: AT_ONCE, Action.CANCEL: STOP}
"""The same of a step of one fulfillment."""


def undoing(skip: str) -> Mapping[Action, str]:
    return {Action.RETRY: AT_ONCE, Action.SKIP: skip}


class HoldKind(AnyHoldKind):
    """Of an order, about itself, a fulfillment, a parcel …"""

    # --- a step fails for good, or goes well and changes nothing: named after its activity ---------------------------

    AUTHORIZE_FAILED = "authorize_payment_failed", HoldReason.STEP_FAILED, SEE_LOG, FORWARD, True
    REAUTHORIZE_FAILED = "reauthorize_payment_failed", HoldReason.STEP_FAILED, SEE_LOG, OF_PART, True
    CAPTURE_FAILED = "capture_payment_failed", HoldReason.STEP_FAILED, SEE_LOG, OF_PART, True
    REQUEST_FAILED = "request_fulfillment_failed", HoldReason.STEP_FAILED, SEE_LOG, OF_PART, True
    BUY_LABEL_FAILED = "buy_label_failed", HoldReason.STEP_FAILED, SEE_LOG, OF_PART, True
    RELEASE_FAILED = "release_fulfillment_failed", HoldReason.STEP_FAILED, SEE_LOG, OF_PART, True
    VOID_FAILED = (
        "void_payments_failed",
        HoldReason.STEP_FAILED,
        SEE_LOG,
        undoing("leaves what is set aside to lapse at the bank"),
    )
    REFUND_PAYMENT_FAILED = (
        "refund_payment_failed",
        HoldReason.STEP_FAILED,
        SEE_LOG,
        undoing("you have paid the customer another way: nothing more is given back"),
    )
    RECALL_FAILED = (
        "recall_fulfillment_failed",
        HoldReason.STEP_FAILED,
        SEE_LOG,
        undoing("the warehouse has stopped it: its units are back on the shelf"),
    )
    REFUND_LABEL_FAILED = (
        "refund_label_failed",
        HoldReason.STEP_FAILED,
        SEE_LOG,
        undoing("accepts the loss of the label's price"),
    )
    POLL_FAILED = (
        "poll_delivery_failed",
        HoldReason.STEP_FAILED,
        SEE_LOG,
        undoing("asks the carrier when it is next due"),
    )
    TELL_FAILED = (
        "tell_customer_failed",
        HoldReason.STEP_FAILED,
        SEE_LOG,
        undoing("gives up what the customer was still to be told"),
    )
    NO_PROGRESS = (
        "no_progress",
        HoldReason.NO_PROGRESS,
        "The step goes well and changes nothing: see what the provider has on record for this order, mend it there, "
        "then retry.",
        {Action.RETRY: AT_ONCE, Action.CANCEL: STOP_OR_END},
        True,
    )

    # --- money --------------------------------------------------------------------------------------------------------

    PAYMENT_NEEDS_CUSTOMER = (
        "payment_needs_customer",
        HoldReason.PAYMENT_ACTION,
        "The new authorization needs the customer: have another payment method given, retry, or cancel.",
        {Action.RETRY: "asks for the last good payment method again", Action.SKIP: WRITES_OFF, Action.CANCEL: END},
        True,
    )
    PAYMENT_METHOD_NEEDED = (
        "payment_method_needed",
        HoldReason.PAYMENT_ACTION,
        "The payment method cannot be charged again: it was given for one payment only, or the bank refuses it for "
        "good. Have another given, or cancel.",
        {Action.SKIP: WRITES_OFF, Action.CANCEL: END},
        True,
    )
    REST_TOO_SMALL = (
        "rest_too_small",
        HoldReason.PAYMENT_ACTION,
        "What is left to pay is less than the provider takes: skip it, or cancel.",
        {Action.RETRY: AT_ONCE, Action.SKIP: "gives up what is left to pay: the goods go on", Action.CANCEL: END},
        True,
    )
    ENDED_ELSEWHERE = (
        "ended_elsewhere",
        HoldReason.PAYMENT_ACTION,
        "Somebody has ended this authorization at the payment provider: ask them why. Then retry, have another payment "
        "method given, or cancel.",
        {Action.RETRY: "asks for the last good payment method again", Action.SKIP: WRITES_OFF, Action.CANCEL: END},
        True,
    )
    CAPTURED_UNKNOWN = (
        "captured_unknown",
        HoldReason.RECONCILIATION,
        "The payment provider took more than all units of this order cost: refund it there, then skip.",
        {Action.SKIP: SEEN_TO},
    )
    REFUND_FAILED = (
        "refund_failed",
        HoldReason.RECONCILIATION,
        "The bank gave the refund back: retry, or pay the customer another way, and say done.",
        {Action.RETRY: "asks for another refund of the same", Action.DONE: "you have paid the customer another way"},
    )
    EXTERNAL_REFUND = (
        "external_refund",
        HoldReason.RECONCILIATION,
        "Money is owed back that was paid elsewhere: pay it back there, then say done.",
        {Action.DONE: "you have paid it back", Action.SKIP: "it is not paid back: nothing is owed any more"},
    )
    REFUNDED_AFTER_ALL = (
        "refunded_after_all",
        HoldReason.RECONCILIATION,
        "The bank has paid a refund that was given up: the customer may have it twice. Settle it with them, then skip.",
        {Action.SKIP: SEEN_TO},
    )
    DISPUTE = (
        "dispute",
        HoldReason.DISPUTE,
        "The customer disputes the charge: answer it at the payment provider, then skip; or cancel the rest.",
        {Action.SKIP: "you have answered it: the payment stays disputed until the bank decides", Action.CANCEL: END},
    )
    PAID_BACK_TWICE = (
        "paid_back_twice",
        HoldReason.RECONCILIATION,
        "The bank took a disputed payment back that had been refunded: ask the payment provider for what went back "
        "twice, or write it off, then skip.",
        {Action.SKIP: SEEN_TO},
    )

    # --- goods --------------------------------------------------------------------------------------------------------

    FULFILLMENT_REFUSED = (
        "fulfillment_refused",
        HoldReason.WAREHOUSE,
        "The warehouse refused this fulfillment: retry when it can do it, have it planned elsewhere, or cancel it.",
        {
            Action.RETRY: "sends the same request again",
            Action.REPLAN: "its units are reserved anew, not at this place: at another one, or they wait for stock",
            Action.CANCEL: STOP,
        },
        True,
    )
    PACKED_OTHERWISE = (
        "packed_otherwise",
        HoldReason.WAREHOUSE,
        "The warehouse packed other units than it was asked for, or more: have it pack anew, or cancel. Skip where the "
        "parcels may leave as they are.",
        {
            Action.SKIP: "the parcels go as they are: the units that were asked for count as sent",
            Action.CANCEL: STOP,
        },
        True,
    )
    REQUEST_UNANSWERED = (
        "request_unanswered",
        HoldReason.WAREHOUSE,
        "The warehouse does not say that it has packed: ask it.",
        {
            Action.RETRY: "sends the same request again, which is safe",
            Action.REPLAN: "asks it to stop, and then reserves its units anew, not at this place",
            Action.CANCEL: STOP,
        },
    )
    RELEASE_UNANSWERED = (
        "release_unanswered",
        HoldReason.WAREHOUSE,
        "The warehouse has the labels and does not say that it has handed over: ask it.",
        {Action.RETRY: "sends the labels again, which is safe", Action.CANCEL: STOP},
    )
    RECALL_UNANSWERED = (
        "recall_unanswered",
        HoldReason.WAREHOUSE,
        "The warehouse does not say whether it has stopped the fulfillment: ask it.",
        {Action.RETRY: "asks it once more to stop"},
    )
    NOT_RELEASED = (
        "not_released",
        HoldReason.WAREHOUSE,
        "The warehouse handed over what was not released: see what it is worth, then skip.",
        {Action.SKIP: "what no carrier tells of counts as delivered"},
    )
    LEFT_THOUGH_CANCELLED = (
        "left_though_cancelled",
        HoldReason.WAREHOUSE,
        "The warehouse handed over what was cancelled and given back: get it back or charge for it, correct the "
        "stock, then skip.",
        {Action.SKIP: SEEN_TO},
    )
    SHORT_AFTER_LEAVING = (
        "short_after_leaving",
        HoldReason.WAREHOUSE,
        "Units are told missing of what has left: refund them, correct the stock, tell the customer, then skip.",
        {Action.SKIP: SEEN_TO},
    )
    DELIVERY_FAILED = (
        "delivery_failed",
        HoldReason.DELIVERY,
        "The parcel comes back, or is lost: speak to the carrier and the customer; correct the address, where that was "
        "the reason. Then have it sent again or paid back; or skip.",
        {
            Action.RESHIP: "sends its units again; those that came back are on the shelf, lost ones written off",
            Action.REFUND: "cancels its units and pays them back; on the shelf, or written off, as with reship",
            Action.SKIP: "closes the fulfillment as returned: its units, and the money for them, stay as they are",
        },
    )
    LABEL_REFUND_REJECTED = (
        "label_refund_rejected",
        HoldReason.LABEL_REFUND,
        "The carrier keeps the label's price: settle it with the carrier, or skip.",
        {Action.SKIP: "accepts the loss of the label's price"},
    )

    LABEL_REFUNDED_ELSEWHERE = (
        "label_refunded_elsewhere",
        HoldReason.LABEL_REFUND,
        "Somebody gave this label back at the shipping provider, and the warehouse has it: give it another that was "
        "bought there, then skip; or cancel.",
        {Action.SKIP: SEEN_TO, Action.CANCEL: STOP},
    )
    BACKORDER_OVERDUE = (
        "backorder_overdue",
        HoldReason.BACKORDER_OVERDUE,
        "Units have not come for long after they were promised: ask who supplies them.",
        {
            Action.RETRY: "waits on, with new patience",
            Action.SKIP: "cancels what is waited for: the rest goes on",
            Action.CANCEL: END,
        },
        True,
    )

    # --- people -------------------------------------------------------------------------------------------------------

    STOPPED = (
        "stopped",
        HoldReason.OPERATOR,
        "Somebody stopped it before its next step.",
        {Action.RETRY: "goes on", Action.CANCEL: STOP_OR_END},
        True,
    )
