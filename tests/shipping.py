"""Parcels as tests ship them, from Oakland."""

from activities.ports import Label, Parcel, PostalAddress, Rate
from activities.providers.shippo.labels import ShippoLabels

TOKEN = "shippo_test_adapter"
OAKLAND = PostalAddress(name="Stock", street1="1 Dock Rd", city="Oakland", state="CA", zip="94607", country="US")
PARCEL = Parcel(weight_g=450, length_mm=200, width_mm=150, height_mm=100)


def to(zip: str = "94117", country: str = "US") -> PostalAddress:
    return PostalAddress(
        name="Ada Park", street1="215 Clayton St", city="San Francisco", state="CA", zip=zip, country=country
    )


def rates(labels: ShippoLabels, order_id: str, *, zip: str = "94117", parcel: Parcel = PARCEL) -> list[Rate]:
    return labels.rates(origin=OAKLAND, destination=to(zip), parcel=parcel, reference=f"{order_id} {order_id}-1/1")


def bought(labels: ShippoLabels, order_id: str, *, zip: str = "94117") -> Label:
    rate = rates(labels, order_id, zip=zip)[0]
    return labels.buy(rate.rate_id, reference=f"{order_id} {order_id}-1/1")
