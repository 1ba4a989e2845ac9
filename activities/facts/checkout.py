"""A checkout sets units aside before there is an order, which then takes them over; or they go back."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from activities.facts import claims, inventory, planning, taking
from activities.facts.planning import Units
from activities.facts.requests import WrongFields
from infra.clock import wall_clock
from infra.database.tables import ApiKey, Claim, Order, Reservation
from infra.words import ClaimStatus, StockMoveKind


class Short(Exception):
    """Fewer units are there than are asked for: which fields, and how many there are. Nothing is set aside."""

    def __init__(self, errors: list[tuple[str, str]]) -> None:
        super().__init__("; ".join(f"{field} {message}" for field, message in errors))
        self.errors = errors


class TooMuch(Exception):
    """That one API key would hold at once; the text names the limit."""


class Over(Exception):
    """The claim is; the text says how."""


class Most(NamedTuple):
    """Of one API key, at once."""

    claims: int
    units: int


def claimed(tx: Session, claim: Claim, most: Most) -> None:
    """All units of a new claim, or none. The caller has checked SKUs and location. Raises `Short`, `TooMuch`."""
    inventory.lock(tx, {line["sku"] for line in claim.lines})
    wanted = [Units(n, line["sku"], 0, 0, line["quantity"]) for n, line in enumerate(claim.lines, start=1)]
    taken, missing = taking.picked(tx, wanted, claim.location_id)
    if missing:
        raise Short(too_few(wanted, missing))
    stay_within(tx, claim, most)
    tx.add(claim)
    taking.take(tx, StockMoveKind.CLAIMED, claim.claim_id, taken, claim_id=claim.claim_id)


def too_few(wanted: Iterable[Units], missing: Iterable[Units], because: str = "") -> list[tuple[str, str]]:
    lacks = Counter[int]()
    for units in missing:
        lacks[units.line_no] += units.quantity
    return [
        (f"lines[{each.line_no - 1}].quantity", f"is more than is available, {each.quantity - lack}{because}")
        for each in wanted
        if (lack := lacks[each.line_no])
    ]


def stay_within(tx: Session, claim: Claim, most: Most) -> None:
    # its row is locked after products: what it holds changes no more until this one is counted, too
    tx.execute(select(ApiKey.key_id).where(ApiKey.key_id == claim.made_by).with_for_update(key_share=True))
    its = (Claim.made_by == claim.made_by, Claim.status == ClaimStatus.HELD, Claim.expires_at > wall_clock())
    number, units = tx.execute(select(func.count(), func.coalesce(func.sum(Claim.units), 0)).where(*its)).one()
    if number >= most.claims:
        raise TooMuch(f"this API key has {number} reservations, and may have {most.claims} at once")
    if units + claim.units > most.units:
        raise TooMuch(f"this API key has {units} units in reservations, and may have {most.units} at once")


def renewed(tx: Session, claim: Claim, until: datetime) -> None:
    """Its time begins anew. Locks this row alone: whoever frees claims has products first. Raises `Over`."""
    alive = (Claim.claim_id == claim.claim_id, Claim.status == ClaimStatus.HELD, Claim.expires_at > wall_clock())
    longer = update(Claim).where(*alive).values(expires_at=until).returning(Claim.claim_id)
    done = tx.execute(longer.execution_options(synchronize_session=False)).first()
    tx.refresh(claim)
    if done is None:
        raise Over(how(claim))


def released(tx: Session, claim: Claim) -> None:
    """Given up: its units go back at once. Raises `Over` where an order has them."""
    lock(tx, claim)
    if claim.status == ClaimStatus.USED:
        raise Over(how(claim))
    if claim.status == ClaimStatus.HELD:
        claim.status = ClaimStatus.RELEASED
    claims.given_back(tx, claims.taken_off(tx, Reservation.claim_id == claim.claim_id))


def lock(tx: Session, claim: Claim) -> None:
    inventory.lock(tx, {line["sku"] for line in claim.lines})
    tx.scalars(claims.locking(Claim.claim_id == claim.claim_id)).one()


def how(claim: Claim) -> str:
    """A claim is over."""
    if claim.status == ClaimStatus.USED:
        return "is another order's already"
    return "was given up" if claim.status == ClaimStatus.RELEASED else "has passed"


def used(tx: Session, order: Order, lines: Sequence[tuple[str, int]], claim_id: str) -> None:
    """What was set aside is the order's from now on, as far as its lines (SKU, units) want it; the rest goes back. What
    was lost meanwhile, or is not where the order is picked up, is set aside once more. The order is just being placed.
    Raises `WrongFields`, `Short`."""
    claim = tx.get(Claim, claim_id)
    if claim is None or (claim.made_by, claim.channel) != (order.placed_by, order.channel):
        raise WrongFields([("reservation_id", "is none that this API key has made for this channel")])
    lock(tx, claim)
    if claim.status in (ClaimStatus.USED, ClaimStatus.RELEASED):
        raise WrongFields([("reservation_id", how(claim))])
    wanted, because = common(claim, lines), "; the reservation has passed" if over(claim) else ""
    places: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for units in claims.taken_off(tx, Reservation.claim_id == claim_id):
        places[units.location_id][units.sku] += units.quantity
    there = order.pickup_location
    taken, lost = planning.pick(wanted, {there: places[there]} if there else places)
    taking.hold(tx, taken, order_id=order.order_id)
    rest = ((location_id, *each) for location_id, units in places.items() for each in units.items())
    claims.given_back(tx, [claims.Units(claim_id, sku, place, count) for place, sku, count in rest if count])
    claim.status, claim.order_id = ClaimStatus.USED, order.order_id
    if lost:
        again, missing = taking.picked(tx, lost, there or claim.location_id)
        if missing:
            raise Short(too_few(wanted, missing, because))
        taking.take(tx, StockMoveKind.RESERVED, order.order_id, again, order_id=order.order_id)


def over(claim: Claim) -> bool:
    return claim.status == ClaimStatus.EXPIRED or claim.expires_at <= wall_clock()


def common(claim: Claim, lines: Sequence[tuple[str, int]]) -> list[Units]:
    """Those of the order's units that were claimed."""
    left = Counter[str]()
    for line in claim.lines:
        left[line["sku"]] += line["quantity"]
    found = []
    for n, (sku, quantity) in enumerate(lines, start=1):
        if count := min(quantity, left[sku]):
            found.append(Units(n, sku, 0, 0, count))
            left[sku] -= count
    return found
