"""Email through any SMTP server. The same Message-ID twice is one message to a mail store."""

import email.policy
import ipaddress
import smtplib
import ssl
from collections.abc import Callable
from contextlib import suppress
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, localtime, parseaddr
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from activities.failures import OutcomeUnknown, ProviderFailure, Refused, Unavailable

PROVIDER = "mail"
PORTS = {"smtp": 587, "smtps": 465}
# Seven bits travel through every server; long ids must not be folded.
WIRE = email.policy.SMTP.clone(cte_type="7bit")

FINAL = {
    "recipient": "Ask the customer for another address.",
    "content": "The server will not carry this message.",
}
NO_TLS = "The server offers no STARTTLS: "
SAME_ID = "Send it again with the same Message-ID."

Result = TypeVar("Result")


class SmtpMail:
    """`Mail` over stdlib smtplib: one connection per message, `timeout` in seconds for each step of it."""

    def __init__(
        self,
        url: str,
        sender: str,
        timeout: float = 20.0,
        *,
        tls: ssl.SSLContext | None = None,
        without_tls: bool = False,
    ) -> None:
        """`url` is `smtp://[user:password@]host[:587]` or `smtps://…[:465]`; `sender` is `a@b` or `Name <a@b>`.
        Malformed: ValueError, which repeats neither. `without_tls`: to a server that offers none too, but no password.
        """
        self._implicit_tls, self._host, self._port, self._login = _server(url)
        self._tls = tls or ssl.create_default_context()
        self._sender = _sender(sender)
        self._timeout = timeout
        self._without_tls = without_tls

    def send(self, *, to: str, subject: str, text: str, message_id: str) -> None:
        """Safe to repeat with the same `message_id`, after every failure."""
        recipient = _recipient(to)
        content = _content(self._sender, recipient, subject, text, message_id)
        smtp = _before_content(self._connected)
        try:
            _before_content(lambda: _address(smtp, self._sender, recipient))
            _deliver(smtp, content)
        finally:
            # The message was answered for already: a server that forgets its manners now changes nothing.
            with suppress(OSError, smtplib.SMTPException):
                smtp.quit()
            smtp.close()

    def _connected(self) -> smtplib.SMTP:
        place = (self._host, self._port, self._sender.domain)
        smtp: smtplib.SMTP
        if self._implicit_tls:
            smtp = smtplib.SMTP_SSL(*place, timeout=self._timeout, context=self._tls)
        else:
            smtp = smtplib.SMTP(*place, timeout=self._timeout)
        try:
            smtp.ehlo_or_helo_if_needed()
            self._secure(smtp)
            if self._login:
                smtp.login(*self._login)
        except BaseException:
            smtp.close()
            raise
        return smtp

    def _secure(self, smtp: smtplib.SMTP) -> None:
        if self._implicit_tls or _loopback(self._host):
            return
        if smtp.has_extn("starttls"):
            smtp.starttls(context=self._tls)
        elif self._login:
            raise Unavailable(PROVIDER, "no_tls", f"{NO_TLS}the password would travel in the clear.")
        elif not self._without_tls:
            raise Unavailable(PROVIDER, "no_tls", f"{NO_TLS}use smtps://, or set MAIL_WITHOUT_TLS=allowed.")


def _server(url: str) -> tuple[bool, str, int, tuple[str, str] | None]:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port or PORTS[parts.scheme]
    except (ValueError, KeyError):
        host, port = None, 0
    if not host:
        raise ValueError("SMTP_URL: expected smtp://[user:password@]host[:port] or smtps://…")
    login = (unquote(parts.username), unquote(parts.password or "")) if parts.username else None
    return parts.scheme == "smtps", host, port, login


def _sender(value: str) -> Address:
    name, address = parseaddr(value)
    try:
        sender = Address(name, addr_spec=address)
        if sender.domain and sender.addr_spec.isascii() and value.isprintable():
            return sender
    except (ValueError, IndexError, MessageError):
        pass
    raise ValueError("MAIL_FROM: expected an address, or a name and an address in <>")


def _recipient(to: str) -> Address:
    """One address and nothing else: no list, no name, no line break."""
    try:
        address = Address(addr_spec=to)
        address = Address(username=address.username, domain=address.domain.encode("idna").decode())
        plain = address.addr_spec.isascii() and address.addr_spec.isprintable()
        if not (plain and address.username and address.domain):
            raise ValueError
    except (ValueError, IndexError, MessageError):
        failure = Refused(PROVIDER, "invalid_address", "Ask the customer for another address.")
    else:
        return address
    raise failure


def _content(sender: Address, recipient: Address, subject: str, text: str, message_id: str) -> bytes:
    message = EmailMessage(WIRE)
    try:
        message["From"] = sender
        message["To"] = recipient
        message["Subject"] = subject
        message["Message-ID"] = message_id
        message["Date"] = format_datetime(localtime())
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(text)
        return message.as_bytes()
    except (ValueError, MessageError):
        failure = Refused(PROVIDER, "invalid_message", "A header held a line break.")
    raise failure


def _deliver(smtp: smtplib.SMTP, content: bytes) -> None:
    failure: ProviderFailure
    try:
        code, _ = smtp.data(content)
    except smtplib.SMTPDataError as error:
        failure = _answered(error.smtp_code, "content")
    except (smtplib.SMTPServerDisconnected, OSError):
        failure = OutcomeUnknown(PROVIDER, "connection_lost", SAME_ID)
    else:
        if code == 250:
            return
        # The server has read the whole message, and one in trouble may have kept it before it said so.
        transient = OutcomeUnknown(PROVIDER, f"content_{code}", SAME_ID)
        failure = transient if code < 500 else _answered(code, "content")
    raise failure


def _before_content(step: Callable[[], Result]) -> Result:
    """Whatever goes wrong in here, nothing was sent. Raised outside the `except`, so that no vendor text and no address
    hangs on the failure as its context."""
    failure: ProviderFailure
    try:
        return step()
    except smtplib.SMTPAuthenticationError as error:
        # Not the message's fault: it is worth sending once the setting is right.
        failure = Unavailable(PROVIDER, f"credentials_{error.smtp_code}", "Check SMTP_URL.")
    except smtplib.SMTPResponseException as error:
        failure = _answered(error.smtp_code, "server")
    except (smtplib.SMTPNotSupportedError, UnicodeError):
        failure = Unavailable(PROVIDER, "credentials", "The server cannot take this password: check SMTP_URL.")
    except ssl.SSLError:
        failure = Unavailable(PROVIDER, "tls", "No secure connection: check SMTP_URL and the server's certificate.")
    except (smtplib.SMTPException, OSError):
        failure = Unavailable(PROVIDER, "unreachable", "Try again.")
    raise failure


def _address(smtp: smtplib.SMTP, sender: Address, recipient: Address) -> None:
    _expect(smtp.mail(sender.addr_spec), "sender")
    _expect(smtp.rcpt(recipient.addr_spec), "recipient")


def _expect(reply: tuple[int, bytes], about: str) -> None:
    if reply[0] not in (250, 251):
        raise _answered(reply[0], about)


def _answered(code: int, about: str) -> ProviderFailure:
    """Only what is about this message is final; a server that does not take us is a matter of settings or patience."""
    if 500 <= code < 600 and about in FINAL:
        return Refused(PROVIDER, f"{about}_{code}", FINAL[about])
    return Unavailable(PROVIDER, f"{about}_{code}", "Try again later, or check SMTP_URL and MAIL_FROM.")


def _loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
