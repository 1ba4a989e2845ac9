"""Whoever watches a worker hears whether it lives and takes up work."""

import asyncio
import socket
from contextlib import suppress

import pytest

from infra.processes import free_ports
from infra.settings import SettingsError
from workers.health import health


def asked(port: int, path: str) -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return connection


async def answer(connection: socket.socket) -> tuple[int, str]:
    with connection:
        connection.settimeout(10)
        text = b""
        while part := await asyncio.to_thread(connection.recv, 1000):
            text += part
    start, _, body = text.decode().partition("\r\n\r\n")
    return int(start.split()[1]), body


async def test_it_lives_at_once_and_is_ready_when_it_takes_up_work() -> None:
    (port,) = free_ports(1)
    ready = False
    async with health(f"127.0.0.1:{port}", lambda: ready):
        assert await answer(asked(port, "/healthz")) == (200, "ok")
        assert (await answer(asked(port, "/readyz")))[0] == 503
        ready = True
        assert await answer(asked(port, "/readyz")) == (200, "ok")
        assert (await answer(asked(port, "/metrics")))[0] == 404
    with pytest.raises(ConnectionRefusedError):
        asked(port, "/healthz")


async def test_what_is_no_request_gets_no_answer_and_disturbs_nothing() -> None:
    (port,) = free_ports(1)
    disturbed: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, about: disturbed.append(about))
    async with health(f"127.0.0.1:{port}", lambda: True):
        for text in (b"\r\n\r\n", b"GET\r\n\r\n", b"x" * 100_000):
            with socket.create_connection(("127.0.0.1", port)) as connection:
                connection.settimeout(10)
                connection.sendall(text)
                with suppress(ConnectionResetError):
                    assert await asyncio.to_thread(connection.recv, 1) == b""
        assert await answer(asked(port, "/healthz")) == (200, "ok")
    asyncio.get_running_loop().set_exception_handler(None)
    assert disturbed == []


async def test_it_is_silent_while_the_loop_of_its_work_stands_still() -> None:
    (port,) = free_ports(1)
    async with health(f"127.0.0.1:{port}", lambda: True):
        connection = asked(port, "/healthz")
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)  # what keeps the loop from going on
        assert await answer(connection) == (200, "ok")


async def test_an_address_that_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as somebody:
        taken = health(f"127.0.0.1:{somebody.getsockname()[1]}", lambda: True)
        with pytest.raises(SettingsError, match="setting ORDERS_HEALTH_ADDRESS cannot be used"):
            await taken.__aenter__()
