"""Whether this worker lives, and takes up work: plain HTTP, for whoever watches the process."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing, suppress
from functools import partial

from infra.settings import SettingsError

PATIENCE_SECONDS = 10
"""For the whole of a request."""


@asynccontextmanager
async def health(address: str, ready: Callable[[], bool]) -> AsyncIterator[None]:
    """Serves `/healthz` and `/readyz` at `IP:PORT` during the block; empty: nothing. It shares the loop with the work,
    as it is to be silent where that stands still.

    Raises `SettingsError` when nothing can listen there.
    """
    if not address:
        yield
        return
    host, _, port = address.rpartition(":")
    try:
        server = await asyncio.start_server(partial(serve, ready), host.strip("[]"), int(port))
    except OSError:
        raise SettingsError(
            "setting ORDERS_HEALTH_ADDRESS cannot be used: expected an address of this machine and a free port"
        ) from None
    try:
        yield
    finally:
        server.close()


async def serve(ready: Callable[[], bool], reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request a connection."""
    # cut short, too long, too slow, no request at all: nobody waits for an answer
    of_theirs = (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, TimeoutError, ValueError)
    with closing(writer), suppress(*of_theirs):
        async with asyncio.timeout(PATIENCE_SECONDS):
            method, path, *_ = (await reader.readuntil(b"\r\n\r\n")).split(maxsplit=2)
            writer.write(answer(b"%s %s" % (method, path), ready()))
            await writer.drain()


def answer(asked: bytes, ready: bool) -> bytes:
    match asked:
        case b"GET /healthz":
            status, body = b"200 OK", b"ok"
        case b"GET /readyz" if ready:
            status, body = b"200 OK", b"ok"
        case b"GET /readyz":
            status, body = b"503 Service Unavailable", b"takes up no work"
        case _:
            status, body = b"404 Not Found", b"/healthz or /readyz"
    return b"HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (
        status,
        len(body),
        body,
    )
