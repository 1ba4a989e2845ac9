"""Email over real SMTP, against the sandbox's mail store and servers with worse manners."""

import socket
from threading import Thread
from typing import Any

import pytest

from activities.failures import OutcomeUnknown, Refused, Unavailable
from activities.providers.mail.smtp import SmtpMail
from infra.processes import free_ports
from infra.sandbox.client import Mode, SandboxControl

ADA = "ada@example.com"
SHOP = "Mugs & Söhne <orders@shop.example>"


@pytest.fixture
def mail(sandbox: SandboxControl) -> SmtpMail:
    return SmtpMail(sandbox.smtp_url, SHOP, timeout=5)


def send(mail: SmtpMail, order: str, *, to: str = ADA, subject: str = "confirmed", text: str = "Thank you.\n") -> str:
    message_id = f"<{order}.confirmed@shop.example>"
    mail.send(to=to, subject=f"Order {order}: {subject}", text=text, message_id=message_id)
    return message_id


def received(sandbox: SandboxControl, order: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = sandbox.ask("/mailbox", order_id=order)["messages"]
    return found


def everything_in(failure: BaseException | None) -> str:
    """Everything that a log or a workflow history could hold of a failure."""
    assert failure is not None
    assert failure.__cause__ is None
    assert failure.__context__ is None
    return f"{failure!r} {failure} {failure.__dict__}"


def test_a_mail_arrives_as_it_was_written(mail: SmtpMail, sandbox: SandboxControl) -> None:
    text = "Grüße, Ada €\n.\n..dots\n" + "x" * 2000 + "\nhttps://example.com/" + "y" * 300 + "\n"
    message_id = send(mail, "SM-1", subject="bestätigt – " + "lang " * 30 + "ä", text=text)
    (letter,) = received(sandbox, "SM-1")
    assert letter["text"] == text
    assert letter["subject"] == "Order SM-1: bestätigt – " + "lang " * 30 + "ä"
    assert (letter["to"], letter["from"], letter["message_id"]) == (
        ADA,
        SHOP,
        message_id,
    )
    assert sandbox.books("SM-1")["emails"] == 1


def test_the_same_message_twice_is_one_mail(mail: SmtpMail, sandbox: SandboxControl) -> None:
    send(mail, "SM-2")
    send(mail, "SM-2")
    (letter,) = received(sandbox, "SM-2")
    assert letter["copies"] == 2
    assert sandbox.books("SM-2")["emails"] == 1


def test_a_long_message_id_stays_whole(mail: SmtpMail, sandbox: SandboxControl) -> None:
    order = "SM-3-" + "9" * 59
    assert received(sandbox, order) == []
    message_id = send(mail, order)
    assert received(sandbox, order)[0]["message_id"] == message_id


@pytest.mark.parametrize("mode", ["lose_answer", "error_after"])
def test_a_lost_answer_is_repeated_and_stays_one_mail(mail: SmtpMail, sandbox: SandboxControl, mode: Mode) -> None:
    order = f"SM-4-{mode.replace('_', '-')}"
    sandbox.fail("mail", "send", mode, match=order)
    with pytest.raises(OutcomeUnknown) as lost:
        send(mail, order)
    assert ADA not in everything_in(lost.value)
    assert sandbox.books(order)["emails"] == 1
    send(mail, order)
    assert sandbox.books(order)["emails"] == 1


@pytest.mark.parametrize("mode", ["error", "refuse_connection", "rate_limit"])
def test_a_server_in_trouble_has_taken_nothing(mail: SmtpMail, sandbox: SandboxControl, mode: Mode) -> None:
    order = f"SM-5-{mode.replace('_', '-')}"
    sandbox.fail("mail", "send", mode)
    with pytest.raises(Unavailable) as failed:
        send(mail, order)
    assert ADA not in everything_in(failed.value)
    assert sandbox.books(order)["emails"] == 0
    send(mail, order)
    assert sandbox.books(order)["emails"] == 1


@pytest.mark.parametrize("mode", ["error", "refuse_connection"])
def test_trouble_after_the_content_left_is_an_unknown_outcome(
    mail: SmtpMail, sandbox: SandboxControl, mode: Mode
) -> None:
    order = f"SM-6-{mode.replace('_', '-')}"
    sandbox.fail("mail", "send", mode, match=order)
    with pytest.raises(OutcomeUnknown):
        send(mail, order)
    assert sandbox.books(order)["emails"] == 0


def test_an_answer_that_comes_too_late_is_an_unknown_outcome(sandbox: SandboxControl) -> None:
    sandbox.fail("mail", "send", "delay", seconds=1.0, match="SM-7")
    with pytest.raises(OutcomeUnknown):
        send(SmtpMail(sandbox.smtp_url, SHOP, timeout=0.3), "SM-7")
    assert sandbox.books("SM-7")["emails"] == 1


def test_nothing_was_sent_when_no_server_is_there() -> None:
    with pytest.raises(Unavailable, match="unreachable") as failed:
        send(SmtpMail(f"smtp://127.0.0.1:{free_ports(1)[0]}", SHOP, timeout=1), "SM-8")
    assert ADA not in everything_in(failed.value)


def test_an_address_that_bounces_is_refused(mail: SmtpMail, sandbox: SandboxControl) -> None:
    with pytest.raises(Refused, match="recipient_550") as refusal:
        send(mail, "SM-9", to="bounce@example.com")
    assert "bounce@example.com" not in everything_in(refusal.value)
    assert sandbox.books("SM-9")["emails"] == 0


def test_a_greylisting_server_takes_the_second_try(mail: SmtpMail, sandbox: SandboxControl) -> None:
    with pytest.raises(Unavailable, match="recipient_451") as failed:
        send(mail, "SM-10", to="greylist@sm10.example")
    assert "greylist@sm10.example" not in everything_in(failed.value)
    send(mail, "SM-10", to="greylist@sm10.example")
    assert sandbox.books("SM-10")["emails"] == 1


@pytest.mark.parametrize(
    "to",
    [
        "ada@example.com\r\nBcc: eve@example.com",
        "ada@example.com\nRCPT TO:<eve@example.com>",
        "ada@example.com, eve@example.com",
        "ada@example.com;eve@example.com",
        "Ada <ada@example.com>",
        "ada",
        "ada@",
        "@example.com",
        "",
        "ada@exa mple.com",
        "ädä@example.com",
        "ada\x00@example.com",
    ],
)
def test_only_one_plain_address_is_written_to(mail: SmtpMail, to: str) -> None:
    with pytest.raises(Refused, match="invalid_address") as refusal:
        send(mail, "SM-11", to=to)
    assert "eve" not in everything_in(refusal.value)


def test_an_international_domain_is_written_to(mail: SmtpMail, sandbox: SandboxControl) -> None:
    send(mail, "SM-12", to="ada@bücher.example")
    assert received(sandbox, "SM-12")[0]["to"] == "ada@xn--bcher-kva.example"


@pytest.mark.parametrize(
    ("subject", "message_id"),
    [
        ("Order SM-13\r\nBcc: eve@example.com", "<a@b>"),
        ("Order SM-13\nX: y", "<a@b>"),
        ("Order SM-13", "<a@b>\r\nX: y"),
    ],
)
def test_no_header_can_be_smuggled_in(mail: SmtpMail, sandbox: SandboxControl, subject: str, message_id: str) -> None:
    with pytest.raises(Refused, match="invalid_message") as refusal:
        mail.send(to=ADA, subject=subject, text="x", message_id=message_id)
    assert "eve" not in everything_in(refusal.value)
    assert received(sandbox, "SM-13") == []


def test_a_password_is_shown_to_the_server_and_to_no_one_else(sandbox: SandboxControl) -> None:
    place = sandbox.smtp_url.removeprefix("smtp://")
    send(SmtpMail(f"smtp://us%40er:p%2Fw@{place}", SHOP, timeout=5), "SM-14")
    with pytest.raises(Unavailable, match="credentials_535") as failed:
        send(SmtpMail(f"smtp://user:wrong@{place}", SHOP, timeout=5), "SM-14-b")
    assert "wrong" not in everything_in(failed.value)
    with pytest.raises(Unavailable, match="credentials") as failed:
        send(SmtpMail(f"smtp://user:gehe%C3%AFm@{place}", SHOP, timeout=5), "SM-14-c")
    assert "gehe" not in everything_in(failed.value)
    assert sandbox.books("SM-14")["emails"] == 1


@pytest.mark.parametrize(
    ("url", "sender", "setting"),
    [
        ("http://mail.example", SHOP, "SMTP_URL"),
        ("smtp://", SHOP, "SMTP_URL"),
        ("smtp://user:sesame@mail.example:port", SHOP, "SMTP_URL"),
        ("smtp://user:ses/ame@mail.example", SHOP, "SMTP_URL"),
        ("smtp://mail.example", "shop", "MAIL_FROM"),
        ("smtp://mail.example", "", "MAIL_FROM"),
        ("smtp://mail.example", "a@b.example\r\nX: y", "MAIL_FROM"),
    ],
)
def test_a_malformed_setting_is_named_and_not_repeated(url: str, sender: str, setting: str) -> None:
    with pytest.raises(ValueError, match=setting) as wrong:
        SmtpMail(url, sender)
    assert "ses" not in str(wrong.value)


@pytest.mark.parametrize(
    ("replies", "failure", "code"),
    [
        (["554 no service"], Unavailable, "server_554"),
        (["220 hi", "250 hi", "550 who are you"], Unavailable, "sender_550"),
        (["220 hi", "250 hi", "250 ok", "550 ada@example.com unknown"], Refused, "recipient_550"),
        (["220 hi", "250 hi", "250 ok", "250 ok", "451 later"], Unavailable, "content_451"),
        (["220 hi", "250 hi", "250 ok", "250 ok", "554 no"], Refused, "content_554"),
        (["220 hi", "250 hi", "250 ok", "250 ok", "354 go", "552 too big"], Refused, "content_552"),
        (["220 hi", "250 hi", "250 ok", "250 ok", "354 go", "452 full"], OutcomeUnknown, "content_452"),
        (["220 hi", "250 hi", "250 ok"], Unavailable, "unreachable"),
        (["220 hi", "250 hi", "250 ok", "250 ok", "354 go"], OutcomeUnknown, "connection_lost"),
        (["220 hi", "250 hi", "250 ok", "250 ok", "354 go", "250 kept"], None, ""),
    ],
)
def test_what_a_reply_means_depends_on_how_far_the_mail_got(
    replies: list[str], failure: type[Exception] | None, code: str
) -> None:
    """The last reply is followed by a closed connection, also after a mail was taken."""
    with socket.create_server(("127.0.0.1", 0)) as door:
        server = Thread(target=_recite, args=(door, replies))
        server.start()
        mail = SmtpMail(f"smtp://127.0.0.1:{door.getsockname()[1]}", SHOP, timeout=5)
        if failure is None:
            send(mail, "SM-18")
        else:
            with pytest.raises(failure, match=code) as failed:
                send(mail, "SM-18")
            assert ADA not in everything_in(failed.value)
        server.join()


def _recite(door: socket.socket, replies: list[str]) -> None:
    connection, _ = door.accept()
    with connection, connection.makefile("rb") as lines:
        for n, reply in enumerate(replies):
            if n:
                while (line := lines.readline()) and replies[n - 1].startswith("354") and line != b".\r\n":
                    continue
            connection.sendall(reply.encode() + b"\r\n")
        if replies[-1].startswith("354"):
            while lines.readline() not in (b".\r\n", b""):
                continue
