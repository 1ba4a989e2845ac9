"""Rates, labels and tracking by Shippo (API 2018-02-08). Implements `Labels`.

Shippo has no idempotency keys: the same rate bought twice is two labels.
"""

import contextlib
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from activities.failures import OutcomeUnknown, ProviderFailure, Refused, Unavailable
from activities.intake.customs import crosses_customs
from activities.ports import Label, LabelStatus, Parcel, PostalAddress, Rate, Tracking
from activities.providers.shippo.answers import (
    ADDRESS,
    UNKNOWN,
    LabelAnswer,
    LabelsAnswer,
    RefundAnswer,
    ShipmentAnswer,
    TrackAnswer,
)
from activities.providers.shippo.calls import LOOK_UP, PROVIDER, ShippoCalls

Read = TypeVar("Read", bound=BaseModel)
MOST_PER_PAGE = 100
METADATA_LENGTH = 100
CUSTOMS = (
    "No carrier takes it to another country without a customs declaration, which is not supported yet: correct the "
    "address to one in the country that it ships from, or cancel."
)


class ShippoLabels:
    """Shippo with one API token. One attempt per call; `timeout` (seconds) is how long an answer may take."""

    def __init__(self, api_token: str, api_base: str | None = None, timeout: float = 20.0) -> None:
        self._calls = ShippoCalls(api_token, api_base, timeout)

    def rates(self, *, origin: PostalAddress, destination: PostalAddress, parcel: Parcel, reference: str) -> list[Rate]:
        """What carriers ask for this parcel; good for seven days. Free and harmless to repeat."""
        from shippo.models import components  # type: ignore[import-untyped]

        size = {"mass_unit": components.WeightUnitEnum.G, "distance_unit": components.DistanceUnitEnum.MM}
        request = components.ShipmentCreateRequest(
            address_from=components.AddressCreateRequest(**_address(origin)),
            # Validation of addresses in the United States is free of charge, elsewhere it is not.
            address_to=components.AddressCreateRequest(
                **_address(destination), validate=destination.country == "US" or None
            ),
            parcels=[components.ParcelCreateRequest(**_parcel(parcel), **size)],
            metadata=_metadata(reference),
            async_=False,
        )
        answer = _answer(ShipmentAnswer, self._calls.look(lambda shippo: shippo.shipments.create(request)))
        if answer.rates:
            return [rate.rate() for rate in answer.rates]
        if answer.address_to.wrong:
            raise Refused(PROVIDER, "address", ADDRESS)
        if crosses_customs(origin.country, destination.country):
            raise Refused(PROVIDER, "customs", CUSTOMS)
        code, final = answer.why_none()
        raise Refused(PROVIDER, code, final) if final else Unavailable(PROVIDER, code, UNKNOWN)

    def buy(self, rate_id: str, *, reference: str) -> Label:
        """Buys one label. Never repeat it without `labels_of`. A purchase that the carrier refused is an answer."""
        from shippo.models import components

        request = components.TransactionCreateRequest(
            rate=rate_id,
            label_file_type=components.LabelFileTypeEnum.PDF_4X6,
            metadata=_metadata(reference),
            # Left out, the SDK asks for a queued purchase whose number comes later.
            async_=False,
        )
        text = self._calls.act(lambda shippo: shippo.transactions.create(request))
        return _outcome(LabelAnswer, text).label()

    def labels_of(self, rate_id: str) -> list[Label]:
        """Every label bought with this rate, failed ones included. At most 50 calls a minute (10 with a test token)."""
        from shippo.models.operations import ListTransactionsRequest  # type: ignore[import-untyped]

        request = ListTransactionsRequest(rate=rate_id, results=MOST_PER_PAGE)
        answer = _answer(LabelsAnswer, self._calls.look(lambda shippo: shippo.transactions.list(request)))
        # Adopting a label of another parcel would be worse than finding none.
        return [each.label() for each in answer.results if each.rate_id == rate_id]

    def label(self, label_id: str) -> Label:
        return _answer(LabelAnswer, self._calls.look(lambda shippo: shippo.transactions.get(label_id))).label()

    def refund(self, label_id: str) -> LabelStatus:
        """Asks for the money back, once: `label` tells whether that was done, and later what the carrier answered."""
        # The SDK takes the id itself: a request object would be nested in another and refused.
        text = self._calls.act(lambda shippo: shippo.refunds.create(transaction=label_id, async_=False))
        return _outcome(RefundAnswer, text).label_status()

    def tracking(self, carrier: str, tracking_number: str) -> Tracking:
        text = self._calls.look(lambda shippo: shippo.tracking_status.get(tracking_number, carrier))
        return _answer(TrackAnswer, text).tracking()


def _answer(model: type[Read], text: str) -> Read:
    """The answer to a question. One that makes no sense is never taken for "there is none"."""
    return _read(
        model,
        text,
        Unavailable(
            PROVIDER, "unreadable_answer", "The shipping provider's answer makes no sense: it is asked again by itself."
        ),
    )


def _outcome(model: type[Read], text: str) -> Read:
    """The answer to an order that we gave."""
    return _read(model, text, OutcomeUnknown(PROVIDER, "unreadable_answer", LOOK_UP))


def _read(model: type[Read], text: str, unreadable: ProviderFailure) -> Read:
    with contextlib.suppress(ValidationError):
        return model.model_validate_json(text)
    raise unreadable


def _address(place: PostalAddress) -> dict[str, Any]:
    return {
        "name": place.name,
        "street1": place.street1,
        "street2": place.street2 or None,
        "city": place.city,
        "state": place.state or None,
        "zip": place.zip,
        "country": place.country,
        "phone": place.phone or None,
        "email": place.email or None,
    }


def _parcel(parcel: Parcel) -> dict[str, str]:
    return {
        "weight": str(parcel.weight_g),
        "length": str(parcel.length_mm),
        "width": str(parcel.width_mm),
        "height": str(parcel.height_mm),
    }


def _metadata(reference: str) -> str:
    """Shippo takes 100 characters. The order id comes first and stays whole."""
    return reference[:METADATA_LENGTH]
