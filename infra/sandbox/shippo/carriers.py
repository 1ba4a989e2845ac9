"""Three carriers: what they ask for a parcel, how long they take, how they number it."""

import secrets
import string
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from math import ceil

GRAMS = {"g": Decimal(1), "kg": Decimal(1000), "lb": Decimal("453.59237"), "oz": Decimal("28.349523125")}
HEAVIEST_GRAMS = 68_000
CUSTOMS_UNION = {
    *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
    *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
}


@dataclass(frozen=True)
class Service:
    """One service of one carrier. Prices in cents."""

    provider: str
    token: str
    name: str
    days: int
    base: int
    per_kilogram: int
    slows: bool = False
    """By land: farther takes longer."""

    @property
    def carrier(self) -> str:
        return self.provider.lower()


SERVICES = (
    Service("USPS", "usps_ground_advantage", "Ground Advantage", 3, 480, 110, slows=True),
    Service("USPS", "usps_priority", "Priority Mail", 2, 790, 190),
    Service("USPS", "usps_priority_express", "Priority Mail Express", 1, 2890, 420),
    Service("UPS", "ups_ground", "Ground", 3, 910, 95, slows=True),
    Service("UPS", "ups_second_day_air", "2nd Day Air®", 2, 1850, 260),
    Service("UPS", "ups_next_day_air", "Next Day Air®", 1, 3690, 510),
    Service("FedEx", "fedex_ground", "FedEx Ground®", 3, 930, 90, slows=True),
    Service("FedEx", "fedex_2_day", "FedEx 2Day®", 2, 1790, 275),
    Service("FedEx", "fedex_standard_overnight", "FedEx Standard Overnight®", 1, 3420, 540),
)


@dataclass(frozen=True)
class Quote:
    service: Service
    cents: int
    days: int
    zone: int


def crosses_customs(origin: str, destination: str) -> bool:
    return origin != destination and not {origin, destination} <= CUSTOMS_UNION


def quotes(grams: Decimal, origin: dict[str, str], destination: dict[str, str]) -> list[Quote]:
    """Every service that takes this weight from country and zip to country and zip."""
    abroad = origin["country"] != destination["country"]
    zone = 8 if abroad else _zone(origin["zip"], destination["zip"])
    return list(_quotes(grams, zone, from_us=origin["country"] == "US")) if grams <= HEAVIEST_GRAMS else []


def _quotes(grams: Decimal, zone: int, *, from_us: bool) -> Iterator[Quote]:
    half_kilograms = ceil(grams / 500)
    for service in SERVICES:
        if service.provider != "USPS" or from_us:
            cents = service.base + half_kilograms * service.per_kilogram // 2
            days = service.days + (zone - 1) // 3 if service.slows else service.days
            yield Quote(service, cents * (100 + 6 * (zone - 1)) // 100, days, zone)


def _zone(origin: str, destination: str) -> int:
    """1 (near) to 8 (far), by the first digit of the zip, as the American regions lie."""
    first = [next((int(sign) for sign in zip if sign in string.digits), 0) for zip in (origin, destination)]
    return 1 + abs(first[0] - first[1]) * 7 // 9


def tracking_number(carrier: str) -> str:
    def digits(count: int) -> str:
        return "".join(secrets.choice(string.digits) for _ in range(count))

    match carrier:
        case "usps":
            return "92055" + digits(17)
        case "ups":
            return "1Z" + digits(16)
        case _:
            return "7" + digits(11)
