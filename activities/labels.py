"""Labels at the shipping provider, which has no idempotency keys: looked up before anything is repeated."""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity

from activities import news
from activities.facts import effects, fulfillments, labels
from activities.facts.journal import outcome_known
from activities.facts.news import matching
from activities.facts.waiting import WAITS
from activities.failures import OutcomeUnknown, Refused, Unavailable
from activities.fulfillment import postal
from activities.models import FulfillmentStatus, LabelStatus, ParcelStep, Snapshot, Value
from activities.ports import Label, Labels, Parcel, PostalAddress, Rate
from activities.ports import LabelStatus as Answer
from activities.views.snapshot import of_fulfillment, snapshot
from infra.clock import wall_clock
from infra.database.tables import Contact, Location

NOT_OFFERED = (
    "No carrier offers the order's service for this parcel. It is tried again by itself; choose another service to go "
    "on at once, or cancel."
)
GIVEN_BACK = {
    Answer.REFUND_REQUESTED: LabelStatus.REFUND_REQUESTED,
    Answer.REFUNDED: LabelStatus.REFUNDED,
    Answer.REFUND_REJECTED: LabelStatus.REFUND_REJECTED,
}
"""What answers say of a label's money. The others say nothing: a provider may be slow to show what it was asked."""


class LabelActivities:
    def __init__(self, sessions: sessionmaker[Session], labels: Labels, settle: timedelta) -> None:
        self.sessions = sessions
        self.labels = labels
        self.settle = settle
        """How long a purchase whose outcome is unknown may still be running at the carrier."""

    @activity.defn(name="buy_label", no_thread_cancel_exception=True)
    def buy(self, step: ParcelStep) -> Snapshot:
        """Picks the service by the order's rule and buys the label, once. After a lost answer it waits until the
        carrier has settled, and looks. Undone by `refund_label`."""
        asked = self.asked(step)
        if asked is None:
            self.adopt_lost(step)
            asked = self.asked(step)
        if asked is None:
            with self.sessions.begin() as tx:
                return of_fulfillment(tx, step.fulfillment_id)
        rate = self.rate(step, asked)
        with self.sessions.begin() as tx:
            if not wanted(tx, step):
                return of_fulfillment(tx, step.fulfillment_id)
            if shipment(tx, step) != asked:
                raise Unavailable("labels", "changed_meanwhile", "The address or the parcel has changed: priced anew.")
            labels.buying(tx, step.fulfillment_id, step.parcel, rate, step.at)
            effect = effects.begin(tx, step.order_id, label_step(step), rate=rate.rate_id)
        try:
            label = self.bought(step, rate)
        except (Refused, Unavailable):
            with self.sessions.begin() as tx:
                labels.not_bought(tx, step.fulfillment_id, step.parcel)
                effects.finish(tx, effect, "failed")
            raise
        with self.sessions.begin() as tx:
            ours(tx, step, label)
            effects.finish(tx, effect)
            return of_fulfillment(tx, step.fulfillment_id)

    @activity.defn(name="refund_label", no_thread_cancel_exception=True)
    def refund(self, step: ParcelStep) -> Snapshot:
        """Asks the money back for a label that will not be used, once; asked again it fetches the carrier's answer."""
        self.adopt_lost(step)
        with self.sessions.begin() as tx:
            fulfillments.locked(tx, step.fulfillment_id)
            parcel = labels.parcel_of(tx, step.fulfillment_id, step.parcel)
            label_id, asked_for = str(parcel.label_id), parcel.label_status == LabelStatus.REFUND_REQUESTED
            if not asked_for and parcel.label_status != LabelStatus.BOUGHT:
                outcome_known(tx, step.order_id, f"refund-{label_step(step)}")
                return snapshot(tx, step.order_id, [step.fulfillment_id])
            effect = (
                None if asked_for else effects.begin(tx, step.order_id, f"refund-{label_step(step)}", label=label_id)
            )
        answer = self.labels.label(label_id).status
        if effect and answer == Answer.BOUGHT:
            answer = self.labels.refund(label_id)
        seen = GIVEN_BACK.get(answer)
        if effect and not seen:
            raise Unavailable("labels", f"label_{answer}", "The provider does not say that it has it: see there.")
        with self.sessions.begin() as tx:
            if seen:
                labels.refund_seen(tx, labels.parcel_of(tx, step.fulfillment_id, step.parcel), seen, step.at)
            if effect:
                effects.finish(tx, effect)
            return snapshot(tx, step.order_id, [step.fulfillment_id])

    # --- steps of the above ------------------------------------------------------------------------------------------

    def asked(self, step: ParcelStep) -> "Shipment | None":
        """None: it has a label, or may have one, or needs none."""
        with self.sessions.begin() as tx:
            return shipment(tx, step) if wanted(tx, step) else None

    def rate(self, step: ParcelStep, asked: "Shipment") -> Rate:
        """Fresh rates for every purchase: free to ask, and they know a corrected address. The effect keeps one."""
        rates = self.labels.rates(
            origin=asked.origin, destination=asked.destination, parcel=asked.size, reference=reference(step)
        )
        return chosen(rates, asked.rule)

    def bought(self, step: ParcelStep, rate: Rate) -> Label:
        """Buys, and never twice: a purchase that is not answered stays under way, and one that failed is looked up
        before there can be another."""
        label = self.labels.buy(rate.rate_id, reference=reference(step))
        if label.status == Answer.FAILED:
            try:
                label = self.made(rate.rate_id) or label
            except (Refused, Unavailable) as trouble:
                raise OutcomeUnknown("labels", trouble.code, trouble.advice) from None
        if label.status == Answer.QUEUED:
            raise OutcomeUnknown("labels", "queued", "The carrier still works on it.")
        if label.status == Answer.FAILED:
            raise (Refused if label.final else Unavailable)("labels", label.error_code, label.advice)
        return label

    def made(self, rate_id: str) -> Label | None:
        """The label of this rate that exists, or is being made."""
        return next((found for found in self.labels.labels_of(rate_id) if found.status != Answer.FAILED), None)

    def adopt_lost(self, step: ParcelStep) -> None:
        """A purchase whose answer was lost is looked up once the carrier must have settled it: the label is ours, or
        nothing happened."""
        with self.sessions.begin() as tx:
            fulfillments.locked(tx, step.fulfillment_id)
            parcel = labels.known_parcel(tx, step.fulfillment_id, step.parcel)
            if parcel is None or parcel.label_status != LabelStatus.BUYING:
                return
            effect = effects.begin(tx, step.order_id, label_step(step))
        left = effect.last_called_at + self.settle - wall_clock()
        if left > timedelta():
            raise OutcomeUnknown("labels", "settling", "Waiting for the carrier before looking.", retry_in=left)
        made = self.made(effect.parameters["rate"])
        if made and made.status == Answer.QUEUED:
            raise OutcomeUnknown("labels", "queued", "The carrier still works on it.")
        with self.sessions.begin() as tx:
            if made:
                ours(tx, step, made)
            else:
                labels.not_bought(tx, step.fulfillment_id, step.parcel)
            effects.finish(tx, effect, "done" if made else "nothing_happened")


NEWS_WAITS = select(WAITS)


def ours(tx: Session, step: ParcelStep, label: Label) -> None:
    """It is on record from now on; its carrier may have been quicker."""
    about = [news.reference("label", label.label_id), news.reference("tracking", label.tracking_number)]
    if labels.bought(tx, step.fulfillment_id, step.parcel, label, step.at) and tx.scalar(NEWS_WAITS, {"about": about}):
        matching.matched(tx, about)


class Shipment(Value):
    """What a carrier must know to name its price."""

    origin: PostalAddress
    destination: PostalAddress
    size: Parcel
    rule: str


def wanted(tx: Session, step: ParcelStep) -> bool:
    _, f = fulfillments.locked(tx, step.fulfillment_id)
    parcel = labels.known_parcel(tx, step.fulfillment_id, step.parcel)
    without = parcel is not None and parcel.label_status == LabelStatus.NONE
    return without and f.status == FulfillmentStatus.PACKED


def shipment(tx: Session, step: ParcelStep) -> Shipment:
    order, f = fulfillments.locked(tx, step.fulfillment_id)
    parcel = labels.parcel_of(tx, step.fulfillment_id, step.parcel)
    return Shipment(
        origin=PostalAddress.model_validate(tx.get_one(Location, f.location_id).address),
        destination=postal(tx.get_one(Contact, f.contact_id)),
        size=Parcel.model_validate({field: getattr(parcel, field) for field in Parcel.model_fields}),
        rule=order.service,
    )


def label_step(step: ParcelStep) -> str:
    return f"label:{step.fulfillment_id}/{step.parcel}"


def reference(step: ParcelStep) -> str:
    return f"{step.order_id} {step.fulfillment_id}/{step.parcel}"[:100]


def chosen(rates: list[Rate], rule: str) -> Rate:
    """`cheapest`, `fastest`, or the named service. That nobody offers it may be its carrier's hiccup."""
    if rule == "cheapest":
        return min(rates, key=lambda r: (r.amount, r.days or 99, r.rate_id))
    if rule == "fastest":
        return min(rates, key=lambda r: (r.days or 99, r.amount, r.rate_id))
    named = [rate for rate in rates if rate.service == rule]
    if not named:
        raise Unavailable("labels", "service_not_offered", NOT_OFFERED)
    return min(named, key=lambda r: r.amount)
