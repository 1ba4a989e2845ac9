"""The sandbox's warehouse: signed both ways, done once, at its pace or as it is told."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from standardwebhooks import Webhook

from activities.ports import PostalAddress, ReleasedParcel, WarehouseLine, WarehouseRequest
from activities.providers.warehouse import HttpWarehouses
from tests.receiver import Received, Receiver
from tests.sandbox import SECRETS, SandboxControl

SECRET = SECRETS["WAREHOUSE_SECRET"]
ADA = PostalAddress(name="Ada Park", street1="215 Clayton St", city="San Francisco", zip="94117", country="US")
PARCEL = ReleasedParcel(tracking_number="9205", carrier="usps", label_url="https://example.com/label.pdf")
Json = dict[str, Any]


def asked(id: str, order_id: str, lines: dict[str, int] | None = None) -> WarehouseRequest:
    wanted = [WarehouseLine(sku=sku, quantity=quantity) for sku, quantity in (lines or {"MUG-BLUE": 2}).items()]
    return WarehouseRequest(fulfillment_id=id, order_id=order_id, location="OAK", lines=wanted, ship_to=ADA)


@contextmanager
def connected(sandbox: SandboxControl) -> Iterator[HttpWarehouses]:
    warehouses = HttpWarehouses({"default": (sandbox.warehouse_url, SECRET)}, timeout=5)
    yield warehouses
    warehouses.close()


@pytest.fixture
def warehouses(sandbox: SandboxControl) -> Iterator[HttpWarehouses]:
    with connected(sandbox) as warehouses:
        yield warehouses


@pytest.fixture
def id() -> str:
    return f"H-{uuid4().hex[:10]}-1"


def order_of(id: str) -> str:
    return id.removesuffix("-1")


def take(warehouses: HttpWarehouses, id: str, lines: dict[str, int] | None = None) -> None:
    warehouses.request("default", asked(id, order_of(id), lines), key=f"request {id}")


def release(warehouses: HttpWarehouses, id: str) -> None:
    warehouses.release("default", id, [PARCEL], key=f"release {id}")


def recall(warehouses: HttpWarehouses, id: str) -> None:
    warehouses.cancel("default", id, key=f"cancel {id}")


def news_of(id: str) -> Callable[[Received], bool]:
    return lambda hook: hook.path == "/webhooks/warehouse" and hook.body["data"].get("fulfillment_id") == id


def types(hooks: Receiver, id: str, last: str) -> list[str]:
    """The types of this fulfillment's news in the order in which they were sent, once the last one has come."""
    hooks.wait(lambda hook: news_of(id)(hook) and hook.body["type"] == f"fulfillment.{last}")
    news = sorted(hooks.all(news_of(id)), key=lambda hook: hook.body["timestamp"])
    return [hook.body["type"].removeprefix("fulfillment.") for hook in news]


def signed(body: bytes, *, at: datetime | None = None, secret: str = SECRET) -> dict[str, str]:
    now = at or datetime.now(UTC)
    signature = Webhook(secret).sign("msg-1", now, body.decode())
    stamp = str(int(now.timestamp()))
    return {"webhook-id": "msg-1", "webhook-timestamp": stamp, "webhook-signature": signature}


def test_what_is_not_signed_by_our_secret_now_is_refused(sandbox: SandboxControl, id: str) -> None:
    body = asked(id, order_of(id)).model_dump_json().encode()
    good = signed(body)
    attempts: list[tuple[bytes, dict[str, str]]] = [
        (body, {}),
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
    body = json.dumps(asked(id, order_of(id)).model_dump() | change).encode()
    url = f"{sandbox.warehouse_url}/fulfillments"
    answer = httpx.post(url, content=body, headers=signed(body), trust_env=False)
    assert (answer.status_code, answer.json()["field"]) == (422, field)


def test_everything_asked_twice_is_done_once(sandbox: SandboxControl, warehouses: HttpWarehouses, id: str) -> None:
    for _ in range(2):
        take(warehouses, id)
        release(warehouses, id)
        recall(warehouses, id)
    books = sandbox.books(order_of(id))
    assert (books["warehouse_requests"], books["releases"], books["recalls"]) == (1, 1, 1)


def test_it_stands_still_until_it_is_told(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id)
    steps = {"accept": "accepted", "pick": "picking", "pack": "packed"}
    for n, (step, news) in enumerate(steps.items(), 1):
        sandbox.warehouse(id, step)  # type: ignore[arg-type]
        assert hooks.wait(news_of(id), count=n)[-1].body["type"] == f"fulfillment.{news}"
    packed = hooks.wait(news_of(id), count=3)[-1]
    assert packed.body["data"] == {
        "fulfillment_id": id,
        "parcels": [{"weight_g": 450, "length_mm": 200, "width_mm": 150, "height_mm": 100}],
    }
    assert sandbox.books(order_of(id))["hand_overs"] == 0


def test_it_packs_what_it_is_told(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id)
    parcels = [{"weight_g": 900, "length_mm": 300, "width_mm": 200, "height_mm": 100}] * 3
    sandbox.warehouse(id, "pack", {"parcels": parcels})
    assert hooks.wait(news_of(id))[0].body["data"]["parcels"] == parcels


def test_by_itself_it_hands_over_only_what_was_released(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id)
    sandbox.pace(0.02)
    assert types(hooks, id, "packed") == ["accepted", "picking", "packed"]
    assert sandbox.books(order_of(id))["hand_overs"] == 0
    release(warehouses, id)
    assert types(hooks, id, "handed_over") == ["accepted", "picking", "packed", "handed_over"]
    assert sandbox.books(order_of(id))["hand_overs"] == 1


def test_told_to_it_makes_the_mistake_of_handing_over_what_was_not_released(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id)
    sandbox.warehouse(id, "hand_over")
    assert types(hooks, id, "handed_over") == ["handed_over"]


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ({"SHORT-MUG": 3}, ["accepted", "picking", "short_picked", "packed"]),
        ({"MUG": 1, "SHORT-MUG": 1}, ["accepted", "picking", "short_picked", "packed"]),
        ({"SHORT-MUG": 1}, ["accepted", "picking", "short_picked"]),
        ({"REFUSE-MUG": 1}, ["refused"]),
    ],
)
def test_some_goods_make_trouble(
    sandbox: SandboxControl,
    warehouses: HttpWarehouses,
    hooks: Receiver,
    id: str,
    lines: dict[str, int],
    expected: list[str],
) -> None:
    take(warehouses, id, lines)
    sandbox.pace(0.02)
    assert types(hooks, id, expected[-1]) == expected
    for hook in hooks.all(news_of(id)):
        if hook.body["type"] == "fulfillment.short_picked":
            assert hook.body["data"]["lines"] == [{"sku": "SHORT-MUG", "missing": 1}]


def test_what_was_missing_once_is_there_when_asked_again(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id, {"SHORT-MUG": 1})
    sandbox.pace(0.02)
    types(hooks, id, "short_picked")
    again = id.removesuffix("1") + "2"
    warehouses.request("default", asked(again, order_of(id), {"SHORT-MUG": 1}), key=f"request {again}")
    assert types(hooks, again, "packed") == ["accepted", "picking", "packed"]


def test_goods_for_two_boxes_are_packed_in_two(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id, {"TWOBOX-VASE": 3})
    sandbox.warehouse(id, "pack")
    parcels = hooks.wait(news_of(id))[0].body["data"]["parcels"]
    assert [parcel["weight_g"] for parcel in parcels] == [450, 300]


def test_a_silent_warehouse_says_nothing(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    other = f"{id}-loud"
    take(warehouses, id, {"SILENT-MUG": 1})
    recall(warehouses, id)
    sandbox.pace(0.02)
    take(warehouses, other)
    types(hooks, other, "packed")
    assert not hooks.all(news_of(id))


def test_a_recall_in_time_stops_it(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id)
    sandbox.warehouse(id, "pack")
    release(warehouses, id)
    recall(warehouses, id)
    sandbox.pace(0.02)
    assert types(hooks, id, "cancelled") == ["packed", "cancelled"]
    books = sandbox.books(order_of(id))
    assert (books["recalls"], books["hand_overs"]) == (1, 0)


def test_a_recall_after_the_hand_over_is_refused(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id)
    sandbox.warehouse(id, "pack")
    release(warehouses, id)
    sandbox.warehouse(id, "hand_over")
    recall(warehouses, id)
    sandbox.pace(0.02)
    assert types(hooks, id, "cancel_refused") == ["packed", "handed_over", "cancel_refused"]


def test_some_goods_cannot_be_recalled_and_leave_all_the_same(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id, {"TOOLATE-MUG": 1})
    sandbox.warehouse(id, "pack")
    release(warehouses, id)
    recall(warehouses, id)
    sandbox.pace(0.02)
    assert types(hooks, id, "handed_over") == ["packed", "cancel_refused", "handed_over"]


def test_a_recall_is_answered_as_told(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id)
    recall(warehouses, id)
    sandbox.warehouse(id, "refuse_cancel")
    sandbox.warehouse(id, "cancel")
    assert types(hooks, id, "cancelled") == ["cancel_refused", "cancelled"]


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
