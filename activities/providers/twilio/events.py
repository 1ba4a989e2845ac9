"""What Twilio tells: whether a text message arrived."""

import hmac
from collections.abc import Sequence
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from pydantic import StringConstraints
from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator, add_port, remove_port  # type: ignore[import-untyped]

from activities.news import FINAL, Body, Delivery, MessageReported, News, Unsigned, parsed


class TwilioEvents:
    signature = "x-twilio-signature"

    def __init__(self, tokens: Sequence[str], public_url: str) -> None:
        self.tokens = tokens
        self.public_url = public_url

    def read(self, delivery: Delivery) -> News:
        """A form, signed with the account's auth token over the public URL and its fields."""
        fields = form(delivery.body)
        if not verified(self.tokens, f"{self.public_url}{delivery.path}", fields, delivery.headers[self.signature]):
            raise Unsigned
        status = parsed(Status, dict(fields))
        sid, word = status.MessageSid, status.MessageStatus
        ended = MessageReported(message=sid, status=word, code=status.ErrorCode or None) if word in FINAL else None
        return News(f"{sid} {word}", word, ended, None)


class Status(Body):
    # the names are Twilio's
    MessageSid: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,64}$")]
    MessageStatus: Annotated[str, StringConstraints(pattern=r"^[a-z-]{1,40}$")]
    ErrorCode: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,10}$")] = ""


def form(body: bytes) -> ImmutableMultiDict[str, str]:
    try:
        return ImmutableMultiDict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200))
    except ValueError:
        raise Unsigned from None


def verified(tokens: Sequence[str], url: str, fields: ImmutableMultiDict[str, str], signature: str) -> bool:
    """Twilio is not consistent about the port in the URL: with or without it will do."""
    parts, given = urlsplit(url), signature.encode("utf-8", "surrogateescape")
    signs = [RequestValidator(token).compute_signature for token in tokens]
    expected = [sign(address, fields) for sign in signs for address in (remove_port(parts), add_port(parts))]
    return any(hmac.compare_digest(one.encode(), given) for one in expected)
