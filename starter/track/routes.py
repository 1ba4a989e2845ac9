"""`/track/{token}`: GET shows, and changes nothing; POST decides."""

from collections.abc import Callable
from urllib.parse import parse_qs

from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from pydantic import TypeAdapter, ValidationError
from sqlalchemy.orm import Session

from activities.facts import pickup_choices, waiting_pickups
from activities.facts.fulfillments import locked
from activities.facts.journal import Trimmed
from activities.facts.requests import NothingLeft, WrongFields
from activities.intake.delivery_times import DeliveryTimes
from activities.intake.fields import Text
from activities.intake.people import Address
from infra.clock import wall_clock
from infra.database.tables import Fulfillment
from starter.http.dependencies import Dependencies, Here
from starter.track import reading
from starter.track.page import ADDRESS, HEADERS, document, shown
from starter.track.words import ENGLISH, words
from starter.transactions import written

BY = "customer"
Form = dict[str, str]
NAME: TypeAdapter[str] = TypeAdapter(Text)

router = APIRouter(include_in_schema=False)


@router.get("/track/{token}")
def track(token: str, here: Here) -> HTMLResponse:
    return answer(here, token)


@router.post("/track/{token}")
async def choose(token: str, request: Request, here: Here) -> Response:
    given = parse_qs((await request.body()).decode(errors="replace"), keep_blank_values=True, max_num_fields=20)
    return await run_in_threadpool(decided, here, token, {name: values[-1].strip() for name, values in given.items()})


def decided(here: Dependencies, token: str, given: Form) -> Response:
    do = CHOICES.get(given.get("do", ""))
    with here.reading() as tx:
        order = reading.found(tx, token)
        order_id, locale = (order.order_id, order.locale) if order else ("", "")
    if not order_id or do is None:
        return answer(here, token, status=400)
    phrases = words(locale)
    try:
        written(here.sessions, lambda tx: do(tx, here, order_id, given))
    except (NothingLeft, Trimmed):
        return answer(here, token, phrases["impossible"], 409)
    except WrongFields as unfit:
        fields = ", ".join(phrases.get(field, field) for field, _ in unfit.errors)
        return answer(here, token, phrases["wrong"].format(fields=fields), 422)
    here.relay.wake()
    return Response(status_code=303, headers=HEADERS | {"Location": token})


def answer(here: Dependencies, token: str, note: str = "", status: int = 200) -> HTMLResponse:
    with here.reading() as tx:
        order = reading.found(tx, token)
        if order is None:
            phrases = ENGLISH["unknown"]
            return HTMLResponse(document(phrases, "", "en"), 404, HEADERS)
        page = reading.read(tx, order)
    return HTMLResponse(shown(page, words(page.locale), note), status, HEADERS)


# --- what may be chosen -----------------------------------------------------------------------------------------------


def store(tx: Session, here: Dependencies, order_id: str, given: Form) -> None:
    pickup_choices.another_store(tx, order_id, given.get("location", ""), wall_clock())


def ship(tx: Session, here: Dependencies, order_id: str, given: Form) -> None:
    typed = {name: given[name] for name in ADDRESS if given.get(name)}
    times = DeliveryTimes(here.settings.orders_handling_days, here.settings.orders_transit_days)
    pickup_choices.shipped(tx, order_id, address(typed) if typed else None, times, wall_clock())


def address(typed: Form) -> Address:
    try:
        return Address.model_validate(typed)
    except ValidationError as error:
        raise WrongFields([(str(e["loc"][-1]), e["msg"]) for e in error.errors(include_input=False)]) from None


def cancel(tx: Session, here: Dependencies, order_id: str, given: Form) -> None:
    pickup_choices.given_up(tx, order_id, wall_clock())


def extend(tx: Session, here: Dependencies, order_id: str, given: Form) -> None:
    known = tx.get(Fulfillment, given.get("fulfillment", ""))
    if known is None or known.order_id != order_id:
        raise NothingLeft("it is none of this order")
    locked(tx, known.fulfillment_id)
    waiting_pickups.extended(tx, known.fulfillment_id, here.settings.orders_pickup_window, wall_clock(), by=BY)


def person(tx: Session, here: Dependencies, order_id: str, given: Form) -> None:
    try:
        name = NAME.validate_python(given.get("name", ""))
    except ValidationError:
        raise WrongFields([("name", "must be a name")]) from None
    waiting_pickups.person_given(tx, order_id, name, wall_clock(), by=BY)


CHOICES: dict[str, Callable[[Session, Dependencies, str, Form], None]] = {
    "store": store,
    "ship": ship,
    "cancel": cancel,
    "extend": extend,
    "person": person,
}
