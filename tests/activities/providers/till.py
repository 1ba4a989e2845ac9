"""A till: one customer's order at the card provider."""

import uuid
from dataclasses import dataclass
from typing import Self

from activities.ports import PaymentIntent
from activities.providers.stripe.payments import StripePayments
from infra.sandbox.client import SandboxControl


@dataclass
class Till:
    """Pays for one order of a customer of its own; the same step is the same key."""

    payments: StripePayments
    order_id: str
    customer_id: str
    customer: str

    @classmethod
    def open(cls, sandbox: SandboxControl) -> Self:
        payments = StripePayments("sk_test_sandbox", sandbox.stripe_base, 5.0)
        unique = uuid.uuid4().hex[:12]
        customer = payments.create_customer(f"C-{unique}", key=f"customer:C-{unique}")
        return cls(payments, f"W-{unique}", f"C-{unique}", customer)

    def key(self, step: str) -> str:
        return f"order:{self.order_id}:{step}"

    def intent(
        self,
        method: str = "pm_card_visa",
        *,
        amount: int = 4410,
        currency: str = "usd",
        off_session: bool = False,
        n: int = 1,
    ) -> PaymentIntent:
        return self.payments.create_intent(
            amount=amount,
            currency=currency,
            customer=self.customer,
            payment_method=method,
            metadata={"order_id": self.order_id},
            off_session=off_session,
            key=self.key(f"authorize:{n}"),
        )

    def authorized(self, method: str = "pm_card_visa", *, off_session: bool = False, n: int = 1) -> PaymentIntent:
        made = self.intent(method, off_session=off_session, n=n)
        return self.payments.confirm(made.intent_id, off_session=off_session, key=self.key(f"confirm:{n}"))

    def capture(self, intent: PaymentIntent, amount: int, *, final: bool = True, n: int = 1) -> PaymentIntent:
        return self.payments.capture(intent.intent_id, amount=amount, final=final, key=self.key(f"capture:{n}"))
