"""How an order was paid, as those who may read it are answered."""

from datetime import datetime

from activities.views.base import Amount, View
from infra.words import AuthorizationStatus, DisputeStatus, PaymentMethod, PaymentStatus, RefundStatus


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
