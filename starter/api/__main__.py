"""`python -m starter.api`: the API, and the relay that makes sure of what it accepted."""

if __name__ == "__main__":  # before all that takes long to import
    from infra.signals import end_when_told

    end_when_told()

import asyncio
import contextlib
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import uvicorn
import uvloop
from sqlalchemy import Engine
from structlog import get_logger

from infra.database.upgrade import Unusable, opened
from infra.formats import loopback
from infra.processes import begin_work, leave, told_to_stop
from infra.settings import API_NEEDS, Settings, SettingsError
from infra.telemetry import log_to_stderr
from infra.temporal import EngineError, connect_if_up
from starter.app import build
from starter.http.connections import LIMITS

CONNECTIONS = 24
"""As many again may be opened at need: one for each of the 40 threads that endpoints run on, and for the few that look
at keys, work for the relay, or see whether the database answers."""
DRAIN_SECONDS = 25

log = get_logger(__name__)


class Server(uvicorn.Server):
    """Ends with 0 when told to (uvicorn would die of the signal once more)."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def serve(settings: Settings, engine: Engine) -> int:
    stop = told_to_stop()
    if exposed(settings):
        log.warning(
            "reachable from elsewhere without TLS: put a proxy with TLS before it, and set PUBLIC_URL to https://…",
            host=settings.orders_api_host,
        )
    app = build(settings, engine, await connect_if_up())
    server = Server(
        uvicorn.Config(
            app,
            host=settings.orders_api_host,
            port=settings.orders_api_port,
            log_config=None,
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=DRAIN_SECONDS,
            **LIMITS,
        )
    )
    begin_work()
    serving = asyncio.create_task(server.serve())
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait((serving, stopped), return_when=asyncio.FIRST_COMPLETED)
    app.state.dependencies.stopping = True
    server.should_exit = True
    await serving
    stopped.cancel()
    return 0 if server.started else 1


def exposed(settings: Settings) -> bool:
    """Keys and names of customers would be readable on the way. A public https:// is taken for a proxy with TLS."""
    return not loopback(settings.orders_api_host) and urlsplit(settings.public_url).scheme != "https"


def main() -> int:
    try:
        settings = Settings.from_environment(needs=API_NEEDS)
        engine = opened(settings.database_url.get_secret_value(), CONNECTIONS)
        log_to_stderr("api")
        return uvloop.run(serve(settings, engine))
    except (SettingsError, Unusable, EngineError) as trouble:
        print(f"orders api: {trouble}", file=sys.stderr)
    except SystemExit:  # uvicorn, when it can't listen; it has said why
        return 1
    return 1


if __name__ == "__main__":
    leave(main())
