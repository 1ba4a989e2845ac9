"""The composition root: settings in; workflows and activities out. The only place that builds providers' clients."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy.orm import Session, sessionmaker

from activities.capture import CaptureActivities
from activities.customer import CustomerActivities
from activities.delivery import DeliveryActivities
from activities.fulfillment import FulfillmentActivities
from activities.labels import LabelActivities
from activities.models import Policy
from activities.orders import OrderActivities
from activities.payment import PaymentActivities
from activities.pickup import PickupActivities, Pickups
from activities.pickup_codes import PickupCodes
from activities.ports import Labels, Mail, Payments, TextMessages, Warehouses
from activities.providers.mail.smtp import SmtpMail
from activities.providers.shippo.labels import ShippoLabels
from activities.providers.stripe.payments import StripePayments
from activities.providers.twilio.messages import TwilioMessages
from activities.providers.warehouse.requests import HttpWarehouses
from activities.refund import RefundActivities
from activities.stock import StockActivities
from infra.settings import Settings
from workflows.order import OrderWorkflow

WORKFLOWS: Sequence[type] = (OrderWorkflow,)
"""Every workflow that the worker registers. How the relay starts it stands in `starter/kinds`."""


class Providers:
    """The outside world, one client per vendor."""

    def __init__(
        self, payments: Payments, labels: Labels, texts: TextMessages, mail: Mail, warehouses: Warehouses
    ) -> None:
        self.payments = payments
        self.labels = labels
        self.texts = texts
        self.mail = mail
        self.warehouses = warehouses

    def close(self) -> None:
        """Ends the connections that are kept; the vendors' SDKs end theirs by themselves."""
        self.warehouses.close()


def providers(settings: Settings) -> Providers:
    timeout = settings.orders_http_timeout.total_seconds()
    return Providers(
        payments=StripePayments(
            settings.stripe_api_key.get_secret_value(), settings.stripe_api_base, timeout, settings.orders_installation
        ),
        labels=ShippoLabels(settings.shippo_api_token.get_secret_value(), settings.shippo_api_base, timeout),
        texts=TwilioMessages(
            settings.twilio_account_sid,
            settings.twilio_auth_token[0].get_secret_value(),
            settings.twilio_from,
            api_base=settings.twilio_api_base,
            timeout=timeout,
            status_callback=f"{settings.public_url}/webhooks/twilio",
        ),
        mail=SmtpMail(
            settings.smtp_url.get_secret_value(),
            settings.mail_from,
            timeout=timeout,
            without_tls=settings.mail_without_tls == "allowed",
        ),
        warehouses=HttpWarehouses(
            {name: (w.url, w.secret[0].get_secret_value()) for name, w in settings.warehouses.items()}, timeout=timeout
        ),
    )


def policy(settings: Settings) -> Policy:
    """The order's timing, as data; only what differs from the defaults travels into histories."""
    ours: dict[str, Any] = {
        "step_timeout": settings.orders_start_to_close,
        "step_patience": settings.orders_step_patience,
        "held_retry": settings.orders_held_retry,
        "payment_deadline": settings.orders_payment_deadline,
        "packing_patience": settings.orders_patience_for_packing,
        "captured_at_hand_over": settings.orders_pickup_capture == "handover",
        "continue_at_every_wait": settings.orders_continue_at_every_wait,
    }
    standard = Policy()
    return Policy(**{name: value for name, value in ours.items() if value != getattr(standard, name)})


def pickups(settings: Settings) -> Pickups:
    return Pickups(
        PickupCodes(settings.orders_pickup_key), settings.orders_pickup_window, f"{settings.public_url}/track/"
    )


def activities(
    sessions: sessionmaker[Session],
    outside: Providers,
    timing: Policy,
    *,
    settle: timedelta,
    told_within: timedelta,
    sender: str,
    call_takes: timedelta,
    pickups: Pickups,
) -> Sequence[Callable[..., Any]]:
    """Every activity that the worker registers."""
    orders = OrderActivities(sessions, timing)
    stock = StockActivities(sessions)
    payment = PaymentActivities(sessions, outside.payments, timing.payment_deadline)
    capture = CaptureActivities(sessions, outside.payments)
    refund = RefundActivities(sessions, outside.payments)
    fulfillment = FulfillmentActivities(sessions, outside.warehouses)
    labels = LabelActivities(sessions, outside.labels, settle)
    delivery = DeliveryActivities(sessions, outside.labels)
    patience = timing.payment_deadline
    customer = CustomerActivities(
        sessions, outside.texts, outside.mail, sender, call_takes, patience, told_within, pickups
    )
    pickup = PickupActivities(sessions, pickups.window)
    return [
        orders.load,
        orders.decide_cancellation,
        orders.ask_refund,
        orders.open_hold,
        orders.resolve_hold,
        orders.note_remark,
        orders.pass_deadlines,
        stock.reserve,
        stock.release,
        payment.authorize,
        payment.reauthorize,
        capture.capture,
        payment.void,
        refund.refund,
        fulfillment.request,
        pickup.ready,
        fulfillment.release,
        fulfillment.recall,
        labels.buy,
        labels.refund,
        delivery.poll,
        customer.tell,
    ]
