"""Plays the tour: every scenario beside the others, through the HTTP API, and remembers how far each has come."""

import asyncio
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import TimeSkipper

from infra.sandbox.client import SandboxControl
from starter.cli.client import Api, Refused, Unreachable
from starter.cli.demo import steps
from starter.cli.demo.steps import Condition, Scenario, View
from starter.cli.failure import Failed
from starter.cli.stack.stack import READY_SECONDS, Running
from workflows.messages import workflow_id

LOOK_SECONDS = 0.4
STRIKE_SECONDS = 0.03
TELLING = ("pending", "claimed")


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
        looking = asyncio.create_task(self.look())
        try:
            await self.play()
            await self.until(closed)
        except Failed as failure:
            self.failure = str(failure)
            self.say(self.failure)
        finally:
            self.ended = time.monotonic()
            looking.cancel()
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

    async def look(self) -> None:
        """Keeps `view` fresh."""
        while True:
            with suppress(Refused, Unreachable):  # not placed yet; or too busy for a moment
                self.view = await asyncio.to_thread(self.world.api.get, f"/v1/orders/{self.scenario.order_id}")
                self.seen.set()
            await asyncio.sleep(LOOK_SECONDS)

    async def until(self, condition: Condition) -> None:
        while self.view is None or not condition(self.view):
            self.seen.clear()
            await self.seen.wait()

    async def do(self, act: steps.Act) -> None:
        order_id, sandbox = self.scenario.order_id, self.world.sandbox
        match act:
            case steps.Place():
                await asyncio.to_thread(self.world.api.post, "/v1/orders", self.scenario.order)
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
                await self.ask("cancellation", {"reason": "customer", "why": "changed my mind"})
            case steps.Resolve():
                await self.resolve(act.action)
            case steps.KillWorker():
                await self.kill_worker(act)

    def break_(self, act: steps.Break) -> None:
        """Done before by a demo that was killed, it is the same fault."""
        order_id, sandbox = self.scenario.order_id, self.world.sandbox
        if not self.faults():
            sandbox.fail(act.provider, act.operation, act.mode, times=act.times, seconds=act.seconds, match=order_id)

    async def ask(self, change: str, body: dict[str, Any]) -> None:
        """Asked before and done since: the API says so with 409, and nothing is wrong."""
        try:
            await asyncio.to_thread(self.world.api.post, f"/v1/orders/{self.scenario.order_id}/{change}", body)
        except Refused as refusal:
            if refusal.status != 409:
                raise

    async def resolve(self, action: str) -> None:
        for hold in self.view["holds"] if self.view else []:
            if hold["closed_at"] is None:
                body = {"hold": hold["hold"], "action": action, "why": "Shippo is back", "by": "demo"}
                await self.ask("resolution", body)

    async def pass_time(self, seconds: int) -> None:
        """Moves the bank's clock, then the order's, and no other's."""
        customer = self.scenario.order["customer"]["customer_id"]
        await asyncio.to_thread(self.world.sandbox.advance, customer, seconds)
        order = self.world.engine.get_workflow_handle(workflow_id(self.scenario.order_id))
        skipped = asyncio.create_task(TimeSkipper(self.world.engine).fast_forward(order, timedelta(seconds=seconds)))
        over = asyncio.create_task(self.until(closed))
        # an order that ends on the way leaves the skip waiting for its next clock
        await asyncio.wait({skipped, over}, return_when=asyncio.FIRST_COMPLETED)
        for task in (skipped, over):
            task.cancel()
        try:
            await skipped
        except asyncio.CancelledError:
            pass
        except RPCError as trouble:
            if trouble.status != RPCStatusCode.NOT_FOUND:  # it has ended
                raise

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


def closed(view: View) -> bool:
    telling = any(message["status"] in TELLING for message in view["messages"])
    return view["status"] in ("completed", "cancelled") and not telling
