"""Our tables beside the sandbox's books, where it is the outside world: what either knows and the other does not."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import groupby, islice
from operator import itemgetter
from typing import TYPE_CHECKING, Any

from activities.views.check import Breach, Totals, totals, undecided

if TYPE_CHECKING:
    from sqlalchemy.orm import Session, sessionmaker

    from infra.sandbox.client import SandboxControl
    from infra.settings import Settings

PLAYED = {"stripe": ("captured", "refunded"), "shippo": ("labels",)}
NEWS_TAKES = 5.0
"""Seconds."""
NOTHING: Mapping[str, int] = {"captured": 0, "refunded": 0, "labels": 0}
LOOKED_AT_AGAIN = 1000
"""Orders that differ; more are told of once these have been mended."""


@contextmanager
def sandbox(settings: Settings) -> Iterator[tuple[SandboxControl, list[str]] | None]:
    """The one of the stack in ORDERS_HOME, and what it plays; None where none of it is the outside world."""
    from infra.home import Home
    from infra.sandbox.client import SandboxControl
    from starter.cli.stack.environment import SANDBOX_TOKEN

    stack = Home(settings.orders_home).read()
    real = {
        "stripe": settings.stripe_api_key.get_secret_value(),
        "shippo": settings.shippo_api_token.get_secret_value(),
    }
    played = [part for part in PLAYED if stack and part in stack.sandboxed and not real[part]]
    if stack is None or not played:
        yield None
        return
    url = f"http://127.0.0.1:{stack.ports['sandbox']}"
    control = SandboxControl(url, stack.secrets[SANDBOX_TOKEN].get_secret_value())
    try:
        yield control, [name for part in played for name in PLAYED[part]]
    finally:
        control.close()


def differences(
    tx: Session, sessions: sessionmaker[Session], control: SandboxControl, names: list[str]
) -> Iterator[Breach]:
    """Orders of which the two tell differently, also when all that was on its way has come. Calls whose outcome is out
    are none: their step looks it up."""
    suspects = list(islice(suspicious(totals(tx), control.totals(), names), LOOKED_AT_AGAIN))
    if suspects:
        with suppress(TimeoutError):
            control.webhooks_taken(timeout=NEWS_TAKES)
    for order_id in suspects:
        books = control.books(order_id)
        with sessions() as anew:
            if not undecided(anew, order_id):
                yield from compared(next(totals(anew, order_id), Totals(order_id)), books, names)


def suspicious(ours: Iterator[Totals], theirs: Iterator[dict[str, Any]], names: list[str]) -> Iterator[str]:
    """Both come by the order of the id, so none is kept."""
    both: Iterator[tuple[str, Any]] = heapq.merge(
        ((each.order_id, each) for each in ours), ((each["order_id"], each) for each in theirs), key=itemgetter(0)
    )
    for order_id, group in groupby(both, key=itemgetter(0)):
        sides = [side for _, side in group]
        mine = next((side for side in sides if isinstance(side, Totals)), Totals(order_id))
        books = next((side for side in sides if not isinstance(side, Totals)), NOTHING)
        if any(compared(mine, books, names)):
            yield order_id


def compared(ours: Totals, books: Mapping[str, Any], names: list[str]) -> Iterator[Breach]:
    for name in names:
        here, there = getattr(ours, name), books[name]
        unsure = ours.labels_written_off if name == "labels" else 0
        if not here <= there <= here + unsure:
            ids = {"order_id": ours.order_id, "here": here, "there": there}
            yield Breach(f"{name} otherwise than in the sandbox's books", ids)
