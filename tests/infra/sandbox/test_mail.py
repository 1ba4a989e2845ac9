"""The sandbox's mail store and its page."""

import re
import smtplib
from email.message import EmailMessage
from pathlib import Path

import pytest

from activities.providers.twilio.messages import TwilioMessages
from infra.sandbox.client import SandboxControl
from tests.sandbox import SANDBOX_TOKEN, SECRETS, SandboxProcess


def post(
    sandbox: SandboxControl, subject: str, text: str = "Hello.\n", *, to: str = "ada@example.com", id: str | None = None
) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "shop@example.com", to, subject
    if id:
        message["Message-ID"] = id
    message.set_content(text)
    host, port = sandbox.smtp_url.removeprefix("smtp://").split(":")
    with smtplib.SMTP(host, int(port), timeout=5) as smtp:
        smtp.send_message(message)


def text(sandbox: SandboxControl, body: str, *, to: str = "+14155550120") -> str:
    account, token = SECRETS["TWILIO_ACCOUNT_SID"], SECRETS["TWILIO_AUTH_TOKEN"]
    return TwilioMessages(account, token, "+14155550199", api_base=sandbox.twilio_base).send(to=to, body=body)


def page(sandbox: SandboxControl, path: str = "/mailbox", **query: str) -> str:
    answer = sandbox.client.get(path, params=query)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    return answer.text


def test_mails_without_an_id_are_all_kept(sandbox: SandboxControl) -> None:
    post(sandbox, "Order MB-1: one")
    post(sandbox, "Order MB-1: one")
    assert sandbox.books("MB-1")["emails"] == 2


def test_one_id_is_one_mail_whatever_else_differs(sandbox: SandboxControl) -> None:
    post(sandbox, "Order MB-2: one", id="<mb-2@x>")
    post(sandbox, "Order MB-2: two", id="<mb-2@x>")
    assert [entry["reference"] for entry in sandbox.books("MB-2")["entries"]] == ["<mb-2@x>"]
    assert "came 2 times, kept once" in page(sandbox, order_id="MB-2")


def test_a_mail_survives_a_crash_and_is_still_known(tmp_path: Path) -> None:
    process = SandboxProcess(tmp_path).start()
    control = SandboxControl(process.url, SANDBOX_TOKEN, smtp_port=process.smtp_port)
    post(control, "Order MB-3: confirmed", id="<mb-3@x>")
    process.kill()
    process.start()
    post(control, "Order MB-3: confirmed", id="<mb-3@x>")
    assert control.books("MB-3")["emails"] == 1
    assert "came 2 times" in page(control)
    control.close()
    assert process.stop() == 0


def test_a_fault_meant_for_one_order_leaves_the_others_alone(sandbox: SandboxControl) -> None:
    fault = sandbox.fail("mail", "send", "error", match="MB-4")
    post(sandbox, "Order MB-40: confirmed")
    assert sandbox.struck(fault) == 0
    with pytest.raises(smtplib.SMTPDataError):
        post(sandbox, "Order MB-4: confirmed")
    assert sandbox.struck(fault) == 1
    assert sandbox.books("MB-4")["emails"] == 0


def test_mails_and_texts_stand_newest_first(sandbox: SandboxControl) -> None:
    post(sandbox, "Order MB-5: first")
    text(sandbox, "Order MB-5: second")
    post(sandbox, "Order MB-5: third")
    whole = page(sandbox, order_id="MB-5")
    assert whole.index("third") < whole.index("second") < whole.index("first")
    assert [each["channel"] for each in sandbox.ask("/mailbox", order_id="MB-5")["messages"]] == [
        "email",
        "sms",
        "email",
    ]


def test_the_mailbox_of_one_order_shows_nothing_of_others(sandbox: SandboxControl) -> None:
    post(sandbox, "Order MB-6: yours")
    post(sandbox, "Order MB-66: not yours")
    whole = page(sandbox, order_id="MB-6")
    assert "yours" in whole
    assert "not yours" not in whole
    assert "Nothing about order MB-nobody" in page(sandbox, order_id="MB-nobody")
    assert "not yours" in page(sandbox)


def test_one_message_is_read_in_full(sandbox: SandboxControl) -> None:
    post(sandbox, "Order MB-7: shipped", "Follow it:\nhttps://track.example/?a=1&b=2\n", id="<mb-7@x>")
    link = re.search(r'href="(/mailbox/mail_[^"]+)"', page(sandbox, order_id="MB-7"))
    assert link
    whole = page(sandbox, link[1])
    assert '<a href="https://track.example/?a=1&amp;b=2" rel="noreferrer noopener">' in whole
    assert "&lt;mb-7@x&gt;" in whole
    assert '<a href="/mailbox?order_id=MB-7">MB-7</a>' in whole
    sid = text(sandbox, "Order MB-7: delivered.")
    assert "Order MB-7: delivered." in page(sandbox, f"/mailbox/{sid}")
    assert sandbox.client.get("/mailbox/mail_unknown").status_code == 404


def test_a_text_shows_what_became_of_it(sandbox: SandboxControl) -> None:
    sid = text(sandbox, "Order MB-8: shipped.")
    assert "queued" in page(sandbox, order_id="MB-8")
    sandbox.tell(f"/twilio/messages/{sid}/undelivered", {"code": 30005})
    assert "undelivered 30005" in page(sandbox, order_id="MB-8")


@pytest.mark.parametrize("evil", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "javascript:alert(1)"])
def test_nothing_that_somebody_wrote_becomes_markup(sandbox: SandboxControl, evil: str) -> None:
    post(sandbox, f"Order MB-9: {evil}", f"{evil}\nhttps://x.example/{evil}\n", id=f"<mb-9-{abs(hash(evil))}@x>")
    text(sandbox, f"Order MB-9: {evil}")
    pages = [page(sandbox, order_id="MB-9"), page(sandbox, order_id=evil)]
    pages += [page(sandbox, f"/mailbox/{each['id']}") for each in sandbox.ask("/mailbox", order_id="MB-9")["messages"]]
    for whole in pages:
        assert "<script" not in whole
        assert "<img" not in whole
        assert not re.search(r"href=\"(?!/|https?://)", whole)


def test_the_page_loads_nothing_from_anywhere(sandbox: SandboxControl) -> None:
    post(sandbox, "Order MB-10: confirmed")
    whole = page(sandbox, order_id="MB-10")
    assert not re.search(r"\b(?:src|url|@import)\s*[=(]|<link|<script", whole)
