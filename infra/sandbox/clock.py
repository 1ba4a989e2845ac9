"""Time in the sandbox: a clock per customer that can be set forward, and durable timers.

A timer is due on the wall clock, on a customer's clock (`customer=`), or some paces later (`paces=`): then it waits as
long as the pace is null, and starts counting when one is set. An order may have a pace of its own.
"""

import asyncio
import json
import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from infra.sandbox.world import Document, World

Action = Callable[[World, Document], None]
ACTIONS: dict[str, Action] = {}
log = logging.getLogger(__name__)


def action(name: str) -> Callable[[Action], Action]:
    """Names what a timer does. It runs in a transaction of its own and must cope with being overtaken."""

    def register(function: Action) -> Action:
        ACTIONS[name] = function
        return function

    return register


def schedule(
    world: World,
    name: str,
    subject: Document,
    *,
    at: datetime | None = None,
    after: float = 0.0,
    paces: float | None = None,
    customer: str = "",
    order_id: str = "",
) -> None:
    """Runs action `name` with `subject`: at an instant of the customer's clock, after some seconds or some paces."""
    if paces is not None:
        pace = world.pace_of(order_id)
        due = None if pace is None else time.time() + paces * pace
    elif at is not None:
        due = time.time() + (at - world.now(customer)).total_seconds()
    else:
        due = time.time() + after
    world.sql.execute(
        "INSERT INTO timers (due, paces, customer, order_id, action, subject) VALUES (?, ?, ?, ?, ?, ?)",
        (due, paces, customer, order_id, name, json.dumps(subject)),
    )


def advance(world: World, customer: str, seconds: float) -> datetime:
    """Sets a customer's clock forward and runs what falls due, oldest first."""
    with world.transaction():
        clock = world.get("clock", customer) or {"offset": 0.0}
        world.put("clock", customer, {"offset": clock["offset"] + seconds})
        world.sql.execute("UPDATE timers SET due = due - ? WHERE customer = ? AND paces IS NULL", (seconds, customer))
    run_due(world)
    return world.now(customer)


def set_pace(world: World, seconds: float | None, order_id: str | None = None) -> None:
    """Null stops every timer that counts in paces; a number starts them anew. Those of one order, or of all that have
    no pace of their own."""
    which = "order_id = ?" if order_id else "order_id NOT IN (SELECT id FROM documents WHERE kind = ?)"
    with world.transaction():
        world.put("pace" if order_id else "setting", order_id or "pace", {"seconds": seconds})
        world.sql.execute(
            f"UPDATE timers SET due = ? + paces * ? WHERE paces IS NOT NULL AND {which}",  # noqa: S608
            (time.time(), seconds, order_id or "pace"),
        )


def run_due(world: World) -> None:
    while (row := _next(world)) is not None and row[1] <= time.time():
        _run(world, *row)


def _next(world: World) -> tuple[int, float, str, str] | None:
    row: tuple[int, float, str, str] | None = world.sql.execute(
        "SELECT id, due, action, subject FROM timers WHERE due IS NOT NULL ORDER BY due, id LIMIT 1"
    ).fetchone()
    return row


def _run(world: World, id: int, due: float, name: str, subject: str) -> None:
    try:
        with world.transaction():
            world.sql.execute("DELETE FROM timers WHERE id = ?", (id,))
            ACTIONS[name](world, json.loads(subject))
    except Exception:
        log.exception("timer %s failed; tried again in 5 s", name)
        with world.transaction():
            world.sql.execute("UPDATE timers SET due = ? WHERE id = ?", (time.time() + 5, id))


async def keep_time(world: World) -> None:
    """Runs timers as they fall due, for ever."""
    changed = asyncio.Event()
    world.after_commit.append(changed.set)
    while True:
        changed.clear()
        run_due(world)
        following = _next(world)
        wait = timedelta(hours=1).total_seconds() if following is None else max(0.0, following[1] - time.time())
        try:
            # not `wait_for`: Python 3.11's loses a cancellation that comes together with the event
            async with asyncio.timeout(min(wait, 3600)):
                await changed.wait()
        except TimeoutError:
            continue
