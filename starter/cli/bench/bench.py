"""`orders bench`: what this installation takes, measured through the API from placed to delivered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated

import typer

from starter.cli.failure import Failed
from starter.cli.read import AsJson

if TYPE_CHECKING:
    from infra.home import Home
    from starter.cli.bench.measuring import Measured, Target


def bench(
    orders: Annotated[int, typer.Option("-n", min=1, max=100_000, help="How many orders.")] = 200,
    at_once: Annotated[int, typer.Option("-c", min=1, max=1_000, help="How many under way at once.")] = 20,
    as_json: AsJson = False,
) -> None:
    """Measure orders per second, latency and cost per order; with a stack of its own where none runs."""
    import asyncio
    import os

    from infra.home import Home, HomeError
    from infra.settings import Settings, SettingsError
    from starter.cli.bench.measuring import Target, measured
    from starter.cli.stack import stack
    from starter.cli.stack.environment import without_real_parts
    from starter.cli.tables import console

    try:
        home = Home(Settings.from_environment().orders_home)
        target = running_one(home)
    except (SettingsError, HomeError) as trouble:
        raise Failed(str(trouble)) from None
    paper = console(stderr=True)
    if target is not None:
        paper.print(f"measuring the stack in {home.path}")
        report(asyncio.run(measured(target, orders, at_once, paper)), as_json)
        return
    own = fresh(Home(home.path / "bench"))
    with (
        paper.status("starting") as status,
        stack.running(own, without_real_parts(os.environ), pace=0, say=status.update) as running,
    ):
        status.stop()
        target = Target(
            running.stack.api_url,
            running.stack.api_key.get_secret_value(),
            running.sandbox or "",
            running.sandbox_token,
            running.environ,
            running.stack.ports,
        )
        found = asyncio.run(measured(target, orders, at_once, paper))
        running.check()
    report(found, as_json)


def running_one(home: Home) -> Target | None:
    """The stack in ORDERS_HOME, if it runs. Its outside world must be the sandbox: a measurement charges nobody."""
    import httpx

    from infra.settings import environment
    from starter.cli.bench.measuring import Target
    from starter.cli.stack.environment import PARTS, SANDBOX_TOKEN

    stack = home.read()
    try:
        if stack is None or not httpx.get(f"{stack.api_url}/healthz", timeout=3, trust_env=False).is_success:
            return None
    except httpx.TransportError:
        return None
    if real := [part for part in PARTS if part not in stack.sandboxed]:
        named = ", ".join(real)
        raise Failed(f"the stack in {home.path} has real providers ({named}): give another ORDERS_HOME, or stop it")
    known = {"TEMPORAL_ADDRESS": f"127.0.0.1:{stack.ports['engine']}"} if "engine" in stack.ports else {}
    sandbox = f"http://127.0.0.1:{stack.ports['sandbox']}"
    token = stack.secrets[SANDBOX_TOKEN].get_secret_value()
    key = stack.api_key.get_secret_value()
    return Target(stack.api_url, key, sandbox, token, environment() | known, stack.ports)


def fresh(home: Home) -> Home:
    from starter.cli.demo.demo import clear

    with home.held():
        clear(home)
    return home


def report(found: Measured, as_json: bool) -> None:
    if as_json:
        print(json.dumps(found.as_json()))
        return
    from starter.cli.tables import console, table

    paper = table("", "", title=f"{found.orders} orders, {found.at_once} at once")
    paper.show_header = False
    for name, value in found.rows():
        paper.add_row(name, value)
    console().print(paper)
