"""What this version makes of histories: recorded ones, and those of open orders. Asked by the workflow `ReleaseGate`,
and by the command `orders release-gate` where nothing else asks."""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from typing import NoReturn

from sqlalchemy.orm import Session, sessionmaker
from temporalio import activity
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from activities.views.stages import open_orders
from infra import telemetry, temporal
from infra.database import engine, upgrade
from infra.processes import leave
from infra.settings import Settings, SettingsError
from workers.replaying import FILES, Kept, recorded, replay
from workers.wiring import WORKFLOWS
from workflows.messages import ORDER, ORDER_STATUS, workflow_id
from workflows.release_gate import REPLAY_ORDERS, Replayed, Wish

ENDED = "ended"
"""The stage of orders that are closed, while something is left to do for their workflow: the engine knows which."""
WITH_WORK_LEFT = (
    f"WorkflowType = '{ORDER}' AND ExecutionStatus = 'Running' AND {ORDER_STATUS.name} IN ('completed', 'cancelled')"
)
Report = Callable[[int], None]
"""How many histories were replayed so far."""


class ReleaseGateActivities:
    def __init__(self, client: Client, sessions: sessionmaker[Session], workflows: Sequence[type]) -> None:
        self.client = client
        self.sessions = sessions
        self.workflows = workflows

    @activity.defn(name=REPLAY_ORDERS)
    async def replay_orders(self, wish: Wish) -> Replayed:
        return await replay_orders(self.client, self.sessions, self.workflows, wish.orders, activity.heartbeat)


async def replay_orders(
    client: Client, sessions: sessionmaker[Session], workflows: Sequence[type], limit: int, report: Report
) -> Replayed:
    by_stage = await asyncio.to_thread(read_stages, sessions, limit)
    by_stage[ENDED] = [order_id async for order_id in ended(client, limit)]
    counted, failed = Counter[str](), dict[str, str]()
    replayed = 0
    async for whose, why in replay(all_histories(client, by_stage, limit, counted), workflows):
        replayed += 1
        report(replayed)
        if why is not None:
            failed.setdefault(whose, why)
    return Replayed(recorded=replayed - counted.total(), orders=counted, failed=failed)


def read_stages(sessions: sessionmaker[Session], limit: int) -> dict[str, list[str]]:
    with sessions() as tx:
        return open_orders(tx, limit)


async def ended(client: Client, limit: int) -> AsyncIterator[str]:
    async for run in client.list_workflows(WITH_WORK_LEFT, limit=limit):
        yield run.id.removeprefix(workflow_id(""))


async def all_histories(
    client: Client, by_stage: Mapping[str, Sequence[str]], limit: int, counted: Counter[str]
) -> AsyncIterator[Kept]:
    """The open orders' of each stage in turn, so that a stage that many are in crowds out none; then the recorded
    ones. `counted`, by stage."""
    left = {stage: iter(order_ids) for stage, order_ids in by_stage.items()}
    while left and counted.total() < limit:
        fetched = await asyncio.gather(*(next_history(client, order_ids) for order_ids in left.values()))
        for stage, found in zip([*left], fetched, strict=True):
            if found is None:
                del left[stage]
            elif counted.total() < limit:
                counted[stage] += 1
                yield found
    for file in FILES:
        for each in await asyncio.to_thread(recorded, file):
            yield each


async def next_history(client: Client, order_ids: Iterator[str]) -> Kept | None:
    """An order that has no run yet, as the engine was away, does not count."""
    for order_id in order_ids:
        try:
            return Kept(order_id, await client.get_workflow_handle(workflow_id(order_id)).fetch_history())
        except RPCError as absent:
            if absent.status != RPCStatusCode.NOT_FOUND:
                raise
    return None


# --- the command -----------------------------------------------------------------------------------------------------


async def asked(settings: Settings, limit: int) -> Replayed:
    database = upgrade.opened(settings.database_url.get_secret_value(), 1)
    try:
        return await replay_orders(await temporal.connect(), engine.sessions(database), WORKFLOWS, limit, shown)
    finally:
        database.dispose()


def shown(replayed: int) -> None:
    """Where a person looks on, each; else now and then."""
    if sys.stderr.isatty():
        print(f"\r{replayed} replayed", end="", file=sys.stderr, flush=True)
    elif replayed % 50 == 0:
        print(f"{replayed} replayed", file=sys.stderr, flush=True)


def main(arguments: Sequence[str]) -> NoReturn:
    parser = argparse.ArgumentParser(prog="orders release-gate")
    parser.add_argument("--orders", type=int, default=Wish().orders)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    telemetry.log_to_stderr("release-gate")
    try:
        replayed = asyncio.run(asked(Settings.from_environment(), options.orders))
    except (SettingsError, upgrade.Unusable, temporal.EngineError, RPCError) as error:
        print(f"orders release-gate: {error}", file=sys.stderr)
        leave(1)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if options.json:
        print(replayed.model_dump_json())
    elif not replayed.failed:
        print(replayed)
    if replayed.failed:
        print(f"orders release-gate: {replayed}", file=sys.stderr)
    leave(1 if replayed.failed else 0)


if __name__ == "__main__":
    main(sys.argv[1:])
