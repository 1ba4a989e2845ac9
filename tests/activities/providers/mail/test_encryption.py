"""Mail travels encrypted, and no password in the clear."""

import ssl
import subprocess
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
from tests.activities.providers.mail.test_smtp import SHOP, send
from tests.sandbox import free_port


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


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for localhost, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    cert, key = folder / "cert.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-out", str(cert), "-keyout", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key


@contextmanager
def serving(store: Store, **options: Any) -> Iterator[int]:
    controller = Controller(store, hostname="localhost", port=free_port(), authenticator=store.login, **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


def contexts(certificate: tuple[Path, Path]) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """The server's, and that of a client which trusts it."""
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(*certificate)
    return server, ssl.create_default_context(cafile=str(certificate[0]))


@pytest.fixture
def far_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """This machine counts as another one."""
    monkeypatch.setattr(smtp, "_loopback", lambda host: False)


@pytest.mark.usefixtures("far_away")
def test_a_far_server_that_offers_encryption_is_spoken_to_in_no_other_way(certificate: tuple[Path, Path]) -> None:
    server, client = contexts(certificate)
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


def test_smtps_is_encrypted_from_the_first_byte(certificate: tuple[Path, Path]) -> None:
    server, client = contexts(certificate)
    store = Store()
    with serving(store, ssl_context=server, auth_require_tls=False) as port:
        send(SmtpMail(f"smtps://localhost:{port}", SHOP, timeout=5, tls=client), "SM-17")
        with pytest.raises(Unavailable, match="tls"):
            send(SmtpMail(f"smtps://localhost:{port}", SHOP, timeout=5), "SM-17")
    assert store.over_tls == [True]
