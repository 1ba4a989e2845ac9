"""What Stripe, Shippo, Twilio and warehouses send, signed as they sign it."""

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

import httpx
from sqlalchemy import select
from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator  # type: ignore[import-untyped]

from infra.database.tables import News
from tests.sandbox import SECRETS
from tests.starter.door import Api

PUBLIC = "https://orders.example.com"


@dataclass
class Senders:
    client: httpx.AsyncClient

    async def stripe(
        self, type: str, thing: dict[str, Any], *, id: str | None = None, age: int = 0, created: int | None = None
    ) -> httpx.Response:
        made = created or int(time.time())
        event = {"id": id or f"evt_{uuid4().hex}", "type": type, "created": made, "data": {"object": thing}}
        body = json.dumps(event).encode()
        return await self.post("stripe", body, {"Stripe-Signature": timestamped("STRIPE_WEBHOOK_SECRET", body, age)})

    async def track(
        self, number: str, status: str, substatus: str = "", *, at: str | None = None, age: int = 0, metadata: str = ""
    ) -> httpx.Response:
        seen = {"status": status, "substatus": {"code": substatus}, "status_date": at or datetime.now(UTC).isoformat()}
        data = {"tracking_number": number, "tracking_status": seen, "metadata": metadata}
        return await self.shippo("track_updated", data, age=age)

    async def shippo(self, event: str, data: dict[str, Any], *, age: int = 0) -> httpx.Response:
        body = json.dumps({"event": event, "data": data}).encode()
        return await self.post(
            "shippo", body, {"Shippo-Auth-Signature": timestamped("SHIPPO_WEBHOOK_SECRET", body, age)}
        )

    async def twilio(self, sid: str, status: str, **more: str) -> httpx.Response:
        fields = {"MessageSid": sid, "MessageStatus": status, **more}
        signature = RequestValidator(SECRETS["TWILIO_AUTH_TOKEN"]).compute_signature(
            f"{PUBLIC}/webhooks/twilio", fields
        )
        return await self.post("twilio", urlencode(fields).encode(), {"X-Twilio-Signature": signature})

    async def warehouse(
        self,
        type: str,
        data: dict[str, Any],
        *,
        id: str | None = None,
        secret: str = SECRETS["WAREHOUSE_SECRET"],
        age: int = 0,
        at: str | None = None,
    ) -> httpx.Response:
        id, now = id or f"msg_{uuid4().hex}", datetime.fromtimestamp(time.time() - age, UTC)
        body = json.dumps({"type": type, "timestamp": at or now.isoformat(), "data": data}).encode()
        headers = {
            "webhook-id": id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Webhook(secret).sign(id, now, body.decode()),
        }
        return await self.post("warehouse", body, headers)

    async def post(self, sender: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        return await self.client.post(f"/webhooks/{sender}", content=body, headers={"Authorization": "", **headers})


def timestamped(secret: str, body: bytes, age: int) -> str:
    at = str(int(time.time()) - age)
    return f"t={at},v1={hmac.new(SECRETS[secret].encode(), at.encode() + b'.' + body, hashlib.sha256).hexdigest()}"


async def order(api: Api) -> Any:
    return (await api.client.get("/v1/orders/W-1001")).json()


def recorded(api: Api) -> list[str]:
    with api.database.sessions() as tx:
        return list(tx.scalars(select(News.outcome).order_by(News.recorded_at)))
