"""A name of the engine with several addresses has several front ends behind it."""

import asyncio
import sys
from collections import Counter
from contextlib import AsyncExitStack, closing, suppress
from functools import partial
from pathlib import Path

from infra.processes import start
from infra.temporal import DevServer
from tests.namespaces import WITH_OWN_MOUNTS, needs_own_mounts
from tests.sandbox import ROOT

HOSTS = """
127.0.0.1 both.test
127.0.0.2 both.test
127.0.0.1 half.test
127.0.0.3 half.test
"""
CALLS = """
import asyncio, os, sys
from datetime import timedelta
from infra.temporal import connect

async def call(address):
    client = await connect({"TEMPORAL_ADDRESS": address, "TEMPORAL_NAMESPACE": "default"})
    for _ in range(10):
        await client.service_client.check_health(retry=True)

for address in sys.argv[1:]:
    asyncio.run(call(address))
os._exit(0)
"""
MOUNTED = 'mount --bind "$0" /etc/hosts && exec "$@"'


async def forward(
    seen: Counter[str],
    front_end: str,
    engine: DevServer,
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
) -> None:
    seen[front_end] += 1
    host, port = engine.address.split(":")
    engine_reader, engine_writer = await asyncio.open_connection(host, port)

    async def copy(source: asyncio.StreamReader, to: asyncio.StreamWriter) -> None:
        with closing(to), suppress(ConnectionError):
            while part := await source.read(65536):
                to.write(part)

    await asyncio.gather(copy(reader, engine_writer), copy(engine_reader, writer))


@needs_own_mounts
async def test_calls_go_to_all_of_them_and_one_that_is_away_keeps_nobody_from_connecting(
    engine_server: DevServer, tmp_path: Path
) -> None:
    (tmp_path / "hosts").write_text(HOSTS)
    seen: Counter[str] = Counter()
    port = 0
    async with AsyncExitStack() as listening:
        for front_end in ("127.0.0.1", "127.0.0.2"):
            server = await asyncio.start_server(partial(forward, seen, front_end, engine_server), front_end, port)
            await listening.enter_async_context(server)
            port = server.sockets[0].getsockname()[1]
        command = [*WITH_OWN_MOUNTS, "sh", "-c", MOUNTED, str(tmp_path / "hosts"), sys.executable, "-c", CALLS]
        # by half of the addresses each connection fails, unless the others are tried
        addresses = [f"both.test:{port}", *[f"half.test:{port}"] * 5]
        child = start("calls", [*command, *addresses], log=tmp_path / "log", folder=ROOT)
        assert await asyncio.to_thread(child.process.wait, 120) == 0, child.last_words()
    assert set(seen) == {"127.0.0.1", "127.0.0.2"}
