"""How an order was paid, as those who may read it are answered."""

from datetime import datetime

from activities.views.base import Amount, View
from infra.database.tables import Payment
from infra.words import AuthorizationStatus, DisputeStatus, IntentMisfit, PaymentMethod, PaymentStatus, RefundStatus


class IntentProblem(View):
    """Why a payment intent that was given was left alone: as the order's field that it does not fit, and what to do."""

    field: str
    code: str
    message: str


class AuthorizationView(View):
    """One attempt to set money aside."""

    n: int
    status: AuthorizationStatus
    amount: Amount
    captured: Amount
    capture_before: datetime | None
    decline_code: str | None
    action_url: str | None
    """Where the customer confirms the payment (3-D Secure)."""
    client_secret: str | None
    """For the payment provider's script in the customer's browser, which confirms it; only while that is needed, and
    only to the API key that placed the order."""
    problem: IntentProblem | None = None


class RefundedUnits(View):
    line: int
    quantity: int


class RefundView(View):
    """Money asked back. `asked` of us, then `pending` at the bank."""

    refund_id: str
    amount: Amount
    status: RefundStatus
    lines: list[RefundedUnits]
    """None where only an amount was named."""


class DisputeView(View):
    """The customer's bank asks a payment back. `inquiry`: it has taken nothing; `won`: or such a one ended."""

    dispute_id: str
    """The payment provider's."""
    payment: int
    """The authorization it is about."""
    amount: Amount
    reason: str
    due_by: datetime | None
    """Until when evidence is taken."""
    answered: bool
    """The bank has our evidence."""
    status: DisputeStatus


class PaymentView(View):
    """Sums of what moved, and how."""

    method: PaymentMethod
    status: PaymentStatus
    authorized: Amount
    captured: Amount
    refunded: Amount
    voided: Amount
    disputed: Amount
    """Taken by the customer's bank, and not returned: no refund."""
    authorizations: list[AuthorizationView]
    refunds: list[RefundView]
    disputes: list[DisputeView]


AGAIN = "have another way to pay given"
MISFITS = {
    IntentMisfit.UNKNOWN: {
        "field": "payment.reference",
        "message": f"the payment provider knows no such intent in this account: {AGAIN}",
    },
    IntentMisfit.OF_ANOTHER_ORDER: {
        "field": "payment.reference",
        "message": f"its metadata name another order_id: it is left to that one; {AGAIN}",
    },
    IntentMisfit.CURRENCY: {
        "field": "currency",
        "message": f"is not the order's: cancel the intent at the provider, and {AGAIN}",
    },
    IntentMisfit.AMOUNT: {
        "field": "total",
        "message": f"is not the intent's amount: cancel the intent at the provider, and {AGAIN}",
    },
    IntentMisfit.CAPTURE_METHOD: {
        "field": "payment.reference",
        "message": "is captured by itself, and capture_method must be manual: refund or cancel it at the provider, "
        f"and {AGAIN}",
    },
    IntentMisfit.STATUS: {
        "field": "payment.reference",
        "message": f"is not authorized (requires_capture), or was captured or cancelled already: {AGAIN}",
    },
}
"""By which field of the order it was seen, and what to do."""


def authorization(payment: Payment, *, secret: bool) -> AuthorizationView:
    seen = AuthorizationView.model_validate(payment, from_attributes=True)
    code = payment.decline_code or ""
    wrong = IntentProblem(code=code, **MISFITS[IntentMisfit(code)]) if code in MISFITS else None
    return seen.model_copy(update={"problem": wrong} | ({} if secret else {"client_secret": None}))
