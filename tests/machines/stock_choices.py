"""Orders and fulfillments that a rule of the stock machine may take up."""

from activities.models import FulfillmentStatus, Recall
from infra.database.tables import Fulfillment
from tests.machines.stock_checks import Checked

AT_PLACE = (FulfillmentStatus.REQUESTED, FulfillmentStatus.PACKED)


class Choices(Checked):
    fulfillments: list[Fulfillment]

    @property
    def room(self) -> bool:
        return len(self.orders) < 4

    @property
    def going(self) -> list[int]:
        return [n for n, known in enumerate(self.known.values()) if not (known.ending or known.closed)]

    @property
    def ending(self) -> list[int]:
        stopping = {f.order_id for f in self.to_stop}
        return [n for n, (name, known) in enumerate(self.known.items()) if known.ending and name not in stopping]

    @property
    def queued(self) -> list[int]:
        return [number for number in self.going if self.waits_of(number)]

    @property
    def steady(self) -> list[Fulfillment]:
        """Not to be stopped."""
        refused, known = Recall.REFUSED, self.known
        return [f for f in self.fulfillments if f.recall == refused or not (f.recall or known[f.order_id].ending)]

    @property
    def to_pack(self) -> list[Fulfillment]:
        return [f for f in self.steady if f.status in (FulfillmentStatus.PLANNED, FulfillmentStatus.REQUESTED)]

    @property
    def packed(self) -> list[Fulfillment]:
        return [f for f in self.fulfillments if f.status == FulfillmentStatus.PACKED]

    @property
    def shipped(self) -> list[Fulfillment]:
        return [f for f in self.fulfillments if f.status == FulfillmentStatus.SHIPPED]

    @property
    def to_stop(self) -> list[Fulfillment]:
        asked = [f for f in self.fulfillments if f.recall == Recall.ASKED or self.known[f.order_id].ending]
        return [f for f in asked if f.status in AT_PLACE and f.recall in (None, Recall.ASKED)]

    @property
    def at_place(self) -> list[Fulfillment]:
        return [f for f in self.fulfillments if f.status in AT_PLACE]
