"""What an order's run knows of its fulfillments and of what is held, counted as it changes: nothing that happens to one
of a thousand costs a look at all."""

from collections import Counter

from activities.models import FulfillmentSnapshot, FulfillmentStatus, HoldReason, HoldSnapshot


class Parts:
    def __init__(self) -> None:
        self.fulfillments: dict[str, FulfillmentSnapshot] = {}
        self.statuses: Counter[FulfillmentStatus] = Counter()
        self.holds: dict[str, HoldSnapshot] = {}
        """The open ones, by id."""
        self.reasons: Counter[HoldReason] = Counter()

    def learn(self, news: FulfillmentSnapshot) -> bool:
        """Keeps it, unless what is known of it is later."""
        known = self.fulfillments.get(news.id)
        if known and news.version < known.version:
            return False
        if known:
            self.statuses[known.status] -= 1
        self.statuses[news.status] += 1
        self.fulfillments[news.id] = news
        self.held(known.holds if known else (), news.holds)
        return True

    def held(self, until_now: tuple[HoldSnapshot, ...], now: tuple[HoldSnapshot, ...]) -> None:
        """Open ones of the order, or of one fulfillment."""
        if until_now == now:
            return
        for hold in until_now:
            self.reasons[hold.kind.reason] -= 1
            del self.holds[hold.hold_id]
        for hold in now:
            self.reasons[hold.kind.reason] += 1
            self.holds[hold.hold_id] = hold
