"""What must be on the shelves, and who waits: plain integers, one unit at a time."""

from dataclasses import dataclass, field

Shelf = tuple[str, str]
"""Product and place."""


@dataclass
class Model:
    on_hand: dict[Shelf, int] = field(default_factory=dict)
    reserved: dict[Shelf, int] = field(default_factory=dict)
    blocked: dict[Shelf, int] = field(default_factory=dict)
    waiting: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    """By product: who waits, as (when it was placed, how many units)."""

    def available(self, shelf: Shelf) -> int:
        return self.on_hand.get(shelf, 0) - self.reserved.get(shelf, 0) - self.blocked.get(shelf, 0)

    def change(self, shelf: Shelf, on_hand: int = 0, reserved: int = 0, blocked: int = 0) -> None:
        if not (on_hand or reserved or blocked):
            return
        self.on_hand[shelf] = self.on_hand.get(shelf, 0) + on_hand
        self.reserved[shelf] = self.reserved.get(shelf, 0) + reserved
        self.blocked[shelf] = self.blocked.get(shelf, 0) + blocked
        assert min(self.reserved[shelf], self.blocked[shelf], self.available(shelf)) >= 0, shelf

    def queue(self, sku: str, order: int, units: int) -> None:
        if units:
            self.waiting.setdefault(sku, []).append((order, units))

    def gives_up(self, sku: str, order: int, units: int) -> None:
        """The last of its units first, whatever line they are of."""
        line_up = []
        for who, waits in reversed(self.waiting.get(sku, [])):
            gone = min(units, waits) if who == order else 0
            units -= gone
            line_up += [(who, waits - gone)] if waits > gone else []
        assert not units, f"{order} waited for fewer units of {sku}"
        self.waiting[sku] = line_up[::-1]

    def served(self, shelf: Shelf) -> dict[int, int]:
        """What is free goes to who was placed first. How much each order got."""
        sku, got = shelf[0], dict[int, int]()
        line_up = sorted(self.waiting.get(sku, []))
        rest = []
        for order, units in line_up:
            count = min(units, self.available(shelf))
            self.change(shelf, reserved=count)
            got[order] = got.get(order, 0) + count
            rest += [(order, units - count)] if units > count else []
        self.waiting[sku] = rest
        return {order: count for order, count in got.items() if count}

    def waits(self, order: int, sku: str) -> int:
        return sum(units for who, units in self.waiting.get(sku, []) if who == order)
