"""The sandbox's warehouse at work: at its pace or as it is told, with goods that make trouble, and recalls."""

from collections.abc import Iterator
from uuid import uuid4

import pytest

from activities.providers.warehouse.requests import HttpWarehouses
from infra.sandbox.client import SandboxControl
from tests.receiver import Receiver
from tests.warehouse import connected, news_are, news_of, order_of, recall, release, take


@pytest.fixture
def warehouses(sandbox: SandboxControl) -> Iterator[HttpWarehouses]:
    with connected(sandbox.warehouse_url) as warehouses:
        yield warehouses


@pytest.fixture
def id() -> str:
    return f"H-{uuid4().hex[:10]}-1"


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
        "parcels": [
            {
                "weight_g": 450,
                "length_mm": 200,
                "width_mm": 150,
                "height_mm": 100,
                "contents": [{"sku": "MUG-BLUE", "quantity": 2}],
            }
        ],
    }
    assert sandbox.books(order_of(id))["hand_overs"] == 0


def test_it_packs_what_it_is_told(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id)
    parcels = [{"weight_g": 900, "length_mm": 300, "width_mm": 200, "height_mm": 100}] * 3
    sandbox.warehouse(id, "pack", {"parcels": parcels})
    assert hooks.wait(news_of(id))[0].body["data"]["parcels"] == parcels


def test_one_order_stands_still_while_the_others_move(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    sandbox.pace(None, order_of(id))
    sandbox.pace(0.02)
    other = f"H-{uuid4().hex[:10]}-1"
    take(warehouses, id)
    take(warehouses, other)
    news_are(hooks, other, "accepted", "picking", "packed")
    sandbox.pace(0.01)
    sandbox.warehouse(id, "accept")
    news_are(hooks, id, "accepted")
    sandbox.pace(0.02, order_of(id))
    news_are(hooks, id, "accepted", "picking", "packed")


def test_by_itself_it_hands_over_only_what_was_released(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id)
    sandbox.pace(0.02)
    news_are(hooks, id, "accepted", "picking", "packed")
    assert sandbox.books(order_of(id))["hand_overs"] == 0
    release(warehouses, id)
    news_are(hooks, id, "accepted", "picking", "packed", "handed_over")
    assert sandbox.books(order_of(id))["hand_overs"] == 1


def test_told_to_it_makes_the_mistake_of_handing_over_what_was_not_released(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id)
    sandbox.warehouse(id, "hand_over")
    news_are(hooks, id, "handed_over")


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
    news_are(hooks, id, *expected)
    for hook in hooks.all(news_of(id)):
        if hook.body["type"] == "fulfillment.short_picked":
            assert hook.body["data"]["lines"] == [{"sku": "SHORT-MUG", "missing": 1}]


def test_what_was_missing_once_is_there_when_asked_again(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id, {"SHORT-MUG": 1})
    sandbox.pace(0.02)
    news_are(hooks, id, "accepted", "picking", "short_picked")
    again = id.removesuffix("1") + "2"
    take(warehouses, again, {"SHORT-MUG": 1})
    news_are(hooks, again, "accepted", "picking", "packed")


def test_goods_for_two_boxes_are_packed_in_two(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id, {"TWOBOX-VASE": 3})
    sandbox.warehouse(id, "pack")
    parcels = hooks.wait(news_of(id))[0].body["data"]["parcels"]
    assert [parcel["weight_g"] for parcel in parcels] == [450, 300]
    assert [parcel["contents"][0]["quantity"] for parcel in parcels] == [2, 1]


@pytest.mark.parametrize("contents", [({"MUG": 1}, {"MUG": 1, "POT": 1}), ({"MUG": 2},), ({"MUG": 5, "LAMP": 1},)])
def test_it_packs_these_units(
    sandbox: SandboxControl,
    warehouses: HttpWarehouses,
    hooks: Receiver,
    id: str,
    contents: tuple[dict[str, int], ...],
) -> None:
    take(warehouses, id, {"MUG": 2, "POT": 1})
    sandbox.pack(id, *contents)
    parcels = hooks.wait(news_of(id))[0].body["data"]["parcels"]
    assert [{line["sku"]: line["quantity"] for line in parcel["contents"]} for parcel in parcels] == list(contents)
    assert [parcel["weight_g"] for parcel in parcels] == [150 + 150 * sum(box.values()) for box in contents]


def test_what_is_missing_is_not_packed(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id, {"MUG": 2, "POT": 2, "LAMP": 1})
    sandbox.short_pick(id, {"POT": 1, "LAMP": 1})
    sandbox.warehouse(id, "pack")
    news = {hook.body["type"]: hook.body["data"] for hook in hooks.wait(news_of(id), count=2)}
    missing = [{"sku": "POT", "missing": 1}, {"sku": "LAMP", "missing": 1}]
    assert news["fulfillment.short_picked"]["lines"] == missing
    [parcel] = news["fulfillment.packed"]["parcels"]
    assert parcel["contents"] == [{"sku": "MUG", "quantity": 2}, {"sku": "POT", "quantity": 1}]


def test_a_location_refuses_one_order_or_all_until_it_works_again(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    sandbox.pace(0.02)
    order = order_of(id)
    sandbox.location("OAK", "refuses", order)
    take(warehouses, id)
    news_are(hooks, id, "refused")
    other = f"H-{uuid4().hex[:10]}-1"
    take(warehouses, other)
    news_are(hooks, other, "accepted", "picking", "packed")
    sandbox.location("OAK", "works", order)
    sandbox.location("OAK", "refuses")
    take(warehouses, f"{order}-2")
    news_are(hooks, f"{order}-2", "refused")
    sandbox.location("OAK", "works")
    take(warehouses, f"{order}-3")
    news_are(hooks, f"{order}-3", "accepted", "picking", "packed")


def test_a_location_is_silent_until_it_works_again(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    sandbox.location("OAK", "silent", order_of(id))
    take(warehouses, id)
    recall(warehouses, id)
    sandbox.pace(0.02)
    other = f"H-{uuid4().hex[:10]}-1"
    take(warehouses, other)
    news_are(hooks, other, "accepted", "picking", "packed")
    assert not hooks.all(news_of(id))
    sandbox.location("OAK", "works", order_of(id))
    take(warehouses, f"{order_of(id)}-2")
    news_are(hooks, f"{order_of(id)}-2", "accepted", "picking", "packed")


def test_a_refusal_says_why(sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str) -> None:
    take(warehouses, id)
    sandbox.warehouse(id, "refuse", {"code": "too_heavy"})
    assert hooks.wait(news_of(id))[0].body["data"] == {"fulfillment_id": id, "code": "too_heavy"}


def test_a_silent_warehouse_says_nothing(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    other = f"{order_of(id)}-2"
    take(warehouses, id, {"SILENT-MUG": 1})
    recall(warehouses, id)
    sandbox.pace(0.02)
    take(warehouses, other)
    news_are(hooks, other, "accepted", "picking", "packed")
    assert not hooks.all(news_of(id))


def test_a_recall_in_time_stops_it(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id)
    sandbox.warehouse(id, "pack")
    release(warehouses, id)
    recall(warehouses, id)
    sandbox.pace(0.02)
    news_are(hooks, id, "packed", "cancelled")
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
    news_are(hooks, id, "packed", "handed_over", "cancel_refused")


def test_some_goods_cannot_be_recalled_and_leave_all_the_same(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id, {"TOOLATE-MUG": 1})
    sandbox.warehouse(id, "pack")
    release(warehouses, id)
    recall(warehouses, id)
    sandbox.pace(0.02)
    news_are(hooks, id, "packed", "cancel_refused", "handed_over")


def test_a_recall_is_answered_as_told(
    sandbox: SandboxControl, warehouses: HttpWarehouses, hooks: Receiver, id: str
) -> None:
    take(warehouses, id)
    recall(warehouses, id)
    sandbox.warehouse(id, "refuse_cancel")
    sandbox.warehouse(id, "cancel")
    news_are(hooks, id, "cancel_refused", "cancelled")
