"""One timer for all of an order's deadlines: it is set to the nearest, and a deadline that falls away costs nothing."""

import asyncio
from collections.abc import Callable
from datetime import datetime

from temporalio import workflow


class Alarm:
    def __init__(self, rings: Callable[[], None]) -> None:
        self.rings = rings
        self.deadlines: list[datetime] = []
        self.set_for: datetime | None = None
        self.ringing: asyncio.Task[None] | None = None

    def add(self, at: datetime) -> None:
        self.deadlines.append(at)
        if self.set_for is None or at < self.set_for:
            self.restart(at)

    def drop(self, at: datetime) -> None:
        """Nobody waits for it any more. A timer under way goes on: it costs less than another."""
        self.deadlines.remove(at)

    def restart(self, at: datetime) -> None:
        if self.ringing:
            self.ringing.cancel()
        self.set_for = at
        self.ringing = asyncio.create_task(self.ring(at))

    async def ring(self, at: datetime) -> None:
        left = at - workflow.now()
        if left.total_seconds() > 0:
            await workflow.sleep(left)
        self.set_for = self.ringing = None
        later = [deadline for deadline in self.deadlines if deadline > workflow.now()]
        if later:
            self.restart(min(later))
        self.rings()
