"""What of Shippo's answers we read, and what it means to us. Whatever else they hold, or leave out, is ignored."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import ROUND_CEILING, Decimal

from pydantic import BaseModel

from activities.ports import Label, LabelStatus, Rate, Tracking, TrackingStatus

ADDRESS = "The carrier does not accept the address: correct it, and it goes on by itself; or cancel."
PARCEL = "No carrier takes a parcel of this weight and size: have it packed anew, and it goes on by itself; or cancel."
FUNDS = "The account that pays for labels is empty: fill it up, then retry."
UNKNOWN = (
    "No carrier gives a label, or a reason that is known here. It is tried again by itself. If that does not help: "
    "choose another service, correct the address, have the parcel packed anew, or cancel."
)
FINAL = {
    "address_incomplete": ADDRESS,
    "address_not_found": ADDRESS,
    "failed_address_validation": ADDRESS,
    "insufficient_funds": FUNDS,
    "parcel_too_heavy": PARCEL,
    "parcel_too_large": PARCEL,
}
"""Codes of messages for which trying again is useless. Shippo lists none, and passes on what carriers say: whatever
stands not here may be a hiccup, and is tried again before a person is asked."""
CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}")

LABEL = {
    "WAITING": LabelStatus.QUEUED,
    "QUEUED": LabelStatus.QUEUED,
    "SUCCESS": LabelStatus.BOUGHT,
    "ERROR": LabelStatus.FAILED,
    "REFUNDPENDING": LabelStatus.REFUND_REQUESTED,
    "REFUNDED": LabelStatus.REFUNDED,
    "REFUNDREJECTED": LabelStatus.REFUND_REJECTED,
}
_REFUND = {"SUCCESS": LabelStatus.REFUNDED, "ERROR": LabelStatus.REFUND_REJECTED}
TRACKING = {
    "PRE_TRANSIT": TrackingStatus.PRE_TRANSIT,
    "TRANSIT": TrackingStatus.IN_TRANSIT,
    "DELIVERED": TrackingStatus.DELIVERED,
    "RETURNED": TrackingStatus.RETURN_TO_SENDER,
    "FAILURE": TrackingStatus.FAILURE,
}
WITHIN_TRANSIT = {
    "out_for_delivery": TrackingStatus.OUT_FOR_DELIVERY,
    "pickup_available": TrackingStatus.AVAILABLE_FOR_PICKUP,
}
_DECIMALS = dict.fromkeys(
    ("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0
) | dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3)
"""ISO 4217; two for all others."""


class Message(BaseModel):
    code: str | None = None

    @property
    def word(self) -> str:
        """The code, if it is one: some carriers write sentences there."""
        return self.code if self.code and CODE.fullmatch(self.code) else ""


class Validation(BaseModel):
    is_valid: bool | None = None


class AddressAnswer(BaseModel):
    is_complete: bool | None = None
    validation_results: Validation | None = None

    @property
    def wrong(self) -> bool:
        return self.is_complete is False or (
            self.validation_results is not None and self.validation_results.is_valid is False
        )


class ServiceLevel(BaseModel):
    token: str


class RateAnswer(BaseModel):
    object_id: str
    provider: str
    servicelevel: ServiceLevel
    amount: Decimal
    currency: str
    estimated_days: int | None = None

    def rate(self) -> Rate:
        return Rate(
            rate_id=self.object_id,
            carrier=self.provider.lower().replace(" ", "_"),
            service=self.servicelevel.token,
            amount=minor_units(self.amount, self.currency),
            currency=self.currency.lower(),
            days=self.estimated_days,
        )


class ShipmentAnswer(BaseModel):
    address_to: AddressAnswer
    rates: list[RateAnswer] = []
    messages: list[Message] | None = None

    def why_none(self) -> tuple[str, str | None]:
        """A code, and what to do where trying again is useless: where each carrier that says something says that."""
        codes = [message.word for message in self.messages or []]
        open_codes = [code for code in codes if code not in FINAL]
        if codes and not open_codes:
            return codes[0], FINAL[codes[0]]
        return first_of(open_codes, "no_rates"), None


class RateOfLabel(BaseModel):
    object_id: str
    provider: str | None = None


class LabelAnswer(BaseModel):
    """A transaction: the purchase of one label."""

    object_id: str
    status: str | None = None
    rate: RateOfLabel | str | None = None
    tracking_number: str | None = None
    tracking_url_provider: str | None = None
    label_url: str | None = None
    messages: list[Message] | None = None

    @property
    def rate_id(self) -> str:
        return self.rate.object_id if isinstance(self.rate, RateOfLabel) else self.rate or ""

    def label(self) -> Label:
        # A status newer than this code: a label that can be printed was bought, whatever it is called.
        status = LABEL.get(self.status or "", LabelStatus.BOUGHT if self.label_url else LabelStatus.QUEUED)
        failed = status is LabelStatus.FAILED
        codes = [message.word for message in self.messages or []]
        code = first_of((code for code in codes if code in FINAL), first_of(codes, "unspecified"))
        provider = self.rate.provider if isinstance(self.rate, RateOfLabel) else None
        return Label(
            label_id=self.object_id,
            rate_id=self.rate_id,
            status=status,
            carrier=(provider or "").lower().replace(" ", "_"),
            tracking_number=self.tracking_number or "",
            tracking_url=self.tracking_url_provider or "",
            label_url=self.label_url or "",
            error_code=code if failed else "",
            advice=FINAL.get(code, UNKNOWN) if failed else "",
            final=failed and code in FINAL,
        )


class LabelsAnswer(BaseModel):
    results: list[LabelAnswer]


class RefundAnswer(BaseModel):
    status: str | None = None

    def label_status(self) -> LabelStatus:
        return _REFUND.get(self.status or "", LabelStatus.REFUND_REQUESTED)


class Substatus(BaseModel):
    code: str | None = None


class Event(BaseModel):
    status: str | None = None
    substatus: Substatus | None = None
    status_date: datetime | None = None

    def tracking_status(self) -> TrackingStatus:
        status = TRACKING.get(self.status or "", TrackingStatus.UNKNOWN)
        code = self.substatus.code if self.substatus else None
        return WITHIN_TRANSIT.get(code or "", status) if status is TrackingStatus.IN_TRANSIT else status


class TrackAnswer(BaseModel):
    """Also the `data` of a `track_updated` webhook."""

    tracking_status: Event | None = None
    eta: datetime | None = None

    def tracking(self) -> Tracking:
        event = self.tracking_status or Event()
        return Tracking(status=event.tracking_status(), occurred_at=_utc(event.status_date), eta=_utc(self.eta))


def first_of(codes: Iterable[str], otherwise: str) -> str:
    return next(filter(None, codes), otherwise)


def minor_units(amount: Decimal, currency: str) -> int:
    """`7.58` USD is 758. Fractions of a minor unit are rounded up: a price is never understated."""
    scaled = amount.scaleb(_DECIMALS.get(currency.upper(), 2))
    return int(scaled.to_integral_value(rounding=ROUND_CEILING))


def _utc(instant: datetime | None) -> datetime | None:
    if instant is None:
        return None
    return instant.replace(tzinfo=UTC) if instant.tzinfo is None else instant.astimezone(UTC)
