"""Mail travels encrypted, and no password in the clear."""

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from activities.failures import Unavailable
from activities.providers.mail import smtp
from activities.providers.mail.smtp import SmtpMail
from infra.processes import free_ports
from tests.activities.providers.mail.test_smtp import SHOP, send

CERTIFICATE = Path(__file__).with_name("localhost.pem")
"""Signed by itself, with its key, until 2126; known to this repository's readers, and of use to nobody else."""


def encrypted(server: SMTP) -> bool:
    return server.transport is not None and server.transport.get_extra_info("ssl_object") is not None


class Store:
    """A mail server that keeps what it got and over what."""

    def __init__(self) -> None:
        self.over_tls: list[bool] = []
        self.logins: list[bool] = []

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.over_tls.append(encrypted(server))
        return "250 OK"

    def login(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object) -> AuthResult:
        self.logins.append(encrypted(server))
        return AuthResult(success=True)


@contextmanager
def serving(store: Store, **options: Any) -> Iterator[int]:
    controller = Controller(store, hostname="localhost", port=free_ports(1)[0], authenticator=store.login, **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def contexts() -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's, and that of a client which trusts it."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(CERTIFICATE)
    return server, ssl.create_default_context(cafile=CERTIFICATE)


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine counts as another one."""
    monkeypatch.setattr(smtp, "_loopback", lambda host: False)


@pytest.mark.usefixtures("far_away")
def test_a_far_server_that_offers_encryption_is_spoken_to_in_no_other_way() -> None:
    server, client = contexts()
    store = Store()
    with serving(store, tls_context=server) as port:
        send(SmtpMail(f"smtp://user:secret@localhost:{port}", SHOP, timeout=5, tls=client), "SM-15")
        with pytest.raises(Unavailable, match="tls"):
            send(SmtpMail(f"smtp://user:secret@localhost:{port}", SHOP, timeout=5), "SM-15")
    assert (store.over_tls, store.logins) == ([True], [True])


@pytest.mark.usefixtures("far_away")
def test_no_password_travels_in_the_clear() -> None:
    store = Store()
    with serving(store, auth_require_tls=False) as port, pytest.raises(Unavailable, match="no_tls"):
        send(SmtpMail(f"smtp://user:secret@localhost:{port}", SHOP, timeout=5), "SM-16")
    assert (store.over_tls, store.logins) == ([], [])


@pytest.mark.usefixtures("far_away")
def test_no_mail_travels_in_the_clear_unless_that_is_allowed() -> None:
    store = Store()
    with serving(store, auth_require_tls=False) as port:
        with pytest.raises(Unavailable, match="no_tls") as refused:
            send(SmtpMail(f"smtp://localhost:{port}", SHOP, timeout=5), "SM-18")
        assert "MAIL_WITHOUT_TLS=allowed" in refused.value.advice
        allowed = SmtpMail(f"smtp://localhost:{port}", SHOP, timeout=5, without_tls=True)
        send(allowed, "SM-18")
        with pytest.raises(Unavailable, match="no_tls"):
            send(SmtpMail(f"smtp://user:secret@localhost:{port}", SHOP, timeout=5, without_tls=True), "SM-18")
    assert (store.over_tls, store.logins) == ([False], [])


def test_smtps_is_encrypted_from_the_first_byte() -> None:
    server, client = contexts()
    store = Store()
    with serving(store, ssl_context=server, auth_require_tls=False) as port:
        send(SmtpMail(f"smtps://localhost:{port}", SHOP, timeout=5, tls=client), "SM-17")
        with pytest.raises(Unavailable, match="tls"):
            send(SmtpMail(f"smtps://localhost:{port}", SHOP, timeout=5), "SM-17")
    assert store.over_tls == [True]
