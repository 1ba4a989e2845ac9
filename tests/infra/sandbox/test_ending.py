"""The sandbox's own loops end when they are told to, whatever happens at that very moment."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from infra.sandbox import clock, webhooks
from infra.sandbox.world import World


@pytest.mark.parametrize("loop", [clock.keep_time, webhooks.deliver])
@pytest.mark.parametrize("ticks", range(5))
async def test_told_to_end_while_something_is_committed_it_ends(
    loop: Callable[[World], Coroutine[Any, Any, None]], ticks: int
) -> None:
    world = World()
    running = asyncio.create_task(loop(world))
    await asyncio.sleep(0.05)
    with world.transaction():
        world.put("note", "1", {})
    for _ in range(ticks):
        await asyncio.sleep(0)
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=5)
    assert done
    world.close()
