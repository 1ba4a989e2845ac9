"""Twilio: whether a text message arrived. It is written down, and no order waits for it."""

import hmac
from collections.abc import Iterable
from typing import Annotated
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import SecretStr, StringConstraints
from sqlalchemy.orm import Session
from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import RequestValidator, add_port, remove_port  # type: ignore[import-untyped]

from activities.facts import messages
from starter.http.responses import problems
from starter.webhooks.inbox import Body, Item, Outcome, Taken, read, signed_body, take, unsigned

router = APIRouter(tags=["Webhooks"])


class Status(Body):
    # the names are Twilio's
    MessageSid: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,64}$")]
    MessageStatus: Annotated[str, StringConstraints(pattern=r"^[a-z-]{1,40}$")]
    ErrorCode: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,10}$")] = ""


@router.post("/webhooks/twilio", summary="Statuses of Twilio", responses=problems(400, 401, 413))
async def twilio(request: Request) -> Taken:
    """A form, signed with the account's auth token over the public URL and its fields."""
    body = await signed_body(request, "x-twilio-signature")
    settings = request.app.state.dependencies.settings
    url = f"{settings.public_url}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
    fields = form(body)
    if not verified(settings.twilio_auth_token, url, fields, request.headers.get("x-twilio-signature", "")):
        raise unsigned()
    told = read(Status, dict(fields))
    item = Item("twilio", f"{told.MessageSid} {told.MessageStatus}", told.MessageStatus, told.MessageSid)

    def apply(tx: Session) -> Outcome:
        code = told.ErrorCode or None
        return Outcome.TAKEN if messages.reported(tx, told.MessageSid, told.MessageStatus, code) else Outcome.IGNORED

    return await run_in_threadpool(take, request, item, apply)


def form(body: bytes) -> ImmutableMultiDict[str, str]:
    try:
        return ImmutableMultiDict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200))
    except ValueError:
        raise unsigned() from None


def verified(tokens: Iterable[SecretStr], url: str, fields: ImmutableMultiDict[str, str], signature: str) -> bool:
    """Twilio is not consistent about the port in the URL: with or without it will do."""
    parts, given = urlsplit(url), signature.encode("utf-8", "surrogateescape")
    signs = [RequestValidator(token.get_secret_value()).compute_signature for token in tokens]
    expected = [sign(address, fields) for sign in signs for address in (remove_port(parts), add_port(parts))]
    return any(hmac.compare_digest(one.encode(), given) for one in expected)
