"""The sandbox's warehouse, from outside: signed both ways, strict, and what is asked twice is done once."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from standardwebhooks import Webhook

from activities.providers.warehouse.requests import HttpWarehouses
from infra.sandbox.client import SandboxControl
from tests.receiver import Receiver
from tests.warehouse import PARCEL, SECRET, asked, connected, news_of, order_of, recall, release, take

Json = dict[str, Any]

JSON = {"content-type": "application/json"}


@pytest.fixture
def warehouses(sandbox: SandboxControl) -> Iterator[HttpWarehouses]:
    with connected(sandbox.warehouse_url) as warehouses:
        yield warehouses


@pytest.fixture
def id() -> str:
    return f"H-{uuid4().hex[:10]}-1"


def signed(body: bytes, *, at: datetime | None = None, secret: str = SECRET) -> dict[str, str]:
    now = at or datetime.now(UTC)
    signature = Webhook(secret).sign("msg-1", now, body.decode())
    stamp = str(int(now.timestamp()))
    return JSON | {"webhook-id": "msg-1", "webhook-timestamp": stamp, "webhook-signature": signature}


def test_what_is_not_signed_by_our_secret_now_is_refused(sandbox: SandboxControl, id: str) -> None:
    body = asked(id).model_dump_json().encode()
    good = signed(body)
    attempts: list[tuple[bytes, dict[str, str]]] = [
        (body, JSON),
        (body, signed(body, secret="whsec_c29tZWJvZHkgZWxzZQ==")),
        (body, signed(body, at=datetime.now(UTC) - timedelta(minutes=6))),
        (body, signed(body, at=datetime.now(UTC) + timedelta(minutes=6))),
        (body + b" ", good),
        (body, good | {"webhook-id": "msg-2"}),
        (body, good | {"webhook-signature": "v1,not base64"}),
        (body, good | {"webhook-signature": "nonsense"}),
        (b"\xff\xfe", good),
    ]
    for content, headers in attempts:
        answer = httpx.post(f"{sandbox.warehouse_url}/fulfillments", content=content, headers=headers, trust_env=False)
        assert answer.status_code == 401, headers
    assert sandbox.books(order_of(id))["warehouse_requests"] == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"fulfillment_id": ""}, "fulfillment_id"),
        ({"order_id": "no spaces"}, "order_id"),
        ({"lines": []}, "lines"),
        ({"lines": [{"sku": "MUG", "quantity": 0}]}, "lines[0][quantity]"),
        ({"lines": [{"sku": "MUG", "quantity": "2"}]}, "lines[0][quantity]"),
        ({"lines": [{"quantity": 2}]}, "lines[0][sku]"),
        ({"ship_to": {"name": "Ada"}}, "ship_to[street1]"),
        ({"surprise": 1}, "surprise"),
    ],
)
def test_a_wrong_request_names_the_field(sandbox: SandboxControl, id: str, change: Json, field: str) -> None:
    body = json.dumps(asked(id).model_dump() | change).encode()
    url = f"{sandbox.warehouse_url}/fulfillments"
    answer = httpx.post(url, content=body, headers=signed(body), trust_env=False)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize(
    ("contents", "status", "field"),
    [
        (None, 202, None),
        ([{"sku": "MUG", "quantity": 2}], 202, None),
        ([{"sku": "MUG", "quantity": 0}], 422, "parcels[0][contents][0][quantity]"),
        ([{"units": 2}], 422, "parcels[0][contents][0][units]"),
    ],
)
def test_a_release_may_name_the_contents_of_parcels(
    sandbox: SandboxControl,
    warehouses: HttpWarehouses,
    id: str,
    contents: list[Json] | None,
    status: int,
    field: str | None,
) -> None:
    take(warehouses, id)
    body = json.dumps({"parcels": [PARCEL.model_dump() | {"contents": contents}]}).encode()
    url = f"{sandbox.warehouse_url}/fulfillments/{id}/release"
    answer = httpx.post(url, content=body, headers=signed(body), trust_env=False)
    assert (answer.status_code, answer.json().get("field")) == (status, field)


def test_everything_asked_twice_is_done_once(sandbox: SandboxControl, warehouses: HttpWarehouses, id: str) -> None:
    for _ in range(2):
        take(warehouses, id)
        release(warehouses, id)
        recall(warehouses, id)
    books = sandbox.books(order_of(id))
    assert (books["warehouse_requests"], books["releases"], books["recalls"]) == (1, 1, 1)


def test_news_is_signed_and_keeps_its_id_when_it_is_sent_again(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id)
    sandbox.webhooks(duplicate=True)
    sandbox.warehouse(id, "accept")
    sandbox.warehouse(id, "pick")
    news = hooks.wait(news_of(id), count=4)
    ids: dict[str, set[str]] = {}
    for hook in news:
        Webhook(SECRET).verify(hook.raw, hook.headers)
        ids.setdefault(hook.body["type"], set()).add(hook.headers["webhook-id"])
    accepted, picking = ids["fulfillment.accepted"], ids["fulfillment.picking"]
    assert len(accepted) == len(picking) == 1
    assert accepted != picking


def test_goods_arrive(sandbox: SandboxControl, hooks: Receiver) -> None:
    reference = f"PO-{uuid4().hex[:6]}"
    sandbox.receive(reference, "OAK", {"MUG-BLUE": 40})
    [hook] = hooks.wait(lambda hook: hook.body.get("data", {}).get("reference") == reference)
    assert hook.body["type"] == "stock.received"
    assert hook.body["data"] == {
        "reference": reference,
        "location": "OAK",
        "lines": [{"sku": "MUG-BLUE", "quantity": 40}],
    }


def test_any_other_news_is_sent_as_told(sandbox: SandboxControl, hooks: Receiver) -> None:
    data = {"return_id": f"R-{uuid4().hex[:6]}"}
    sandbox.tell("/warehouse/send", {"type": "return.received", "data": data})
    [hook] = hooks.wait(lambda hook: hook.body.get("data") == data)
    assert hook.body["type"] == "return.received"


def test_controls_refuse_what_makes_no_sense(sandbox: SandboxControl, warehouses: HttpWarehouses, id: str) -> None:
    steps = "/_sandbox/warehouse/fulfillments"
    assert sandbox.client.post(f"{steps}/nothing/accept").status_code == 404
    take(warehouses, id)
    assert sandbox.client.post(f"{steps}/{id}/dance").status_code == 404
    assert sandbox.client.post(f"{steps}/{id}/pack", json={"boxes": 2}).status_code == 400
    sandbox.warehouse(id, "hand_over")
    assert sandbox.client.post(f"{steps}/{id}/hand_over").status_code == 400
    assert sandbox.books(order_of(id))["hand_overs"] == 1
