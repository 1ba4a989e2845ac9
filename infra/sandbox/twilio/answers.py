"""How Twilio answers: errors, one message, a page of messages."""

from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from infra.sandbox.endpoint import Answer
from infra.sandbox.world import Document

VERSION = "2010-04-01"
GSM = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
GSM_TWICE = frozenset("^{}\\[~]|€\f")

ERRORS = {
    20001: (400, "Unknown parameters"),
    20003: (401, "Authenticate"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    20503: (503, "Service Unavailable"),
    21211: (400, "Invalid 'To' Phone Number"),
    21212: (400, "Invalid From Number (caller ID)"),
    21408: (400, "Permission to send an SMS has not been enabled for the region indicated by the 'To' number"),
    21602: (400, "Message body is required."),
    21603: (400, "A 'From' phone number is required."),
    21604: (400, "A 'To' phone number is required."),
    21606: (400, "The From phone number is not a valid, SMS-capable inbound phone number for your account"),
    21609: (400, "The 'StatusCallback' URL is not a valid URL."),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "This From number has exceeded the maximum number of queued messages"),
    21612: (400, "The message cannot be sent with the current combination of 'To' and 'From' parameters"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
}


def error(code: int, detail: str = "") -> Answer:
    status, message = ERRORS[code]
    message = f"{message}: {detail}" if detail else message
    more = f"https://www.twilio.com/docs/errors/{code}"
    return Answer({"code": code, "message": message, "more_info": more, "status": status}, status)


def failure(status: int) -> Answer:
    return error({429: 20429, 500: 20500}.get(status, 20503))


def message(account: str, sid: str, to: str, sender: str, service: str | None, body: str) -> Document:
    """A message as it is first answered: queued (a service accepts it, and picks the number later)."""
    uri = f"/{VERSION}/Accounts/{account}/Messages/{sid}"
    now = rfc2822(datetime.now(UTC))
    return {
        "account_sid": account,
        "api_version": VERSION,
        "body": body,
        "date_created": now,
        "date_sent": None,
        "date_updated": now,
        "direction": "outbound-api",
        "error_code": None,
        "error_message": None,
        "from": None if service else sender,
        "messaging_service_sid": service,
        "num_media": "0",
        "num_segments": "0" if service else str(segments(body)),
        "price": None,
        "price_unit": "USD",
        "sid": sid,
        "status": "accepted" if service else "queued",
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": to,
        "uri": f"{uri}.json",
    }


def page(path: str, given: dict[str, Any], messages: list[Document], more: bool) -> Answer:
    """One page; the address of the next one keeps the filters and goes on after the last message shown."""
    size, number = given.get("PageSize", 50), given.get("Page", 0)
    filters = [(name, value) for name, value in given.items() if name not in ("Page", "PageSize", "PageToken")]

    def uri(page: int, **place: str) -> str:
        return f"{path}?{urlencode([*filters, ('PageSize', size), ('Page', page), *place.items()])}"

    body = {
        "first_page_uri": uri(0),
        "next_page_uri": uri(number + 1, PageToken="PA" + messages[-1]["sid"]) if more else None,
        "previous_page_uri": uri(number - 1) if number else None,
        "page": number,
        "page_size": size,
        "start": number * size,
        "end": number * size + max(0, len(messages) - 1),
        "uri": uri(number),
        "messages": messages,
    }
    return Answer(body)


def callback(doc: Document) -> Document:
    """What a status callback says."""
    fields = {"SmsSid": doc["sid"], "SmsStatus": doc["status"], "MessageStatus": doc["status"], "To": doc["to"]}
    fields |= {
        "MessageSid": doc["sid"],
        "AccountSid": doc["account_sid"],
        "From": doc["from"] or "",
        "ApiVersion": VERSION,
    }
    return fields | ({"ErrorCode": str(doc["error_code"])} if doc["error_code"] else {})


def segments(body: str) -> int:
    """How many SMS a text takes."""
    if all(sign in GSM or sign in GSM_TWICE for sign in body):
        units, alone, each = sum(2 if sign in GSM_TWICE else 1 for sign in body), 160, 153
    else:
        units, alone, each = len(body.encode("utf-16-le")) // 2, 70, 67
    return 1 if units <= alone else -(-units // each)


def rfc2822(instant: datetime) -> str:
    return format_datetime(instant)
