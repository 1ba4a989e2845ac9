"""Cards through Stripe. One attempt per call; a key that is used again is the same effect."""

import logging
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, TypeVar, cast

import stripe

from activities.failures import Refused, Unavailable
from activities.ports import Dispute, IntentStatus, PaymentIntent, Refund, RefundStatus
from activities.providers.stripe import disputes
from activities.providers.stripe.errors import PROVIDER, UNKNOWN_METHOD, translated, unknown_method
from activities.providers.stripe.events import EXPIRED, INSTALLATION

if TYPE_CHECKING:
    from stripe.params import PaymentIntentCaptureParams, PaymentIntentCreateParams

CONNECT_TIMEOUT = 5.0
STATUS = {
    "requires_payment_method": IntentStatus.UNCONFIRMED,
    "requires_confirmation": IntentStatus.UNCONFIRMED,
    "requires_action": IntentStatus.ACTION_REQUIRED,
    "requires_capture": IntentStatus.AUTHORIZED,
    "succeeded": IntentStatus.CAPTURED,
    "canceled": IntentStatus.ENDED,
}
REFUND_STATUS = {
    "pending": RefundStatus.PENDING,
    "requires_action": RefundStatus.PENDING,
    "succeeded": RefundStatus.SUCCEEDED,
}
UNEXPECTED_STATE = "payment_intent_unexpected_state"
WITH_CHARGE = ["latest_charge"]

Result = TypeVar("Result")


class StripePayments:
    """`Payments` over the vendor's SDK, for threads to share. `timeout` (seconds) is for the answer of one call."""

    def __init__(self, api_key: str, api_base: str | None, timeout: float, installation: str = "orders") -> None:
        # The SDK logs messages of errors, which may name a person, at INFO.
        logging.getLogger("stripe").disabled = True
        self._installation = installation
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base} if api_base else {},
            max_network_retries=0,
            http_client=stripe.RequestsClient(timeout=(CONNECT_TIMEOUT, timeout)),
        )

    def create_customer(self, customer_id: str, *, key: str) -> str:
        about = self._marked({"customer_id": customer_id})
        made = _effect(lambda: self._client.v1.customers.create({"metadata": about}, self._key(key)))
        return made.id

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
        asked: PaymentIntentCreateParams = {
            "amount": amount,
            "currency": currency,
            "customer": customer,
            "payment_method": payment_method,
            "capture_method": "manual",
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
            "payment_method_options": {"card": {"request_multicapture": "if_available"}},
            "metadata": self._marked(metadata),
            "expand": WITH_CHARGE,
        }
        if not off_session:
            asked["setup_future_usage"] = "off_session"
        try:
            made = self._client.v1.payment_intents.create(asked, self._key(key))
        except stripe.InvalidRequestError as refused:
            if unknown_method(refused):
                return _nothing_made(amount)
            raise translated(refused, effect=True) from None
        except Exception as trouble:
            raise translated(trouble, effect=True) from None
        return self._intent(made.to_dict())

    def confirm(self, intent_id: str, *, off_session: bool, key: str) -> PaymentIntent:
        try:
            asked = self._client.v1.payment_intents.confirm(
                intent_id, {"off_session": off_session, "expand": WITH_CHARGE}, self._key(key)
            )
        except stripe.CardError as declined:
            return self._declined(declined)
        except stripe.InvalidRequestError as refused:
            # Confirmed by an earlier call whose answer was lost, or by the customer: the intent says how it went.
            if refused.code == UNEXPECTED_STATE:
                return self.intent(intent_id)
            if unknown_method(refused):
                unknown = {"status": IntentStatus.DECLINED, "decline_code": UNKNOWN_METHOD}
                return self.intent(intent_id).model_copy(update=unknown)
            raise translated(refused, effect=True) from None
        except Exception as trouble:
            raise translated(trouble, effect=True) from None
        return self._intent(asked.to_dict())

    def intent(self, intent_id: str) -> PaymentIntent:
        found = _look(lambda: self._client.v1.payment_intents.retrieve(intent_id, {"expand": WITH_CHARGE}))
        return self._intent(found.to_dict())

    def mark(self, intent_id: str, *, metadata: dict[str, str], key: str) -> PaymentIntent:
        marked = _effect(
            lambda: self._client.v1.payment_intents.update(
                intent_id, {"metadata": self._marked(metadata), "expand": WITH_CHARGE}, self._key(key)
            )
        )
        return self._intent(marked.to_dict())

    def intents_of(self, customer: str) -> list[PaymentIntent]:
        def every() -> list[stripe.PaymentIntent]:
            first = self._client.v1.payment_intents.list(
                {"customer": customer, "limit": 100, "expand": ["data.latest_charge"]}
            )
            return list(first.auto_paging_iter())

        found = [self._intent(each.to_dict()) for each in _look(every)]
        return [intent for intent in found if not intent.of_others]

    def capture(self, intent_id: str, *, amount: int, final: bool, key: str) -> PaymentIntent:
        asked: PaymentIntentCaptureParams = {"amount_to_capture": amount, "expand": WITH_CHARGE}
        if not final:
            # May be named only where multicapture is available; left out it is true.
            asked["final_capture"] = False
        taken = _effect(lambda: self._client.v1.payment_intents.capture(intent_id, asked, self._key(key)))
        return self._intent(taken.to_dict())

    def void(self, intent_id: str, *, key: str) -> PaymentIntent:
        before = self.intent(intent_id)
        if before.status in (IntentStatus.CAPTURED, IntentStatus.ENDED):
            return before
        try:
            return self._release_rest(intent_id, key) if before.captured else self._cancel(intent_id, key)
        except Refused as refused:
            if refused.code != UNEXPECTED_STATE:
                raise
        after = self.intent(intent_id)
        if after.status in (IntentStatus.CAPTURED, IntentStatus.ENDED):
            return after
        raise Unavailable(PROVIDER, "changed_meanwhile", f"{intent_id} was captured in part just now: try again")

    def _cancel(self, intent_id: str, key: str) -> PaymentIntent:
        ended = _effect(
            lambda: self._client.v1.payment_intents.cancel(intent_id, {"expand": WITH_CHARGE}, self._key(key))
        )
        return self._intent(ended.to_dict())

    def _release_rest(self, intent_id: str, key: str) -> PaymentIntent:
        """Stripe's way to give back what is left of a hold that was captured in part: capture nothing, finally."""
        ended = _effect(
            lambda: self._client.v1.payment_intents.capture(
                intent_id,
                {"amount_to_capture": 0, "final_capture": True, "expand": WITH_CHARGE},
                self._key(f"{key}:rest"),
            )
        )
        return self._intent(ended.to_dict())

    def refund(self, intent_id: str, *, amount: int, metadata: dict[str, str], key: str) -> Refund:
        made = _effect(
            lambda: self._client.v1.refunds.create(
                {"payment_intent": intent_id, "amount": amount, "metadata": self._marked(metadata)}, self._key(key)
            )
        )
        return _refund(made.to_dict())

    def refund_status(self, refund_id: str) -> Refund:
        return _refund(_look(lambda: self._client.v1.refunds.retrieve(refund_id)).to_dict())

    def refunds(self, intent_id: str) -> list[Refund]:
        def every() -> list[stripe.Refund]:
            return list(self._client.v1.refunds.list({"payment_intent": intent_id, "limit": 100}).auto_paging_iter())

        found = [each.to_dict() for each in _look(every)]
        return [_refund(each) for each in found if not (_released(each) or self._of_others(each))]

    def disputes(self, intent_id: str) -> list[Dispute]:
        def every() -> list[stripe.Dispute]:
            return list(self._client.v1.disputes.list({"payment_intent": intent_id, "limit": 100}).auto_paging_iter())

        return [disputes.read(disputes.DisputeObject.model_validate(each.to_dict())) for each in _look(every)]

    # --- whose it is -------------------------------------------------------------------------------------------------

    def _key(self, key: str) -> stripe.RequestOptions:
        """Others may use the same account, and ids like ours."""
        return {"idempotency_key": f"{self._installation}:{key}"}

    def _marked(self, metadata: dict[str, str]) -> dict[str, str]:
        return metadata | {INSTALLATION: self._installation}

    def _of_others(self, found: dict[str, Any]) -> bool:
        return bool((found["metadata"] or {}).get(INSTALLATION, self._installation) != self._installation)

    def _intent(self, found: dict[str, Any]) -> PaymentIntent:
        return _intent(found).model_copy(update={"of_others": self._of_others(found)})

    def _declined(self, declined: stripe.CardError) -> PaymentIntent:
        """What the bank refused: the error carries the intent as it is now, with the error in it."""
        body = cast("dict[str, Any]", declined.json_body)["error"]
        return self._intent({**body["payment_intent"], "last_payment_error": body})


def _effect(call: Callable[[], Result]) -> Result:
    try:
        return call()
    except Exception as trouble:
        raise translated(trouble, effect=True) from None


def _look(call: Callable[[], Result]) -> Result:
    try:
        return call()
    except Exception as trouble:
        raise translated(trouble, effect=False) from None


def _intent(found: dict[str, Any]) -> PaymentIntent:
    error = found.get("last_payment_error") or {}
    charge: Any = found["latest_charge"]
    card: dict[str, Any] = (
        charge["payment_method_details"]["card"] if isinstance(charge, dict) and charge["paid"] else {}
    )
    status = STATUS.get(found["status"])
    if status is None:
        raise Unavailable(PROVIDER, "unknown_status", f"look at {found['id']} in Stripe's dashboard")
    if found["status"] == "requires_payment_method" and error:
        status = _refusal(error)
    before = card.get("capture_before") if status is IntentStatus.AUTHORIZED else None
    return PaymentIntent(
        intent_id=found["id"],
        status=status,
        amount=found["amount"],
        currency=found["currency"],
        by_hand=found["capture_method"] == "manual",
        captured=found["amount_received"],
        capturable=found["amount_capturable"],
        capture_before=datetime.fromtimestamp(before, UTC) if before else None,
        multicapture=(card.get("multicapture") or {}).get("status") == "available",
        payment_method=_id(found.get("payment_method") or error.get("payment_method")),
        customer=_id(found.get("customer")),
        reusable=found.get("setup_future_usage") == "off_session" and found.get("customer") is not None,
        decline_code=error.get("decline_code") or error.get("code"),
        expired=found.get("cancellation_reason") == EXPIRED,
        action_url=_action_url(found.get("next_action") or {}),
        client_secret=found.get("client_secret") if status is IntentStatus.ACTION_REQUIRED else None,
        metadata=_marks(found),
    )


def _nothing_made(amount: int) -> PaymentIntent:
    return PaymentIntent(intent_id="", status=IntentStatus.DECLINED, amount=amount, decline_code=UNKNOWN_METHOD)


def _refusal(error: dict[str, Any]) -> IntentStatus:
    asks = error.get("code") == "authentication_required"
    return IntentStatus.ACTION_REQUIRED if asks else IntentStatus.DECLINED


def _action_url(action: dict[str, Any]) -> str | None:
    """Where the customer goes: the redirect's address, or what Stripe.js would open (without a return_url)."""
    url = (action.get("redirect_to_url") or {}).get("url") or (action.get("use_stripe_sdk") or {}).get("stripe_js")
    return url if isinstance(url, str) else None


def _refund(found: dict[str, Any]) -> Refund:
    return Refund(
        refund_id=found["id"],
        amount=found["amount"],
        status=REFUND_STATUS.get(found["status"], RefundStatus.FAILED),
        metadata=_marks(found),
    )


def _released(found: dict[str, Any]) -> bool:
    """Whether this is what Stripe gave back of a hold: it books that as a refund too, but no money of ours moved."""
    return found["status"] == "succeeded" and found.get("balance_transaction") is None


def _id(value: Any) -> str | None:
    found = value.get("id") if isinstance(value, dict) else value
    return found if isinstance(found, str) else None


def _marks(found: dict[str, Any]) -> dict[str, str]:
    """What its maker wrote, without whose it is."""
    return {name: value for name, value in (found["metadata"] or {}).items() if name != INSTALLATION}
