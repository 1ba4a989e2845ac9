"""Who is slow, or has no key, keeps nobody waiting. A real server on real sockets, and no measuring of time."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
import uvicorn
from anyio.to_thread import current_default_thread_limiter
from sqlalchemy.exc import TimeoutError
from temporalio.client import Client

from infra.database import engine
from infra.database.tables import Product
from infra.processes import free_ports
from infra.settings import Settings
from starter.api import health
from starter.http import connections, middleware
from tests.fixtures_database import Database
from tests.starter.door import Api, running

Pair = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Open = Callable[[bytes], "asyncio.Future[Pair]"]


class Served:
    """The API behind a port, and raw connections to it that end with the test."""

    def __init__(self, api: Api, port: int) -> None:
        self.key = api.client.headers["authorization"]
        self.port = port
        self.opened: list[Pair] = []

    async def send(self, text: str) -> Pair:
        pair = await asyncio.open_connection("127.0.0.1", self.port)
        self.opened.append(pair)
        pair[1].write(text.encode())
        await pair[1].drain()
        return pair

    async def ask(self, path: str = "/v1/orders") -> int:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.port}", trust_env=False, timeout=30) as client:
            return (await client.get(path, headers={"Authorization": self.key})).status_code


@asynccontextmanager
async def serving(api: Api) -> AsyncIterator[Served]:
    [port] = free_ports(1)
    config = uvicorn.Config(api.app, port=port, log_config=None, lifespan="off", **connections.LIMITS)
    server = uvicorn.Server(config)
    running = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.01)
    served = Served(api, port)
    try:
        yield served
    finally:
        for _, writer in served.opened:
            writer.close()
        server.should_exit = True
        await running


@pytest.fixture
async def served(api: Api) -> AsyncIterator[Served]:
    async with serving(api) as served:
        yield served


async def ended(pair: Pair) -> bytes:
    """All that came until the server closed the connection."""
    async with asyncio.timeout(30):
        return await pair[0].read()


def still_open(pair: Pair) -> bool:
    return not pair[0].at_eof()


async def test_an_order_is_read_while_hundreds_have_not_even_finished_asking(served: Served) -> None:
    slow = [await served.send("POST /v1/orders HTTP/1.1\r\nHost: a\r\nX-Slow: ") for _ in range(200)]
    assert await served.ask() == 200
    assert all(map(still_open, slow))


async def test_of_too_many_the_oldest_that_has_asked_nothing_goes(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "MOST", 20)
    slow = [await served.send("GET /v1/orders HTTP/1.1\r\n") for _ in range(30)]
    assert await served.ask() == 200
    for pair in slow[:11]:
        assert await ended(pair) == b""
    assert all(map(still_open, slow[11:]))


async def test_headers_and_a_body_that_do_not_come_are_given_up(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.1)
    monkeypatch.setattr(middleware, "BODY_SECONDS", 0.1)
    for request in ("", "GET /v1/orders HTTP/1.1\r\nX-Slow: "):
        assert await ended(await served.send(request)) == b""
    request = f"POST /v1/orders HTTP/1.1\r\nHost: a\r\nAuthorization: {served.key}\r\nContent-Length: 9\r\n\r\n"
    answer = await ended(await served.send(request + "{"))
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b"application/problem+json" in answer


async def test_headers_of_any_length_are_refused(served: Served) -> None:
    answer = await ended(await served.send("GET /healthz HTTP/1.1\r\nX-Long: " + "a" * connections.HEAD_BYTES))
    assert answer.startswith(b"HTTP/1.1 4")


@pytest.mark.parametrize(
    ("path", "header"),
    [
        ("/v1/orders", "X-None: 1"),
        ("/v1/orders", "Authorization: Bearer ord_nobody"),
        ("/v1/orders", f"Authorization: Bearer ord_{'a' * 43}"),
        *((f"/webhooks/{sender}", "X-None: 1") for sender in ("stripe", "shippo", "twilio", "warehouse")),
    ],
)
async def test_without_key_or_signature_nothing_of_a_body_is_read(served: Served, path: str, header: str) -> None:
    request = f"POST {path} HTTP/1.1\r\nHost: a\r\n{header}\r\nContent-Type: application/json\r\n"
    answer = await ended(await served.send(request + "Content-Length: 900000\r\n\r\n"))  # and not a byte of them
    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_a_large_body_without_a_key_is_told_why_it_is_refused(served: Served) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{served.port}", trust_env=False, timeout=30) as client:
        answer = await client.post("/v1/orders", content=b"[" * 900_000, headers={"Content-Type": "application/json"})
    assert answer.status_code == 401


@pytest.mark.parametrize("opening", [b"[", b'{"options":'])
async def test_a_body_of_many_levels_is_refused(api: Api, opening: bytes) -> None:
    for path in ("/v1/orders", "/v1/restocks", "/v1/orders/W-1001/cancellation"):
        for levels in (500, 3_000, 80_000):
            body = opening * levels + b"1" + {b"[": b"]"}.get(opening, b"}") * levels
            answer = await api.client.post(path, content=body, headers={"Content-Type": "application/json"})
            assert answer.status_code in (400, 422), (path, levels)


async def test_a_sender_that_breaks_off_is_no_bug(served: Served, caplog: pytest.LogCaptureFixture) -> None:
    request = "POST /webhooks/stripe HTTP/1.1\r\nHost: a\r\nStripe-Signature: t=1,v1=2\r\nContent-Length: 9\r\n\r\n{"
    _, writer = await served.send(request)
    await served.ask("/healthz")
    writer.close()
    async with asyncio.timeout(30):
        while not (logged := [r.getMessage() for r in caplog.records if r.name == "starter.http.middleware"]):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert "499" in logged[0]
    assert not any("bug" in each for each in logged)


async def test_liveness_and_refusals_wait_for_no_writer(
    settings: Settings, shop: Database, engine_away: Client
) -> None:
    opened = engine.create(shop.url, pool_size=24, durable=False)
    wide = replace(shop, engine=opened, sessions=engine.sessions(opened))
    restock = {"location": "OAK", "lines": [{"sku": "MUG-RED", "quantity": 1}]}
    async with running(settings, wide, engine_away) as api:
        with wide.sessions.begin() as writer:
            writer.add(Product(sku="CUP", name="Cup", weight_g=1, lead_time_days=1))
            writer.flush()
            waiting = [
                asyncio.create_task(api.client.post("/v1/restocks", json=restock | {"reference": f"R-{n}"}))
                for n in range(45)
            ]
            while current_default_thread_limiter().available_tokens:  # noqa: ASYNC110 - until every thread waits
                await asyncio.sleep(0.01)
            assert (await api.client.get("/healthz")).text == "ok"
            assert (await api.client.get("/readyz")).json()["database"] == "ok"
            for key in ("", f"Bearer ord_{'a' * 43}"):
                assert (await api.client.get("/v1/orders", headers={"Authorization": key})).status_code == 401
            assert not any(task.done() for task in waiting)
        assert {answer.status_code for answer in await asyncio.gather(*waiting)} == {201}
    opened.dispose()


async def test_readiness_does_not_wait_for_a_database_that_hangs(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.05)
    pool, taken = api.database.engine.pool, []
    monkeypatch.setattr(pool, "_timeout", 0)
    try:
        while True:
            taken.append(pool.connect())
    except TimeoutError:
        monkeypatch.setattr(pool, "_timeout", 30)
    for _ in range(3):
        answer = await api.client.get("/readyz")
        assert (answer.status_code, answer.json()["database"]) == (503, "away")
    for connection in taken:
        connection.close()
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 30)
    assert (await api.client.get("/readyz")).json()["database"] == "ok"
