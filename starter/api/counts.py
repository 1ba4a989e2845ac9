"""Counts: what is to be counted, what counters enter, what becomes of it."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session

from activities.facts import count_requests, counting
from activities.facts.catalogue import skus_of
from activities.facts.counting import Entered
from activities.intake.fields import CAUSE, ID, Id, Instant, Reference
from activities.views.counts import CountPage, CountView, listed, of_count
from infra.clock import instant_told, wall_clock
from infra.database.tables import Count, Location
from infra.words import CountLineStatus, CountStatus
from starter.http.dependencies import Guarded, Here, StockCounter, Stocker, acting_at
from starter.http.problems import Refusal, wrong
from starter.http.responses import problems
from starter.keys import Caller
from starter.receiving import MOST
from starter.transactions import written

router = APIRouter(tags=["Counts"], route_class=Guarded)

CountId = Annotated[str, Path(pattern=ID)]


class Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ToleranceBody(Body):
    """A line that differs by no more than the larger of both is accepted at once."""

    units: Annotated[int, Field(ge=0, le=1_000_000, strict=True)] = 0
    percent: Annotated[int, Field(ge=0, le=100, strict=True, description="Of what the books say")] = 0


class CountAsked(Body):
    """Products of one location that are to be counted. The same `count` is the same request."""

    count: Id = Field(examples=["C-2026-11"])
    location: Id
    skus: Annotated[tuple[Reference, ...], Field(min_length=1, max_length=2_000)]
    tolerance: ToleranceBody = ToleranceBody()
    cause: Annotated[str, StringConstraints(pattern=CAUSE)] = "cycle"


class Line(Body):
    sku: Annotated[Reference, Field(description="The product's SKU, or one of its references")]
    quantity: Annotated[int, Field(ge=0, le=MOST, strict=True, description="0 where there is none; packed ones count")]
    counted_at: Annotated[Instant | None, Field(description="None: now")] = None


class SessionBody(Body):
    """All that one counter has found so far. `submit`: it is in, and stays as it is."""

    lines: Annotated[tuple[Line, ...], Field(max_length=2_000)]
    submit: bool = False


class DecidedLine(Body):
    sku: Reference
    decision: Literal["accept", "recount"]


class Decisions(Body):
    lines: Annotated[tuple[DecidedLine, ...], Field(min_length=1, max_length=2_000)]


@router.post(
    "/v1/counts",
    status_code=201,
    summary="Ask for a count",
    responses={200: {"model": CountView, "description": "Known already"}, **problems(400, 409, 413)},
)
def ask(asked: CountAsked, here: Here, who: Stocker, response: Response) -> CountView:
    acting_at(who, asked.location, "location")

    def work(tx: Session) -> tuple[CountView, bool]:
        if tx.get(Location, asked.location) is None:
            raise wrong([("location", "is not known")])
        skus = known_skus(tx, [(name, f"skus[{n}]") for n, name in enumerate(asked.skus)])
        count = counting.locked(tx, asked.count)
        tolerance = count_requests.Tolerance(asked.tolerance.units, asked.tolerance.percent)
        if new := count is None:
            count = count_requests.opened(
                tx, asked.location, skus, tolerance, count_id=asked.count, cause=asked.cause, by=who.name
            )
            tx.flush()
        elif (
            count.location_id != asked.location
            or counting.lines_of(tx, count).keys() != {*skus}
            or (count.tolerance_units, count.tolerance_percent) != tolerance
        ):
            raise Refusal(409, f"count {asked.count} was asked for before, with other content: give it another id")
        return of_count(tx, count, blind=blind(who)), new

    view, new = written(here.sessions, work)
    response.status_code = 201 if new else 200
    return view


@router.get("/v1/counts", summary="List counts", responses=problems())
def list_counts(
    here: Here,
    who: StockCounter,
    location: Id | None = None,
    status: CountStatus | None = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> CountPage:
    """The newest first. A key with `stock:count` alone never sees what the books say."""
    with here.reading() as tx:
        return listed(tx, location=who.location or location, status=status, limit=limit, blind=blind(who))


@router.get("/v1/counts/{count_id}", summary="Read a count", responses=problems(404))
def read_count(count_id: CountId, here: Here, who: StockCounter) -> CountView:
    with here.reading() as tx:
        return of_count(tx, found(tx.get(Count, count_id), count_id, who), blind=blind(who))


@router.put(
    "/v1/counts/{count_id}/sessions/{session}",
    summary="Enter what was counted",
    responses=problems(400, 404, 409, 413),
)
def enter(
    count_id: CountId, session: Annotated[str, Path(pattern=ID)], body: SessionBody, here: Here, who: StockCounter
) -> CountView:
    """A counter's own list, whole, as often as it changes; once submitted it is locked."""

    def work(tx: Session) -> CountView:
        count = found(counting.locked(tx, count_id), count_id, who)
        skus = known_skus(tx, [(line.sku, f"lines[{n}].sku") for n, line in enumerate(body.lines)])
        asked = counting.lines_of(tx, count, CountLineStatus.ASKED)
        if others := [f"lines[{n}].sku" for n, sku in enumerate(skus) if sku not in asked]:
            raise wrong([(field, "is not asked for in this round of the count") for field in others])
        lines = [
            Entered(sku, line.quantity, instant_told(line.counted_at) if line.counted_at else wall_clock())
            for sku, line in zip(skus, body.lines, strict=True)
        ]
        if not counting.entered(tx, count, session, lines, by=who.name, submit=body.submit):
            raise Refusal(409, f"session {session} is in: what it counted stays")
        return of_count(tx, count, blind=blind(who))

    return written(here.sessions, work)


@router.post(
    "/v1/counts/{count_id}/submission",
    summary="Submit a count",
    responses=problems(404, 409),
)
def submit(count_id: CountId, here: Here, who: StockCounter) -> CountView:
    """Once every session is in, and every product that is asked for is counted, if only as 0."""

    def work(tx: Session) -> CountView:
        count = found(counting.locked(tx, count_id), count_id, who)
        asked = counting.lines_of(tx, count, CountLineStatus.ASKED)
        sessions = counting.sessions_of(tx, count)
        counted = {line["sku"] for session in sessions for line in session.lines}
        if not asked:
            raise Refusal(409, f"nothing of count {count_id} is to be counted")
        errors = [(f"sessions.{each.session}", "is not in yet") for each in sessions if each.submitted_at is None]
        errors += [
            (f"lines.{sku}", "is not counted: where there is none, say 0") for sku in asked if sku not in counted
        ]
        if errors:
            raise wrong(errors)
        counting.submitted(tx, count, by=who.name)
        return of_count(tx, count, blind=blind(who))

    view = written(here.sessions, work)
    here.relay.wake()
    return view


@router.post("/v1/counts/{count_id}/decision", summary="Accept or recount", responses=problems(400, 404, 409, 413))
def decide(count_id: CountId, body: Decisions, here: Here, who: Stocker) -> CountView:
    """Of lines that differ by more than is tolerated: the books follow, or they are counted once more."""

    def work(tx: Session) -> CountView:
        count = found(counting.locked(tx, count_id), count_id, who)
        skus = known_skus(tx, [(line.sku, f"lines[{n}].sku") for n, line in enumerate(body.lines)])
        waiting = counting.lines_of(tx, count, CountLineStatus.REVIEW)
        twice = {sku for sku in skus if skus.count(sku) > 1}
        if errors := [
            (f"lines[{n}].sku", "is named twice" if sku in twice else "waits for no decision")
            for n, sku in enumerate(skus)
            if sku in twice or sku not in waiting
        ]:
            raise wrong(errors)
        chosen = {sku: line.decision for sku, line in zip(skus, body.lines, strict=True)}
        accepted = [sku for sku, decision in chosen.items() if decision == "accept"]
        recounted = [sku for sku, decision in chosen.items() if decision == "recount"]
        counting.decided(tx, count, accepted, recounted, by=who.name)
        return of_count(tx, count, blind=blind(who))

    view = written(here.sessions, work)
    here.relay.wake()
    return view


def blind(who: Caller) -> bool:
    return not who.may("stock:write", "orders:read")


def found(count: Count | None, count_id: str, who: Caller) -> Count:
    if count is None or not who.acts_at(count.location_id):
        raise Refusal(404, f"count {count_id} is not known")
    return count


def known_skus(tx: Session, names: Sequence[tuple[str, str]]) -> list[str]:
    """The SKUs that are meant, each with its field where it is wrong."""
    skus = skus_of(tx, {name for name, _ in names})
    if errors := [(field, "is not known") for name, field in names if name not in skus]:
        raise wrong(errors)
    return [skus[name] for name, _ in names]
