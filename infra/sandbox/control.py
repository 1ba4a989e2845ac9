"""`/_sandbox`: the world's own controls, those that belong to no vendor. A vendor adds its own to its routes."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from infra.sandbox import clock, faults, webhooks
from infra.sandbox.world import World


class Advance(BaseModel):
    model_config = ConfigDict(extra="forbid")
    customer: str
    advance_seconds: float = Field(ge=0)


class Pace(BaseModel):
    model_config = ConfigDict(extra="forbid")
    seconds: float | None = Field(ge=0)
    order_id: str | None = None


class Hooks(BaseModel):
    model_config = ConfigDict(extra="forbid")
    url: str | None = None
    duplicate: bool | None = None
    shuffle: bool | None = None


Control = Callable[[World, Request, Any], Any]


def control(world: World, do: Control) -> Callable[[Request], Awaitable[Response]]:
    """An endpoint of the control API: JSON in (empty: `{}`), JSON out; 400 for ValueError, 404 for KeyError."""

    async def answer(request: Request) -> Response:
        try:
            given = await request.json() if await request.body() else {}
            done = do(world, request, given)
            return JSONResponse(done if done is not None else {})
        except ValidationError as wrong:
            return JSONResponse({"error": wrong.errors(include_url=False, include_context=False)}, 400)
        except ValueError as wrong:
            return JSONResponse({"error": str(wrong)}, 400)
        except KeyError as unknown:
            return JSONResponse({"error": f"unknown: {unknown.args[0]}"}, 404)

    return answer


def books(world: World, order_id: str | None = None) -> dict[str, Any]:
    """What happened, counted: of one order or of all."""
    names = ("effect", "order_id", "reference", "amount", "elsewhere")
    rows = world.sql.execute(
        f"SELECT {', '.join(names)} FROM books WHERE ? IS NULL OR order_id = ? ORDER BY seq",  # noqa: S608
        (order_id, order_id),
    ).fetchall()
    times = Counter(row[0] for row in rows)
    sums: Counter[str] = Counter()
    elsewhere: Counter[str] = Counter()
    refunds: Counter[str] = Counter()
    theirs = {reference for effect, _, reference, _, by_others in rows if effect == "refund" and by_others}
    for effect, _, reference, amount, by_others in rows:
        sums[effect] += amount or 0
        elsewhere[effect] += (amount or 0) if by_others or reference in theirs else 0
        refunds[reference] += {"refund": 1, "refund_failed": -1}.get(effect, 0) * (amount or 0)
    return {
        "authorizations": times["authorization"],
        "captures": times["capture"],
        "captured": sums["capture"],
        "captured_elsewhere": elsewhere["capture"],
        "voids": times["void"],
        "voided_elsewhere": elsewhere["void"],
        "expiries": times["expiry"],
        "refunds": times["refund"] - times["refund_failed"],
        "refunded": sums["refund"] - sums["refund_failed"],
        "refunded_elsewhere": elsewhere["refund"] - elsewhere["refund_failed"],
        "refunds_by_id": dict(+refunds),
        "disputes": times["dispute"],
        "disputed": sums["dispute_withdrawn"],
        "dispute_returned": sums["dispute_returned"],
        "labels": times["label"],
        "label_refunds": times["label_refund"],
        "emails": times["email"],
        "sms": times["sms"],
        "warehouse_requests": times["warehouse_request"],
        "releases": times["release"],
        "recalls": times["recall"],
        "hand_overs": times["hand_over"],
        "entries": [dict(zip(names, (*row[:4], bool(row[4])), strict=True)) for row in rows],
    }


def totals(world: World, after: str, limit: int) -> list[dict[str, Any]]:
    """Of each order, by its id; those after that one. What was not for an order of ours is left out."""
    rows = world.sql.execute(
        "SELECT order_id, SUM(CASE effect WHEN 'capture' THEN amount ELSE 0 END),"
        " SUM(CASE effect WHEN 'refund' THEN amount WHEN 'refund_failed' THEN -amount ELSE 0 END),"
        " SUM(effect = 'label')"
        " FROM books WHERE order_id > ? GROUP BY order_id ORDER BY order_id LIMIT ?",
        (after, limit),
    )
    names = ("order_id", "captured", "refunded", "labels")
    return [dict(zip(names, row, strict=True)) for row in rows]


def _advance(world: World, request: Request, given: Any) -> Any:
    body = Advance.model_validate(given)
    return {"now": clock.advance(world, body.customer, body.advance_seconds).isoformat()}


def _totals(world: World, request: Request, given: Any) -> Any:
    query = request.query_params
    return {"orders": totals(world, query.get("after", ""), min(int(query.get("limit", "500")), 500))}


def _pace(world: World, request: Request, given: Any) -> Any:
    body = Pace.model_validate(given)
    clock.set_pace(world, body.seconds, body.order_id)
    return body.model_dump()


def _hooks(world: World, request: Request, given: Any) -> Any:
    body = Hooks.model_validate(given)
    changes = body.model_dump(exclude_unset=True)
    return webhooks.tell(
        world, **{name: value for name, value in changes.items() if name == "url" or value is not None}
    )


def _delete_fault(world: World, request: Request, given: Any) -> Any:
    with world.transaction():
        if not world.delete("fault", request.path_params["id"]):
            raise KeyError(request.path_params["id"])


def _delete_faults(world: World, request: Request, given: Any) -> Any:
    with world.transaction():
        for fault in faults.listed(world):
            world.delete("fault", fault["id"])


def _requests(world: World, request: Request, given: Any) -> Any:
    provider = request.query_params.get("provider")
    return {"requests": [each for each in world.requests if provider in (None, each["provider"])]}


def _webhooks(world: World, request: Request, given: Any) -> Any:
    return webhooks.queue_lengths(world, request.query_params.get("to", "")) | webhooks.settings(world)


def routes(world: World) -> list[Route]:
    def route(path: str, method: str, do: Control) -> Route:
        return Route(f"/_sandbox{path}", control(world, do), methods=[method])

    return [
        route("/faults", "POST", lambda w, r, given: {"id": faults.add(w, faults.Fault.model_validate(given))}),
        route("/faults", "GET", lambda w, r, given: {"faults": faults.listed(w)}),
        route("/faults", "DELETE", _delete_faults),
        route("/faults/{id}", "DELETE", _delete_fault),
        route("/clock", "POST", _advance),
        route("/clock", "GET", lambda w, r, given: {"now": w.now(r.query_params.get("customer")).isoformat()}),
        route("/books", "GET", lambda w, r, given: books(w, r.query_params.get("order_id"))),
        route("/books/orders", "GET", _totals),
        route("/pace", "POST", _pace),
        route("/pace", "GET", lambda w, r, given: {"seconds": w.pace}),
        route("/webhooks", "POST", _hooks),
        route(
            "/webhooks",
            "GET",
            lambda w, r, given: webhooks.queue_lengths(w, r.query_params.get("to", "")) | webhooks.settings(w),
        ),
        route("/requests", "GET", _requests),
        route("/requests", "DELETE", lambda w, r, given: w.requests.clear()),
    ]
