"""Plays the tour: every scenario beside the others, through the HTTP API, and remembers how far each has come."""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from httpx import HTTPStatusError
from temporalio.client import Client

from infra.sandbox.client import SandboxControl
from starter.cli.client import Api, Refused, Unreachable
from starter.cli.demo import steps
from starter.cli.demo.clocks import set_ahead
from starter.cli.demo.steps import Condition, Scenario, View
from starter.cli.failure import Failed
from starter.cli.stack.stack import READY_SECONDS, Running

LOOK_SECONDS = 0.4
STRIKE_SECONDS = 0.03
MOST_ORDERS = 1000
TELLING = ("pending", "claimed")
MOVING = ("asked", "pending", "open")


class Diary:
    """How many acts of each scenario are done; kept in a file, so that a killed demo can go on."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.done: dict[str, int] = json.loads(file.read_text()) if file.exists() else {}

    def begin(self) -> None:
        """From now on there is something to go on with."""
        self.write()

    def note(self, order_id: str, acts: int) -> None:
        self.done[order_id] = acts
        self.write()

    def write(self) -> None:
        draft = self.file.with_suffix(".new")
        draft.write_text(json.dumps(self.done))
        draft.replace(self.file)


@dataclass
class World:
    """What the acts are done with."""

    running: Running
    api: Api
    sandbox: SandboxControl
    engine: Client
    diary: Diary
    killing: asyncio.Event = field(default_factory=asyncio.Event)
    """Set once nothing will be killed any more."""


@dataclass
class Play:
    """One scenario being played."""

    scenario: Scenario
    world: World
    view: View | None = None
    saying: str = ""
    began: float | None = None
    ended: float | None = None
    failure: str = ""
    """Why it could not be played."""
    seen: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def seconds(self) -> float | None:
        """How long it has taken so far."""
        return None if self.began is None else (self.ended or time.monotonic()) - self.began

    @property
    def unfinished(self) -> bool:
        return self.view is None or not closed(self.view)

    async def run(self) -> None:
        """Until the order is closed and its customer knows."""
        if not self.scenario.first:
            await self.world.killing.wait()
        self.began = time.monotonic()
        try:
            await self.play()
            await self.until(closed)
        except Failed as failure:
            self.failure = str(failure)
            self.say(self.failure)
        finally:
            self.ended = time.monotonic()
            if self.scenario.first:
                self.world.killing.set()

    async def play(self) -> None:
        for n, act in enumerate(self.scenario.acts):
            if n >= self.world.diary.done.get(self.scenario.order_id, 0):
                self.say(act.saying)
                await self.do(act)
                self.world.diary.note(self.scenario.order_id, n + 1)

    def say(self, what: str) -> None:
        self.saying = what

    def see(self, view: View) -> None:
        """An answer may be overtaken by a later one."""
        if self.view is None or self.view["version"] <= view["version"]:
            self.view = view
            self.seen.set()

    async def until(self, condition: Condition) -> None:
        while self.view is None or not condition(self.view):
            self.seen.clear()
            await self.seen.wait()

    async def do(self, act: steps.Act) -> None:
        order_id, sandbox = self.scenario.order_id, self.world.sandbox
        match act:
            case steps.Place():
                self.see(await asyncio.to_thread(self.place))
            case steps.Break():
                await asyncio.to_thread(self.break_, act)
            case steps.Mend():
                for fault in await asyncio.to_thread(self.faults):
                    await asyncio.to_thread(sandbox.mend, fault["id"])
            case steps.Await():
                await self.until(lambda view: act.until(view) or closed(view))
            case steps.Pass():
                await self.pass_time(act.seconds)
            case steps.Receive():
                reference = f"{order_id}-restock"
                await asyncio.to_thread(sandbox.receive, reference, act.location, {act.sku: act.quantity})
            case steps.PayBy():
                await self.ask("payment-method", {"payment_method": act.payment_method})
            case steps.Cancel():
                body = {"reason": "customer", "why": "changed my mind"}
                await self.ask("cancellation", body | ({"lines": [{"line": act.line}]} if act.line else {}))
            case steps.Refund():
                lines = [{"line": act.line, "quantity": act.quantity}]
                await self.ask("refunds", {"lines": lines, "cause": act.cause})
            case steps.CheckOut():
                await asyncio.to_thread(self.check_out)
            case steps.Dispute():
                await asyncio.to_thread(self.dispute)
                await self.until(lambda view: view["payment"]["disputes"])
            case steps.Decide():
                await asyncio.to_thread(self.decide, act.outcome)
                await self.until(lambda view: all(each["status"] != "open" for each in view["payment"]["disputes"]))
            case steps.Resolve():
                await self.resolve(act.action)
            case steps.KillWorker():
                await self.kill_worker(act)

    def break_(self, act: steps.Break) -> None:
        """Done before by a demo that was killed, it is the same fault."""
        order_id, sandbox = self.scenario.order_id, self.world.sandbox
        if not self.faults():
            sandbox.fail(act.provider, act.operation, act.mode, times=act.times, seconds=act.seconds, match=order_id)

    def place(self) -> View:
        order = self.scenario.order
        if order["payment"]["method"] == "payment_intent":
            order = order | {"payment": order["payment"] | {"reference": self.intent()}}
        placed: View = self.world.api.post("/v1/orders", order)
        return placed

    def check_out(self) -> None:
        if not self.intent():
            order_id, sandbox = self.scenario.order_id, self.world.sandbox
            asked = {"status": "requires_action", "metadata": {"order_id": order_id}}
            sandbox.card(sandbox.check_out(self.scenario.order["total"], **asked)["id"], "authenticate")

    def intent(self) -> str:
        """The payment intent that was authorized for this order."""
        return next(iter(self.booked("authorization")), "")

    def booked(self, effect: str) -> list[str]:
        """At the provider, for this order: by its id there."""
        entries = self.world.sandbox.books(self.scenario.order_id)["entries"]
        return [str(entry["reference"]) for entry in entries if entry["effect"] == effect]

    def dispute(self) -> None:
        if not self.booked("dispute"):
            self.world.sandbox.dispute(self.intent())

    def decide(self, outcome: Literal["won", "lost"]) -> None:
        with suppress(HTTPStatusError):  # decided before, by a demo that was killed
            [dispute] = self.booked("dispute")
            self.world.sandbox.move_dispute(dispute, "respond")
            self.world.sandbox.move_dispute(dispute, outcome)

    async def ask(self, change: str, body: dict[str, Any]) -> None:
        """Asked before and done since: the API says so with 409, and nothing is wrong."""
        path, once = f"/v1/orders/{self.scenario.order_id}/{change}", {"Idempotency-Key": f"demo-{change}"}
        try:
            self.see(await asyncio.to_thread(self.world.api.post, path, body, **once))
        except Refused as refusal:
            if refusal.status != 409:
                raise

    async def resolve(self, action: str) -> None:
        for hold in self.view["holds"] if self.view else []:
            if hold["closed_at"] is None:
                body = {"hold": hold["hold"], "action": action, "why": "Shippo is back", "by": "demo"}
                await self.ask("resolution", body)

    async def pass_time(self, seconds: int) -> None:
        customer, world = self.scenario.order["customer"]["customer_id"], self.world
        order_id, by = self.scenario.order_id, timedelta(seconds=seconds)
        passed = asyncio.create_task(set_ahead(world.sandbox, world.engine, customer, order_id, by))
        over = asyncio.create_task(self.until(closed))
        # an order that ends on the way leaves the skip waiting for its next clock
        await asyncio.wait({passed, over}, return_when=asyncio.FIRST_COMPLETED)
        for task in (passed, over):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await passed

    def faults(self) -> list[dict[str, Any]]:
        return self.world.sandbox.faults(self.scenario.order_id)

    async def kill_worker(self, act: steps.KillWorker) -> None:
        """No other order runs yet, so nothing else is lost with it."""
        running, name = self.world.running, "worker"
        while not any(fault["struck"] for fault in await asyncio.to_thread(self.faults)):
            if self.view is not None and closed(self.view):
                return
            await asyncio.sleep(STRIKE_SECONDS)
        victim = running.children.pop(name)
        victim.kill()
        self.say(f"{act.saying} (pid {victim.pid}, SIGKILL)")
        another = running.begin("worker-2", "workers")
        self.world.killing.set()
        await asyncio.to_thread(another.wait_for_line, "worker_ready", READY_SECONDS)
        self.say(f"another worker took over (pid {another.pid})")


async def look(world: World, plays: Sequence[Play]) -> None:
    """Keeps every play's `view` fresh: one list of all orders, and those whose version is another."""
    of = {play.scenario.order_id: play for play in plays}
    while True:
        with suppress(Refused, Unreachable):  # too busy for a moment
            for order in await asyncio.to_thread(lambda: list(world.api.orders(MOST_ORDERS))):
                play = of.get(order["order_id"])
                if play and (play.view is None or play.view["version"] != order["version"]):
                    play.see(await asyncio.to_thread(world.api.get, f"/v1/orders/{order['order_id']}"))
        await asyncio.sleep(LOOK_SECONDS)


def closed(view: View) -> bool:
    """Nothing of it is left to be done, and no money is on its way."""
    telling = any(message["status"] in TELLING for message in view["messages"])
    moving = any(each["status"] in MOVING for name in ("refunds", "disputes") for each in view["payment"][name])
    return view["status"] in ("completed", "cancelled") and not telling and not moving
