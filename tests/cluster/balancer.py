"""What a load balancer in front of several processes does: a connection goes to the next of them that takes it."""

import asyncio
import itertools
import threading
from collections.abc import Sequence
from contextlib import suppress

from infra.processes import free_ports


class Balancer:
    """In a thread of its own, for as long as this process lives. `connections` says who has how many now."""

    def __init__(self, *ports: int) -> None:
        [self.port] = free_ports(1)
        self.serves(ports)
        ready = threading.Event()
        threading.Thread(target=self._run, args=(ready,), name="balancer", daemon=True).start()
        ready.wait()

    def serves(self, ports: Sequence[int]) -> None:
        self.ports, self.turns = ports, itertools.cycle(ports)
        self.connections = dict.fromkeys(ports, 0)

    def _run(self, ready: threading.Event) -> None:
        asyncio.run(self._serve(ready))

    async def _serve(self, ready: threading.Event) -> None:
        server = await asyncio.start_server(self._taken, "127.0.0.1", self.port)
        ready.set()
        await server.serve_forever()

    async def _taken(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in self.ports:
            port = next(self.turns)
            with suppress(OSError):
                there = await asyncio.open_connection("127.0.0.1", port)
                self.connections[port] += 1
                try:
                    await asyncio.gather(_copied(reader, there[1]), _copied(there[0], writer))
                finally:
                    self.connections[port] -= 1
                return
        writer.close()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Until either end closes: then the other is closed, too."""
    with suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()
