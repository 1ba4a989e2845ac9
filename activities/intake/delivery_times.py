"""How long an order is promised to take: to be handled, and to be carried."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

ANY = "*"


class DeliveryTimes(NamedTuple):
    """Days. `transit` is by country, then by service; `*` is any other, and is there."""

    handling: int = 2
    transit: Mapping[str, Mapping[str, int]] = MappingProxyType({ANY: {ANY: 7}})

    def days(self, service: str, country: str) -> int:
        places = (self.transit.get(place, {}) for place in (country, ANY))
        return self.handling + next(by[name] for by in places for name in (service, ANY) if name in by)


USUAL = DeliveryTimes()
