"""`python -m infra.sandbox --port P --smtp-port P2 --state DIR [--host NAME] [--pace SECONDS] [--parts …]`"""

if __name__ == "__main__":  # before all that takes long to import
    from infra.signals import end_when_told

    end_when_told()

import argparse
import asyncio
import contextlib
import os
import signal
import sys
from collections.abc import Collection, Iterator
from pathlib import Path

import uvicorn

from infra.sandbox.app import build
from infra.sandbox.world import PARTS, Credentials, World
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
    parser.add_argument("--host", default="127.0.0.1", help="where it listens, and the name by which it is called")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--smtp-port", type=int, required=True)
    parser.add_argument("--state", type=Path, required=True, help="folder of the sandbox's state")
    parser.add_argument(
        "--pace", type=float, default=None, help="seconds between steps; left out: nothing moves by itself"
    )
    parser.add_argument("--parts", default=",".join(PARTS), help="what is played; leave out what is real")
    options = parser.parse_args(arguments)
    parts = options.parts.split(",")
    if unknown := set(parts) - set(PARTS):
        parser.error(f"--parts knows {', '.join(PARTS)}, not {', '.join(sorted(unknown))}")
    os.umask(0o077)  # its files hold names and addresses
    try:
        settings = Settings.from_environment(needs=("orders_sandbox_token",))
        refuse_real(settings, parts)
    except SettingsError as wrong:
        print(wrong, file=sys.stderr)
        return 1
    world = World(
        state=options.state,
        credentials=credentials(settings, parts),
        parts=parts,
        token=settings.orders_sandbox_token.get_secret_value(),
        default_pace=options.pace,
        host=options.host,
        url=f"http://{options.host}:{options.port}",
        smtp_port=options.smtp_port,
    )
    config = uvicorn.Config(
        build(world),
        host=options.host,
        port=options.port,
        log_level="warning",
        access_log=False,
        timeout_graceful_shutdown=5,
    )
    server = Server(config)
    server.run()
    world.close()
    return 0 if server.started else 1


def refuse_real(settings: Settings, parts: Collection[str]) -> None:
    """Settings with a vendor's key and no other address than the vendor's own are not for play."""
    for part, key in {"stripe": "stripe_api_key", "shippo": "shippo_api_token", "twilio": "twilio_auth_token"}.items():
        base = f"{part}_api_base"
        if part in parts and getattr(settings, key) and getattr(settings, base) == Settings.model_fields[base].default:
            raise SettingsError(f"{part} is real by these settings: set {base.upper()}, or leave it out of --parts")


def credentials(settings: Settings, parts: Collection[str]) -> Credentials:
    """The secrets that these vendors share with us, from the same settings as the rest reads; made up where not set."""
    set_ = {
        "stripe_webhook_secret": settings.stripe_webhook_secret,
        "shippo_webhook_secret": settings.shippo_webhook_secret,
        "twilio_auth_token": settings.twilio_auth_token,
        "warehouse_secret": settings.warehouse_secret,
    }
    played = {name: secrets for name, secrets in set_.items() if secrets and name.partition("_")[0] in parts}
    first = {name: secrets[0].get_secret_value() for name, secrets in played.items()}
    account = {"twilio_account_sid": settings.twilio_account_sid} if settings.twilio_account_sid else {}
    return Credentials(public_url=settings.public_url, **first, **account)


if __name__ == "__main__":
    sys.exit(main())
