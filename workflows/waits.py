"""Who waits for which part of a subject to change. What is checked whenever a run wakes costs the square of the parts:
a run with a thousand of them wakes ten thousand times."""

import asyncio
from collections.abc import Iterable

from workflows.call import Condition


class Waits:
    def __init__(self) -> None:
        self.waiting: dict[str, dict[asyncio.Future[None], Condition]] = {}

    async def until(self, part: str, true: Condition) -> None:
        """It may depend on this part, on what all parts share, and on the time."""
        change: asyncio.Future[None] = asyncio.Future()
        mine = self.waiting.setdefault(part, {})
        mine[change] = true
        try:
            await change
        finally:
            del mine[change]
            if not mine:
                del self.waiting[part]

    def all_changed(self) -> None:
        """What all parts share has."""
        self.changed(tuple(self.waiting))

    def changed(self, parts: Iterable[str]) -> None:
        for part in parts:
            for change, true in self.waiting.get(part, {}).items():
                if not change.done() and true():
                    change.set_result(None)
