"""`python -m infra.sandbox --port P --smtp-port P2 --state DIR [--pace SECONDS]`"""

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from infra.sandbox.app import build
from infra.sandbox.world import Credentials, World
from infra.settings import Settings, SettingsError


class Server(uvicorn.Server):
    """Says when it listens, and ends with 0 when told to (uvicorn would die of the signal once more)."""

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.started:
            print(f"sandbox ready on http://{self.config.host}:{self.config.port}", flush=True)

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        yield


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m infra.sandbox", description="The sandbox: providers for orders.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="folder of the sandbox's state")
    parser.add_argument(
        "--pace", type=float, default=None, help="seconds between steps; left out: nothing moves by itself"
    )
    told = parser.parse_args(arguments)
    os.umask(0o077)  # its files hold names and addresses
    try:
        settings = Settings.from_environment()
    except SettingsError as wrong:
        print(wrong, file=sys.stderr)
        return 1
    world = World(
        state=told.state,
        credentials=credentials(settings),
        default_pace=told.pace,
        url=f"http://127.0.0.1:{told.port}",
        smtp_port=told.smtp_port,
    )
    config = uvicorn.Config(
        build(world),
        host="127.0.0.1",
        port=told.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    server = Server(config)
    server.run()
    world.close()
    return 0 if server.started else 1


def credentials(settings: Settings) -> Credentials:
    """The vendors' shared secrets, from the same settings as the rest reads; made up where they are not set."""
    set_ = {
        "stripe_webhook_secret": settings.stripe_webhook_secret,
        "shippo_webhook_secret": settings.shippo_webhook_secret,
        "twilio_auth_token": settings.twilio_auth_token,
        "warehouse_secret": settings.warehouse_secret,
    }
    first = {name: secrets[0].get_secret_value() for name, secrets in set_.items() if secrets}
    account = {"twilio_account_sid": settings.twilio_account_sid} if settings.twilio_account_sid else {}
    return Credentials(public_url=settings.public_url, **first, **account)


if __name__ == "__main__":
    sys.exit(main())
