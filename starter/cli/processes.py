"""One process each, for deployments: this one becomes it, so signals and exit codes are its own."""

import os
import sys
from typing import Annotated, NoReturn

import typer

from starter.cli.failure import Failed
from starter.cli.read import AsJson


def worker() -> NoReturn:
    """A worker: executes orders and their steps. SIGTERM drains it."""
    become("workers")


def api() -> NoReturn:
    """The HTTP API and its webhooks. SIGTERM drains it."""
    become("starter.api")


def sandbox(
    host: Annotated[str, typer.Option(help="Where it listens, and its name for who calls it.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="HTTP: the providers' APIs, the mailbox, the controls.")] = 8099,
    smtp_port: Annotated[int, typer.Option(help="SMTP: where mails are sent to.")] = 8025,
    state: Annotated[str | None, typer.Option(help="Folder of its state. [default: ORDERS_HOME/sandbox]")] = None,
    pace: Annotated[
        float | None, typer.Option(help="Seconds between steps; left out: nothing moves by itself.")
    ] = None,
    parts: Annotated[
        str | None, typer.Option(help="What is played, as stripe,mail. Leave out what is real. [default: all]")
    ] = None,
) -> NoReturn:
    """The sandbox: a small outside world that speaks the providers' APIs."""
    from starter.cli.stack.environment import require_packages

    require_packages()
    if state is None:
        from infra.settings import Settings, SettingsError

        try:
            state = str(Settings.from_environment().orders_home / "sandbox")
        except SettingsError as wrong:
            raise Failed(str(wrong)) from None
    options = ["--host", host, "--port", str(port), "--smtp-port", str(smtp_port), "--state", state]
    options += [] if pace is None else ["--pace", str(pace)]
    become("infra.sandbox", *options, *([] if parts is None else ["--parts", parts]))


def release_gate(
    orders: Annotated[int, typer.Option(help="Open orders to replay, of each stage as many as the others.")] = 200,
    as_json: AsJson = False,
) -> NoReturn:
    """Exit 1 unless this version replays recorded histories and those of open orders. It changes nothing.

    Asked before workers of a new version take orders; with the Worker Controller its gate asks.
    """
    become("workers.release_gate", "--orders", str(orders), *(["--json"] if as_json else []))


def become(module: str, *arguments: str) -> NoReturn:
    from infra.signals import keep_until_told

    sys.stdout.flush()
    keep_until_told()
    os.execv(sys.executable, command(module, *arguments))  # noqa: S606


def command(module: str, *arguments: str) -> list[str]:
    """`-P`: a folder of the same name where the command is given must not be taken for ours."""
    return [sys.executable, "-P", "-m", module, *arguments]
