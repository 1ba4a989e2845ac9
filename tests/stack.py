"""The stack of one test shop: database, engine, API, relay and worker, all real, in a thread of their own, so that
tests are plain functions that ask and wait."""

import asyncio
import itertools
import threading
from collections.abc import Callable, Coroutine, Mapping, Sequence
from datetime import timedelta
from typing import Any, Self, TypeVar
from uuid import uuid4

import httpx
import uvicorn
import uvloop
from google.protobuf.duration_pb2 import Duration
from temporalio.api.workflowservice.v1 import RegisterNamespaceRequest
from temporalio.client import Client

from infra.database.tables import Location
from infra.processes import free_ports
from infra.sandbox.client import SandboxControl
from infra.settings import Settings
from infra.temporal import DevServer, connect, register_search_attributes
from starter.app import build
from starter.keys import create as create_key
from starter.kinds import KINDS, Kind
from tests.fixtures_database import Database
from tests.sandbox import SECRETS
from workers.wiring import WORKFLOWS, Providers, activities, pickups, policy, providers
from workers.worker import worker

T = TypeVar("T")
PACE = 0.02
"""Seconds between two steps of a world that moves by itself: quickly."""
FAST = {
    "ORDERS_HTTP_TIMEOUT": "2s",
    "ORDERS_START_TO_CLOSE": "3500ms",
    "ORDERS_STEP_PATIENCE": "4s",
    "ORDERS_LABEL_SETTLE": "300ms",
    "ORDERS_PARCELS_TOLD_WITHIN": "0s",
}
DOCK = {"name": "Dock", "street1": "1 Dock Rd", "city": "Oakland", "state": "CA", "zip": "94607", "country": "US"}

_numbers = itertools.count(1)


def unique(prefix: str) -> str:
    return f"{prefix}-{next(_numbers)}-{uuid4().hex[:6]}"


class Stack:
    kinds: Mapping[str, Kind] = KINDS

    def __init__(
        self,
        database: Database,
        engine: DevServer,
        sandbox: SandboxControl,
        *,
        wrap: Callable[[Providers], Providers] = lambda outside: outside,
        interceptors: Sequence[Any] = (),
        settings: dict[str, str] | None = None,
    ) -> None:
        self.database = database
        self.sandbox = sandbox
        self.engine = engine
        self.namespace = unique("shop")
        [self.port] = free_ports(1)
        self.settings = Settings.from_environment(self.environment(settings or {}))
        self.wrap = wrap
        self.interceptors = interceptors
        self.loop = uvloop.new_event_loop()
        self.client: Client

    def environment(self, more: dict[str, str]) -> dict[str, str]:
        s = self.sandbox
        return {
            **SECRETS,
            **FAST,
            "DATABASE_URL": self.database.url,
            "ORDERS_API_PORT": str(self.port),
            "STRIPE_API_KEY": "sk_test_shop",
            "STRIPE_API_BASE": s.stripe_base,
            "SHIPPO_API_TOKEN": "shippo_test_shop",
            "SHIPPO_API_BASE": s.shippo_base,
            "TWILIO_FROM": "+15005550006",
            "TWILIO_API_BASE": s.twilio_base,
            "SMTP_URL": s.smtp_url,
            "MAIL_FROM": "Shop <shop@example.com>",
            "WAREHOUSE_URL": s.warehouse_url,
            **more,
        }

    # --- running -----------------------------------------------------------------------------------------------------

    def __enter__(self) -> Self:
        self.thread = threading.Thread(target=self.loop.run_forever, name="shop", daemon=True)
        self.thread.start()
        self.call(self.open())
        with self.database.sessions.begin() as tx:
            key = create_key(
                tx, self.namespace, ["admin", "orders:read", "orders:write", "orders:operate", "stock:write"]
            )
            for n, place in enumerate(("OAK", "RNO"), start=1):
                if tx.get(Location, place) is None:
                    tx.add(
                        Location(
                            location_id=place,
                            name=place,
                            kind="warehouse",
                            priority=n,
                            warehouse="default",
                            address=DOCK,
                            pickup=True,
                        )
                    )
        self.api = httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Authorization": f"Bearer {key}"},
            timeout=30,
            trust_env=False,
        )
        self.sandbox.webhooks_to(self.settings.public_url)
        return self

    async def open(self) -> None:
        settings = self.engine.settings() | {"TEMPORAL_NAMESPACE": self.namespace}
        default = await connect(self.engine.settings())
        await default.workflow_service.register_namespace(
            RegisterNamespaceRequest(
                namespace=self.namespace, workflow_execution_retention_period=Duration(seconds=86400)
            )
        )
        self.client = await connect(settings)
        await self.registered()
        self.outside = self.wrap(providers(self.settings))
        await self.begin_work()
        self.app = app = build(self.settings, self.database.engine, self.client, self.kinds)
        self.server = uvicorn.Server(uvicorn.Config(app, port=self.port, log_level="error", lifespan="on"))
        self.serving = asyncio.create_task(self.server.serve())
        while not self.server.started:  # noqa: ASYNC110 - uvicorn has no event for it
            await asyncio.sleep(0.01)

    async def begin_work(
        self, workflows: Sequence[type] = WORKFLOWS, *, client: Client | None = None, **options: Any
    ) -> None:
        self.worker = worker(
            client or self.client,
            workflows,
            activities(
                self.database.sessions,
                self.outside,
                policy(self.settings),
                settle=self.settings.orders_label_settle,
                told_within=self.settings.orders_parcels_told_within,
                sender=self.settings.mail_from,
                call_takes=self.settings.orders_http_timeout,
                pickups=pickups(self.settings),
            ),
            drain=timedelta(seconds=3),
            interceptors=self.interceptors,
            **{"workflow_failure_exception_types": [Exception], "patches": self.settings.orders_patches, **options},
        )
        self.working = asyncio.create_task(self.worker.run())

    async def end_work(self) -> None:
        await self.worker.shutdown()
        await self.working
        del self.worker

    async def registered(self) -> None:
        """A new namespace takes a moment until the server knows it everywhere."""
        for left in reversed(range(100)):
            try:
                await register_search_attributes(self.client)
                return
            except Exception:
                if not left:
                    raise
                await asyncio.sleep(0.1)

    def __exit__(self, *_: object) -> None:
        self.sandbox.webhooks_to(None)
        self.api.close()
        self.call(self.close())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join()
        self.loop.close()

    async def close(self) -> None:
        self.server.should_exit = True
        await self.serving
        await self.end_work()
        self.outside.close()
        del self.client

    def call(self, work: Coroutine[Any, Any, T], timeout: float = 60) -> T:
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(timeout)
