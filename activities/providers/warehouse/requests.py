"""A location's warehouse system, over HTTP signed by the Standard Webhooks scheme. Implements `Warehouses`."""

from collections.abc import Mapping
from datetime import UTC, datetime
from urllib.parse import quote

import httpx
from pydantic import BaseModel, ConfigDict
from standardwebhooks import Webhook

from activities.failures import OutcomeUnknown, ProviderFailure, Refused, Unavailable
from activities.ports import ReleasedParcel, WarehouseRequest

PROVIDER = "warehouse"
CONNECT_SECONDS = 5.0
REPEAT = "Nobody knows whether the warehouse has it: it is told again by itself, which is safe."


class Release(BaseModel):
    model_config = ConfigDict(frozen=True)

    parcels: list[ReleasedParcel]


class HttpWarehouses:
    """Every warehouse of the settings: name -> (url, secret). Safe to share between threads; one attempt per call."""

    def __init__(self, warehouses: Mapping[str, tuple[str, str]], timeout: float = 20.0) -> None:
        self._warehouses = {name: (url.rstrip("/"), Webhook(secret)) for name, (url, secret) in warehouses.items()}
        self._client = httpx.Client(timeout=httpx.Timeout(timeout, connect=min(CONNECT_SECONDS, timeout)))

    def close(self) -> None:
        self._client.close()

    def request(self, warehouse: str, fulfillment: WarehouseRequest, *, key: str) -> None:
        self._post(warehouse, "/fulfillments", fulfillment.model_dump_json(exclude_none=True), key)

    def release(self, warehouse: str, fulfillment_id: str, parcels: list[ReleasedParcel], *, key: str) -> None:
        self._post(
            warehouse,
            _path(fulfillment_id, "release"),
            Release(parcels=parcels).model_dump_json(exclude_none=True),
            key,
        )

    def cancel(self, warehouse: str, fulfillment_id: str, *, key: str) -> None:
        self._post(warehouse, _path(fulfillment_id, "cancel"), "{}", key)

    def _post(self, warehouse: str, path: str, body: str, key: str) -> None:
        if warehouse not in self._warehouses:
            raise Refused(
                PROVIDER, "unknown_warehouse", f"Name {warehouse} in WAREHOUSES, with its url and secret, then retry."
            )
        url, webhook = self._warehouses[warehouse]
        failure = self._trouble(url + path, body, _signed(webhook, key, body))
        # Raised here, outside of any `except`, so that no address clings to it as its context.
        if failure is not None:
            raise failure

    def _trouble(self, url: str, body: str, headers: dict[str, str]) -> ProviderFailure | None:
        try:
            answer = self._client.post(url, content=body.encode(), headers=headers)
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout):
            return Unavailable(PROVIDER, "unreachable", "The warehouse cannot be reached: it is tried again by itself.")
        except httpx.UnsupportedProtocol:
            return Refused(
                PROVIDER, "bad_url", "Check WAREHOUSE_URL and WAREHOUSES: an http or https address; then retry."
            )
        except httpx.HTTPError:
            return OutcomeUnknown(PROVIDER, "no_answer", REPEAT)
        return None if answer.is_success else _refusal(answer.status_code)


def _refusal(status: int) -> ProviderFailure:
    match status:
        case 401 | 403:
            return Refused(
                PROVIDER, "credentials", "Check the warehouse's secret (WAREHOUSE_SECRET, WAREHOUSES), then retry."
            )
        case 404:
            return Refused(
                PROVIDER,
                "not_found",
                "The warehouse does not know this fulfillment: ask it, or check its url; then retry.",
            )
        case 409:
            return Refused(
                PROVIDER,
                "conflict",
                "The warehouse knows this fulfillment with other content: ask it to take ours, then retry; or cancel.",
            )
        case 425 | 429 | 503:
            return Unavailable(PROVIDER, "busy", "The warehouse is busy: it is tried again by itself.")
        case _ if 400 <= status < 500 and status != 408:
            return Refused(
                PROVIDER,
                f"rejected_{status}",
                "The warehouse rejects this: ask it why, mend that, then retry; or cancel.",
            )
        case _:
            return OutcomeUnknown(PROVIDER, f"http_{status}", REPEAT)


def _path(fulfillment_id: str, what: str) -> str:
    return f"/fulfillments/{quote(fulfillment_id, safe='')}/{what}"


def _signed(webhook: Webhook, key: str, body: str) -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "content-type": "application/json",
        "webhook-id": key,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": webhook.sign(key, now, body),
    }
