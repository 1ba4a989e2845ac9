"""What a checkout has set aside."""

from collections import defaultdict
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from activities.views.base import View
from infra.clock import wall_clock
from infra.database.tables import Claim, Reservation
from infra.words import ClaimStatus


class PlaceView(View):
    location: str
    quantity: int


class ClaimedView(View):
    sku: str
    quantity: int
    held: list[PlaceView]
    """What of it is still set aside, and where."""


class ReservationView(View):
    """`held` until `expires_at`; then `used` by an order, `released`, or `expired`."""

    reservation_id: str
    channel: str
    location: str | None
    """The only one that it may hold units of."""
    status: ClaimStatus
    expires_at: datetime
    order_id: str | None
    """Whose its units are now."""
    lines: list[ClaimedView]


def read(tx: Session, claim: Claim) -> ReservationView:
    places: dict[int, list[PlaceView]] = defaultdict(list)
    rows = select(Reservation).where(Reservation.claim_id == claim.claim_id).order_by(Reservation.reservation_id)
    for row in tx.scalars(rows):
        places[row.line_no].append(PlaceView(location=row.location_id, quantity=row.quantity))
    over = claim.status == ClaimStatus.HELD and claim.expires_at <= wall_clock()
    lines: list[dict[str, Any]] = claim.lines
    return ReservationView(
        reservation_id=claim.claim_id,
        channel=claim.channel,
        location=claim.location_id,
        status=ClaimStatus.EXPIRED if over else claim.status,
        expires_at=claim.expires_at,
        order_id=claim.order_id,
        lines=[ClaimedView(**line, held=places[n]) for n, line in enumerate(lines, start=1)],
    )
