"""The SMTP server: a mail store that keeps one copy of each Message-ID.

A fault that fits every mail strikes at MAIL, as a busy server would; one with `match` has to read the mail first.
"""

import asyncio
import email
import email.policy
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.message import EmailMessage

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from infra.sandbox import faults
from infra.sandbox.faults import Fault
from infra.sandbox.order_ids import order_in
from infra.sandbox.world import Document, World

TRIGGERS = [
    ("to bounce@…", "refused at RCPT: 550"),
    ("to greylist@…", "refused once per address: 451; then taken"),
    ("password “wrong”", "refused at AUTH: 535; any other is right"),
    ("the same Message-ID again", "taken and kept out: counted as a copy, not as a mail"),
    ("GET /_sandbox/mailbox?order_id=", "the mailbox as JSON: emails and text messages, newest first"),
]
TAKEN = "250 2.0.0 OK"
BUSY = "451 4.3.0 Try again later"
BEFORE = {"error": BUSY, "rate_limit": "450 4.7.1 Too many messages"}


@asynccontextmanager
async def running(world: World) -> AsyncIterator[None]:
    """Listens on the loopback interface as long as the sandbox serves."""
    # aiosmtpd logs addresses, and tracebacks of clients that we hung up on ourselves.
    logging.getLogger("mail.log").setLevel(logging.CRITICAL)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _protocol(world, loop), world.host, world.smtp_port)
    world.smtp_port = server.sockets[0].getsockname()[1]
    try:
        yield
    finally:
        server.close()


def _protocol(world: World, loop: asyncio.AbstractEventLoop) -> SMTP:
    return SMTP(
        Sink(world), hostname="sandbox", ident="sandbox", loop=loop, authenticator=_authenticate, auth_require_tls=False
    )


def _authenticate(server: SMTP, session: Session, envelope: Envelope, mechanism: str, login: object) -> AuthResult:
    wrong = isinstance(login, LoginPassword) and login.password == b"wrong"
    return AuthResult(success=not wrong, handled=False)


class Sink:
    """What one connection may do. All of it happens on the sandbox's one event loop, never in between a transaction."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.fault: Fault | None = None

    async def handle_MAIL(  # noqa: N802 (aiosmtpd calls it by this name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.fault = faults.strike(self.world, "mail", "send", "", [])
        if answer := _before(server, self.fault):
            return answer
        envelope.mail_from = address
        return TAKEN

    async def handle_RCPT(  # noqa: N802 (aiosmtpd calls it by this name)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        local = address.partition("@")[0].casefold()
        if local == "bounce":
            return "550 5.1.1 No such mailbox"
        if local == "greylist" and self._new_here(address):
            return "451 4.7.1 Greylisted, try again"
        envelope.rcpt_tos.append(address)
        return TAKEN

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        message = email.message_from_bytes(content, policy=email.policy.default)
        if self.fault is None:
            self.fault = faults.strike(self.world, "mail", "send", _text(message), [])
            if answer := _before(server, self.fault):
                return answer
        with self.world.transaction():
            keep(self.world, message, envelope.rcpt_tos)
        match self.fault.mode if self.fault else None:
            case "error_after":
                return BUSY
            case "lose_answer":
                _hang_up(server)
            case "delay":
                await asyncio.sleep(self.fault.seconds if self.fault else 0)
        return TAKEN

    def _new_here(self, address: str) -> bool:
        with self.world.transaction():
            known = self.world.get("greylisted", address)
            self.world.put("greylisted", address, {})
        return known is None


def _before(server: SMTP, fault: Fault | None) -> str | None:
    """The answer of a fault that strikes before any effect."""
    if fault and fault.mode == "refuse_connection":
        _hang_up(server)
        return BUSY
    return BEFORE.get(fault.mode) if fault else None


def _hang_up(server: SMTP) -> None:
    if server.transport is not None:  # of uvloop it is no asyncio.Transport
        server.transport.abort()  # type: ignore[attr-defined]


def keep(world: World, message: EmailMessage, recipients: list[str]) -> Document:
    """One mail and one effect per Message-ID; what comes again is only counted as a copy."""
    message_id = str(message["Message-ID"] or f"<{world.new_id('')}@sandbox>").strip()
    if known := world.get("mail_id", message_id):
        mail = world.get("mail", known["mail"]) or {}
        return world.put("mail", known["mail"], mail | {"copies": mail["copies"] + 1})
    subject = str(message["Subject"] or "")
    mail = {
        "id": world.new_id("mail_"),
        "message_id": message_id,
        "from": str(message["From"] or ""),
        "to": recipients,
        "subject": subject,
        "text": _body(message),
        "order_id": order_in(subject),
        "copies": 1,
        "at": time.time(),
    }
    world.put("mail_id", message_id, {"mail": mail["id"]})
    world.count("email", mail["order_id"], message_id)
    return world.put("mail", mail["id"], mail)


def _body(message: EmailMessage) -> str:
    part = message.get_body(("plain", "html"))
    if part is None:
        return ""
    try:
        return str(part.get_content()).replace("\r\n", "\n")
    except (LookupError, ValueError):
        return ""


def _text(message: EmailMessage) -> str:
    """What a fault's `match` is looked for in."""
    return " ".join([*(str(value) for value in message.values()), _body(message)])
