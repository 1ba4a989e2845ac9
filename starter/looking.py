"""What is looked at every few seconds, in each API process."""

import asyncio
import contextlib
from collections.abc import Callable

from sqlalchemy.exc import SQLAlchemyError
from structlog import get_logger

from starter.http.dependencies import Dependencies

EVERY = 5.0
"""Seconds."""

log = get_logger(__name__)


async def run(what: str, look: Callable[[Dependencies], None], here: Dependencies, stopping: asyncio.Event) -> None:
    """Until it is told to stop; a look that has begun is finished, so that it leaves no connection behind."""
    while not stopping.is_set():
        try:
            await asyncio.to_thread(look, here)
        except SQLAlchemyError as trouble:
            log.error(f"{what} cannot be read", error=type(trouble).__name__)
        except Exception:  # without it they would wait unseen
            log.exception(f"{what}: the look stumbles")
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(EVERY):
                await stopping.wait()
