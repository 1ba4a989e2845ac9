"""Recorded histories, met by today's code. `python -m tests.workflows.replaying` replays all of them."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence

from workers.replaying import FILES, Kept, recorded, replay
from workers.wiring import WORKFLOWS


async def failures(histories: Iterable[Kept], workflows: Sequence[type] = WORKFLOWS) -> dict[str, str]:
    """Why, of those that do not replay."""

    async def each() -> AsyncIterator[Kept]:
        for kept in histories:
            yield kept

    return {whose: why async for whose, why in replay(each(), workflows) if why}


if __name__ == "__main__":
    assert asyncio.run(failures(kept for file in FILES for kept in recorded(file))) == {}
    print(*{file.stem for file in FILES})
