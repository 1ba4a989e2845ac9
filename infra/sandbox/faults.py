"""The sandbox told to fail: the next N calls of an operation, all of them, or those about one order.

`endpoint.endpoint` applies faults to HTTP calls. A listener of its own (SMTP) asks `strike` and acts on the mode.
"""

import re
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from infra.sandbox.world import Document, World

Mode = Literal["error", "error_kept", "error_after", "lose_answer", "refuse_connection", "delay", "rate_limit"]
Provider = Literal["stripe", "shippo", "twilio", "mail", "warehouse"]


class Fault(BaseModel):
    """What to do to which calls. Before any effect: `error` (503), `refuse_connection`, `rate_limit` (429).
    After it: `error_after` (500), `lose_answer`, `delay` (the answer comes `seconds` later).
    `error_kept` (Stripe only): 500 instead of the effect, and again for whoever repeats the key."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: Provider
    operation: str = "*"
    mode: Mode
    times: int | None = Field(default=1, ge=1)
    """How many calls; None: until deleted."""
    seconds: float = Field(default=0.0, ge=0)
    match: str | None = None
    """Only calls in whose path, body or touched documents this appears."""

    @model_validator(mode="after")
    def can_be_kept(self) -> Self:
        if self.mode == "error_kept" and self.provider != "stripe":
            raise ValueError("only Stripe keeps its answers")
        return self


def add(world: World, fault: Fault) -> str:
    id = world.new_id("fault_")
    with world.transaction():
        world.put("fault", id, {"id": id, "struck": 0, **fault.model_dump()})
    return id


def strike(world: World, provider: Provider, operation: str, text: str, ids: list[str]) -> Fault | None:
    """The fault that this call suffers, if any; it counts as struck. `text` is path and body, `ids` what it touches."""
    for doc in world.all("fault"):
        if doc["provider"] != provider or doc["operation"] not in ("*", operation):
            continue
        if doc["times"] is not None and doc["struck"] >= doc["times"]:
            continue
        if doc["match"] and not _about(world, doc["match"], text, ids):
            continue
        with world.transaction():
            world.put("fault", doc["id"], doc | {"struck": doc["struck"] + 1})
        return Fault(**{name: doc[name] for name in Fault.model_fields})
    return None


def _about(world: World, match: str, text: str, ids: list[str]) -> bool:
    whole = re.compile(rf"(?<![A-Za-z0-9]){re.escape(match)}(?![A-Za-z0-9])")
    return bool(whole.search(text)) or any(whole.search(doc) for id in ids for doc in world.texts(id))


def listed(world: World) -> list[Document]:
    return world.all("fault")
