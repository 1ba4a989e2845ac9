"""What a checkout sets aside before there is an order."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path, Response
from sqlalchemy.orm import Session

from activities import facts
from activities.facts.requests import WrongFields
from activities.intake.fields import ID
from activities.views import claims
from activities.views.claims import ReservationView
from infra.clock import wall_clock
from infra.database.tables import Claim
from starter.api.requests import IdempotencyKey
from starter.claiming import AskedClaim, claim
from starter.http.dependencies import Dependencies, Guarded, Here, Writer, channel_for
from starter.http.problems import Refusal, wrong
from starter.http.responses import problems
from starter.keys import Caller
from starter.placing import OtherContent
from starter.transactions import written

ReservationId = Annotated[str, Path(pattern=ID, examples=["CART-77"])]

router = APIRouter(tags=["Reservations"], route_class=Guarded)


@router.post(
    "/v1/reservations",
    status_code=201,
    summary="Set units aside for a checkout",
    responses={200: {"model": ReservationView, "description": "Known already"}, **problems(400, 409, 413, 429)},
)
def reserve(
    asked: AskedClaim, here: Here, who: Writer, response: Response, idempotency_key: IdempotencyKey = None
) -> ReservationView:
    """All units of all lines, for some minutes, or none: what is short is refused with what is available, also of
    products that orders may wait for. `POST /v1/orders` names the `reservation_id`, and the units are the order's. The
    same id or `Idempotency-Key` again is the same reservation, answered with 200; with other content: 409."""
    channel_for(who, asked.channel)

    def work(tx: Session) -> tuple[ReservationView, bool]:
        found, new = claim(tx, asked, key=idempotency_key, by=who.key_id, settings=here.settings)
        tx.flush()
        return claims.read(tx, found), new

    try:
        view, new = written(here.sessions, work)
    except WrongFields as unfit:
        raise wrong(unfit.errors) from None
    except facts.checkout.Short as short:
        raise Refusal(409, str(short), short.errors) from None
    except facts.checkout.TooMuch as limit:
        raise Refusal(429, str(limit)) from None
    except OtherContent as other:
        detail = f"{other.field} was used before, for other units"
        raise Refusal(409, detail, [(other.field, "was used for another reservation")]) from None
    here.relay.wake()  # claims whose time had passed may have gone to orders that wait
    response.status_code = 201 if new else 200
    response.headers["Location"] = f"/v1/reservations/{view.reservation_id}"
    return view


@router.get("/v1/reservations/{reservation_id}", summary="Read a reservation", responses=problems(404))
def get_reservation(reservation_id: ReservationId, here: Here, who: Writer) -> ReservationView:
    """Until when it holds what, and where; or what became of it. A day after its end it may be forgotten."""
    with here.reading() as tx:
        return claims.read(tx, own(tx, reservation_id, who))


@router.post("/v1/reservations/{reservation_id}/renew", summary="Renew a reservation", responses=problems(404, 409))
def renew(reservation_id: ReservationId, here: Here, who: Writer) -> ReservationView:
    """Its time begins anew, as with each step of the checkout. Once it has passed: 409."""
    until = wall_clock() + here.settings.orders_reservation_time
    return changed(here, reservation_id, who, lambda tx, found: facts.checkout.renewed(tx, found, until))


@router.delete("/v1/reservations/{reservation_id}", summary="Give a reservation up", responses=problems(404, 409))
def release(reservation_id: ReservationId, here: Here, who: Writer) -> ReservationView:
    """Its units go back at once, to orders that wait for them first. Once it is an order's: 409."""
    view = changed(here, reservation_id, who, facts.checkout.released)
    here.relay.wake()
    return view


def changed(here: Dependencies, name: str, who: Caller, change: Callable[[Session, Claim], None]) -> ReservationView:
    def work(tx: Session) -> ReservationView:
        found = own(tx, name, who)
        change(tx, found)
        tx.flush()
        return claims.read(tx, found)

    try:
        return written(here.sessions, work)
    except facts.checkout.Over as over:
        raise Refusal(409, f"the reservation {over}", [("reservation_id", str(over))]) from None


def own(tx: Session, name: str, who: Caller) -> Claim:
    """404 where another key has made it, too."""
    found = tx.get(Claim, name)
    if found is None or found.made_by != who.key_id:
        raise Refusal(404, f"reservation {name} is not known")
    return found
