"""`python -m workers`: one worker process. SIGTERM lets calls under way finish, then it exits 0."""

if __name__ == "__main__":  # before all that takes long to import
    from infra.signals import end_when_told

    end_when_told()

import asyncio
import gc
import os
import socket
import sys
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, NoReturn

import structlog
import uvloop
from sqlalchemy.orm import Session, sessionmaker

from infra import telemetry, temporal
from infra.database import engine, upgrade
from infra.database.counting import count
from infra.processes import begin_work, leave, told_to_stop
from infra.settings import WORKER_NEEDS, Settings, SettingsError
from workers.health import health
from workers.metrics import transactions_counted
from workers.release_gate import ReleaseGateActivities
from workers.wiring import WORKFLOWS, activities, pickups, policy, providers
from workers.worker import THREADS, worker
from workflows.release_gate import ReleaseGate

log = structlog.get_logger(__name__)


Activities = Callable[[sessionmaker[Session], Settings], Sequence[Callable[..., Any]]]


async def main(settings: Settings, workflows: Sequence[type], more: Activities) -> None:
    stop, started = told_to_stop(), asyncio.Event()
    async with health(settings.orders_health_address, lambda: started.is_set() and not stop.is_set()):
        await work(settings, workflows, more, started, stop)


async def work(
    settings: Settings, workflows: Sequence[type], more: Activities, started: asyncio.Event, stop: asyncio.Event
) -> None:
    """Until told to stop."""
    database = upgrade.opened(settings.database_url.get_secret_value(), THREADS)
    version = temporal.deployment_version()
    runtime = telemetry.runtime(settings.orders_metrics_address)
    count(database, transactions_counted(runtime.metric_meter))
    client = await temporal.connect(runtime=runtime)
    await temporal.register_search_attributes(client)
    sessions = engine.sessions(database)
    outside = providers(settings)
    registered = activities(
        sessions,
        outside,
        policy(settings),
        settle=settings.orders_label_settle,
        told_within=settings.orders_parcels_told_within,
        sender=settings.mail_from,
        call_takes=settings.orders_http_timeout,
        pickups=pickups(settings),
    )
    gate = ReleaseGateActivities(client, sessions, workflows)
    registered = [*registered, gate.replay_orders, *more(sessions, settings)]
    running = worker(
        client,
        [*workflows, ReleaseGate],
        registered,
        drain=settings.orders_http_timeout + timedelta(seconds=5),
        version=version,
        patches=settings.orders_patches,
    )
    begin_work()
    async with running:
        started.set()
        log.info(
            "worker_ready",
            identity=client.identity,
            host=socket.gethostname(),
            process=os.getpid(),
            version=f"{version.deployment_name}:{version.build_id}" if version else None,
            patches=settings.orders_patches,
        )
        await stop.wait()
        log.info("worker_draining")
    outside.close()
    log.info("worker_stopped")
    del running, client
    gc.unfreeze()
    gc.collect()


def run(workflows: Sequence[type] = WORKFLOWS, more: Activities = lambda _sessions, _settings: ()) -> NoReturn:
    """`more`: the activities of other workflows than orders'."""
    telemetry.log_to_stderr("worker")
    try:
        uvloop.run(main(Settings.from_environment(needs=WORKER_NEEDS), workflows, more))
    except (SettingsError, upgrade.Unusable, temporal.EngineError) as error:
        print(f"orders worker: {error}", file=sys.stderr)
        leave(1)
    except Exception:
        # said in words, because the interpreter's own way out may hang with the engine's client alive
        log.exception("worker_failed")
        leave(1)
    leave(0)


if __name__ == "__main__":
    run()
