"""How each vendor signs what it sends."""

import base64
import hashlib
import hmac
import time
from urllib.parse import parse_qsl

from infra.sandbox.world import Credentials


def headers(credentials: Credentials, sender: str, id: str, url: str, body: bytes) -> dict[str, str]:
    """The vendor's headers for this body, signed now."""
    match sender:
        case "stripe":
            signature = timestamped(credentials.stripe_webhook_secret, body)
            return {"Content-Type": "application/json; charset=utf-8", "Stripe-Signature": signature}
        case "shippo":
            signature = timestamped(credentials.shippo_webhook_secret, body)
            return {"Content-Type": "application/json", "Shippo-Auth-Signature": signature}
        case "twilio":
            return {
                "Content-Type": "application/x-www-form-urlencoded",
                "X-Twilio-Signature": twilio(credentials.twilio_auth_token, url, body),
            }
        case _:
            return {"Content-Type": "application/json", **standard(credentials.warehouse_secret, id, body)}


def timestamped(secret: str, body: bytes) -> str:
    """Stripe's scheme, and Shippo's: `t=…,v1=hex(HMAC-SHA256(secret, t.body))`."""
    now = str(int(time.time()))
    return f"t={now},v1={hmac.new(secret.encode(), now.encode() + b'.' + body, hashlib.sha256).hexdigest()}"


def twilio(token: str, url: str, body: bytes) -> str:
    """Base64 of HMAC-SHA1 over the URL and the sorted parameters."""
    fields = sorted(parse_qsl(body.decode(), keep_blank_values=True))
    signed = url + "".join(name + value for name, value in fields)
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def standard(secret: str, id: str, body: bytes) -> dict[str, str]:
    """Standard Webhooks: `v1,base64(HMAC-SHA256(key, id.timestamp.body))`; the key is base64 after `whsec_`."""
    now = str(int(time.time()))
    key = standard_key(secret)
    signed = f"{id}.{now}.".encode() + body
    signature = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    return {"webhook-id": id, "webhook-timestamp": now, "webhook-signature": f"v1,{signature}"}


def standard_key(secret: str) -> bytes:
    key = secret.removeprefix("whsec_")
    return base64.b64decode(key + "=" * (-len(key) % 4))
