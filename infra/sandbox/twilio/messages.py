"""Send, list, fetch; and what becomes of a message."""

import base64
import binascii
import hmac
import secrets
import time
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from starlette.requests import Request
from starlette.routing import Route

from infra.sandbox import clock, webhooks
from infra.sandbox.control import control
from infra.sandbox.endpoint import Answer, Call, Handler, Problem, endpoint
from infra.sandbox.order_ids import order_in
from infra.sandbox.twilio import answers, numbers
from infra.sandbox.twilio.answers import error, failure
from infra.sandbox.twilio.parameters import CREATE, LIST, checked
from infra.sandbox.world import Document, World

FINAL = ("delivered", "undelivered", "failed")
SERVICE_NUMBER = "+15005550006"


def create(world: World, call: Call) -> Answer:
    account = _account(world, call)
    given = checked(CREATE, call.form())
    service = given.get("MessagingServiceSid")
    sender = given.get("From") or (SERVICE_NUMBER if service else "")
    if not sender:
        raise Problem(error(21603))
    if not given.get("Body"):
        raise Problem(error(21602))
    if code := numbers.refusal(given["To"], sender):
        raise Problem(error(code))
    sid = "SM" + secrets.token_hex(16)
    doc = answers.message(account, sid, given["To"], sender, service, given["Body"])
    order_id = order_in(doc["body"])
    kept = {"message": doc, "sender": sender, "callback": given.get("StatusCallback"), "order_id": order_id}
    world.put("sms", sid, kept | {"at": time.time()}, under=doc["to"])
    world.count("sms", order_id, sid)
    clock.schedule(world, "twilio.sent", {"sid": sid}, paces=1, order_id=order_id)
    clock.schedule(world, "twilio.ended", {"sid": sid}, paces=2, order_id=order_id)
    return Answer(doc, 201)


def search(world: World, call: Call) -> Answer:
    """Newest first, as at Twilio."""
    _account(world, call)
    given = checked(LIST, call.args())
    found = [kept["message"] for kept in world.all("sms", under=given.get("To"), newest_first=True)]
    found = [doc for doc in found if _wanted(doc, given)]
    if token := given.get("PageToken"):
        sids = [doc["sid"] for doc in found]
        if token.removeprefix("PA") not in sids:
            raise Problem(error(20001, "PageToken"))
        found = found[sids.index(token.removeprefix("PA")) + 1 :]
    elif given.get("Page"):
        raise Problem(error(20001, "Page without PageToken"))
    size = given.get("PageSize", 50)
    return answers.page(_own_path(call), given, found[:size], more=len(found) > size)


def fetch(world: World, call: Call) -> Answer:
    _account(world, call)
    checked({}, call.args())
    return Answer(_kept(world, call.path_params["sid"])["message"])


def advance(world: World, sid: str, status: str, code: int | None = None) -> None:
    """A message goes on, never back, and its sender is told."""
    kept = _kept(world, sid)
    doc = kept["message"]
    if doc["status"] in (*FINAL, status):
        return
    now = answers.rfc2822(datetime.now(UTC))
    doc |= {"status": status, "date_updated": now, "from": kept["sender"], "date_sent": doc["date_sent"] or now}
    doc |= {"error_code": code, "price": doc["price"] or "-0.00790", "num_segments": str(answers.segments(doc["body"]))}
    world.put("sms", sid, kept | {"message": doc})
    if kept["callback"]:
        webhooks.send(world, "twilio", answers.callback(doc), url=kept["callback"])


@clock.action("twilio.sent")
def _sent(world: World, subject: Document) -> None:
    advance(world, subject["sid"], "sent")


@clock.action("twilio.ended")
def _ended(world: World, subject: Document) -> None:
    code = numbers.late_failure(_kept(world, subject["sid"])["message"]["to"])
    advance(world, subject["sid"], "undelivered" if code else "delivered", code)


def _tell(world: World, request: Request, given: Any) -> None:
    status, code = request.path_params["status"], given.get("code", 30008)
    if status not in ("sent", *FINAL):
        raise KeyError(status)
    try:
        with world.transaction():
            advance(world, request.path_params["sid"], status, code if status in ("undelivered", "failed") else None)
    except Problem:
        raise KeyError(request.path_params["sid"]) from None


def _account(world: World, call: Call) -> str:
    """Who calls, by HTTP basic authentication, about their own account."""
    expected = f"{world.credentials.twilio_account_sid}:{world.credentials.twilio_auth_token}"
    scheme, _, given = call.headers.get("authorization", "").partition(" ")
    try:
        known = hmac.compare_digest(base64.b64decode(given), expected.encode())
    except binascii.Error:
        known = False
    if scheme.lower() != "basic" or not known:
        raise Problem(error(20003))
    if call.path_params["account"] != world.credentials.twilio_account_sid:
        raise Problem(error(20404))
    return world.credentials.twilio_account_sid


def _kept(world: World, sid: str) -> Document:
    kept = world.get("sms", sid)
    if kept is None:
        raise Problem(error(20404))
    return kept


def _wanted(doc: Document, given: dict[str, Any]) -> bool:
    if given.get("From") not in (None, doc["from"]):
        return False
    limits = {name: given[name] for name in ("DateSent", "DateSent<", "DateSent>") if name in given}
    if not limits:
        return True
    if doc["date_sent"] is None:
        # The trap of the real one: what is still queued has no date of sending and is left out.
        return False
    day = parsedate_to_datetime(doc["date_sent"]).date().isoformat()
    compare = {"DateSent": day.__eq__, "DateSent<": day.__le__, "DateSent>": day.__ge__}
    return all(compare[name](limit[:10]) for name, limit in limits.items())


def _own_path(call: Call) -> str:
    """As Twilio writes it: without whatever prefix this one is served under."""
    return call.path[call.path.index(f"/{answers.VERSION}/") :]


def routes(world: World) -> list[Route]:
    def route(path: str, method: str, operation: str, handler: Handler) -> Route:
        whole = f"/twilio/{answers.VERSION}/Accounts/{{account}}/{path}"
        return Route(whole, endpoint(world, "twilio", operation, handler, failure=failure), methods=[method])

    return [
        route("Messages.json", "POST", "send", create),
        route("Messages.json", "GET", "list", search),
        route("Messages/{sid}.json", "GET", "fetch", fetch),
        Route("/_sandbox/twilio/messages/{sid}/{status}", control(world, _tell), methods=["POST"]),
    ]
