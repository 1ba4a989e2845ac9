"""Connections that send nothing, or too slowly, give way to those that ask something."""

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

HEAD_SECONDS = 10
"""From the first byte of a request (or the connection, before its first) to the end of its headers."""
HEAD_BYTES = 16 * 1024
MOST = 500
"""Open at once: with the database's and the engine's well below the 1,024 files that a process commonly may open."""


class Connection(H11Protocol):
    """Uvicorn's own waits for a request as long as it takes, and takes as many connections as come."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.begun = self.loop.time()
        self.giving_up: asyncio.TimerHandle | None = self.loop.call_later(HEAD_SECONDS, transport.close)
        if len(self.connections) > MOST:
            others = [other for other in self.connections if isinstance(other, Connection)]
            min(others, key=lambda other: (not other.arriving, other.begun)).transport.close()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.conn.their_state is not h11.IDLE:
            self.stop_waiting()
            if self.conn.their_state is h11.DONE:  # who asks whole requests is not the first to give way
                self.begun = self.loop.time()
        elif self.giving_up is None:
            self.giving_up = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def connection_lost(self, exc: Exception | None) -> None:
        self.stop_waiting()
        super().connection_lost(exc)

    def stop_waiting(self) -> None:
        if self.giving_up is not None:
            self.giving_up.cancel()
            self.giving_up = None

    @property
    def arriving(self) -> bool:
        """Whether there is nothing to answer yet: no head, or a body that is still to come."""
        return self.conn.their_state in (h11.IDLE, h11.SEND_BODY) and not self.transport.is_closing()


LIMITS: dict[str, Any] = {"http": Connection, "ws": "none", "h11_max_incomplete_event_size": HEAD_BYTES}
"""What uvicorn is to be configured with."""
