"""The sandbox's Shippo behaves as the vendor does: strict, forgetful of what was bought already, and talkative."""

import hashlib
import hmac
import time
from collections.abc import Callable, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest

from activities.ports import ReleasedParcel
from infra.sandbox.client import SandboxControl
from tests.receiver import Received, Receiver
from tests.sandbox import SECRETS
from tests.warehouse import connected, release, take

ADDRESS = {
    "name": "Ada Park",
    "street1": "1 Dock Rd",
    "city": "Oakland",
    "state": "CA",
    "zip": "94607",
    "country": "US",
}
PARCEL = {"weight": "450", "mass_unit": "g", "length": "20", "width": "15", "height": "10", "distance_unit": "cm"}
Json = dict[str, Any]


class Shippo:
    """Plain HTTP, to send what the SDK would not."""

    def __init__(self, base: str, order_id: str) -> None:
        self.client = httpx.Client(
            base_url=base, headers={"Authorization": "ShippoToken shippo_test_plain"}, trust_env=False
        )
        self.order_id = order_id

    def post(self, path: str, body: Any, status: int = 201) -> Any:
        answer = self.client.post(path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()

    def get(self, path: str, **query: str) -> Any:
        return self.client.get(path, params=query).raise_for_status().json()

    def shipment(self, zip: str = "94117", *, later: bool = False) -> Json:
        asked = {
            "address_from": ADDRESS,
            "address_to": ADDRESS | {"zip": zip},
            "parcels": [PARCEL],
            "async": later,
            "metadata": f"{self.order_id} {self.order_id}-1/1",
        }
        made: Json = self.post("/shipments", asked)
        return made

    def label(self, zip: str = "94117") -> Json:
        rate = self.shipment(zip)["rates"][0]["object_id"]
        made: Json = self.post("/transactions", {"rate": rate, "async": False})
        return made


@pytest.fixture
def shippo(sandbox: SandboxControl) -> Iterator[Shippo]:
    shippo = Shippo(sandbox.shippo_base, f"P-{uuid4().hex[:10]}")
    yield shippo
    shippo.client.close()


@pytest.fixture
def sent(sandbox: SandboxControl, shippo: Shippo) -> Callable[[Json], None]:
    """Marks a label's parcel as handed over by the warehouse."""

    def hand_over(label: Json) -> None:
        id = f"{shippo.order_id}-{label['object_id'][:6]}"
        parcel = ReleasedParcel(tracking_number=label["tracking_number"], carrier="usps", label_url="x")
        with connected(sandbox.warehouse_url) as warehouses:
            take(warehouses, id)
            release(warehouses, id, parcel)
        sandbox.warehouse(id, "hand_over")

    return hand_over


def about(label: Json, event: str) -> Callable[[Received], bool]:
    def wanted(hook: Received) -> bool:
        if hook.path != "/webhooks/shippo" or hook.body["event"] != event:
            return False
        data = hook.body["data"]
        return label["object_id"] in (data.get("object_id"), data.get("transaction"))

    return wanted


@pytest.mark.parametrize(
    "authorization", ["", "shippo_test_x", "Bearer shippo_test_x", "ShippoToken", "ShippoToken invalid"]
)
def test_without_a_good_token_nothing_is_told(sandbox: SandboxControl, authorization: str) -> None:
    answer = httpx.get(f"{sandbox.shippo_base}/transactions", headers={"Authorization": authorization}, trust_env=False)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"surprise": 1}, {"surprise": ["Unknown field."]}),
        ({"parcels": None}, {"parcels": ["This field is required."]}),
        ({"parcels": [PARCEL | {"weight": 450}]}, {"parcels": [{"weight": ["A valid string is required."]}]}),
        ({"parcels": [PARCEL | {"weight": "heavy"}]}, {"parcels": [{"weight": ["A valid string is required."]}]}),
        ({"parcels": [PARCEL | {"mass_unit": "stone"}]}, {"parcels": [{"mass_unit": ["Invalid choice."]}]}),
        ({"address_to": ADDRESS | {"country": "USA"}}, {"address_to": {"country": ["A valid string is required."]}}),
        ({"address_to": ADDRESS | {"planet": "Earth"}}, {"address_to": {"planet": ["Unknown field."]}}),
        ({"async": "false"}, {"async": ["A valid boolean is required."]}),
        ({"metadata": "x" * 101}, {"metadata": ["Ensure this field has no more characters than allowed."]}),
    ],
)
def test_wrong_parameters_are_named(shippo: Shippo, change: Json, named: Json) -> None:
    good = {"address_from": ADDRESS, "address_to": ADDRESS, "parcels": [PARCEL], "async": False}
    assert shippo.post("/shipments", good | change, status=400) == named


def test_a_nested_request_object_is_refused(shippo: Shippo) -> None:
    """What the SDK sends when it is given an object where it wants an id."""
    assert "transaction" in shippo.post("/refunds", {"transaction": {"transaction": "x"}}, status=400)
    assert "rate" in shippo.post("/transactions", {"rate": {"rate": "x"}}, status=400)


def test_a_body_that_is_no_json_is_refused(shippo: Shippo) -> None:
    json = {"Content-Type": "application/json"}
    assert shippo.client.post("/refunds", content="{", headers=json).status_code == 400
    assert shippo.client.post("/refunds", content="[]", headers=json).status_code == 400
    assert shippo.client.post("/refunds", data={"transaction": "x"}).status_code == 415


def test_the_same_rate_bought_twice_is_two_labels(sandbox: SandboxControl, shippo: Shippo) -> None:
    rate = shippo.shipment()["rates"][0]
    first, second = [shippo.post("/transactions", {"rate": rate["object_id"], "async": False}) for _ in range(2)]
    assert first["tracking_number"] != second["tracking_number"]
    assert [each["object_id"] for each in shippo.get("/transactions", rate=rate["object_id"])["results"]] == [
        second["object_id"],
        first["object_id"],
    ]
    assert sandbox.books(shippo.order_id)["labels"] == 2


def test_a_purchase_that_is_not_asked_to_be_synchronous_is_queued_first(shippo: Shippo) -> None:
    rate = shippo.shipment()["rates"][0]["object_id"]
    queued = shippo.post("/transactions", {"rate": rate})
    assert (queued["status"], queued["tracking_number"]) == ("QUEUED", None)
    end = time.monotonic() + 5
    while (now := shippo.get(f"/transactions/{queued['object_id']}"))["status"] == "QUEUED":
        assert time.monotonic() < end
        time.sleep(0.02)
    assert now["status"] == "SUCCESS"
    assert now["tracking_number"]


def test_rates_not_asked_at_once_are_fetched_later(shippo: Shippo) -> None:
    shipment = shippo.shipment(later=True)
    assert (shipment["status"], shipment["rates"]) == ("QUEUED", [])
    rates = shippo.get(f"/shipments/{shipment['object_id']}")["rates"]
    assert shippo.get(f"/rates/{rates[0]['object_id']}") == rates[0]


def test_lists_come_in_pages_and_filtered(shippo: Shippo) -> None:
    rate = shippo.shipment("00001")["rates"][0]["object_id"]
    for _ in range(3):
        shippo.post("/transactions", {"rate": rate, "async": False})
    page = shippo.get("/transactions", rate=rate, results="2", object_status="ERROR")
    assert (len(page["results"]), bool(page["next"])) == (2, True)
    assert len(shippo.get("/transactions", rate=rate, results="2", page="2")["results"]) == 1
    assert shippo.get("/transactions", rate=rate, object_status="SUCCESS")["results"] == []
    assert shippo.client.get("/transactions", params={"metadata": "x"}).status_code == 400


def test_parcels_move_only_after_they_were_handed_over(
    sandbox: SandboxControl, shippo: Shippo, sent: Callable[[Json], None]
) -> None:
    label = shippo.label()
    number = label["tracking_number"]
    refused = sandbox.client.post(f"/_sandbox/shippo/tracks/{number}/in_transit")
    assert refused.status_code == 400
    assert "hand it over" in refused.json()["error"]
    sent(label)
    sandbox.track(number, "in_transit")
    track = shippo.get(f"/tracks/usps/{number}")
    assert track["tracking_status"]["status"] == "TRANSIT"
    assert [event["status"] for event in track["tracking_history"]] == ["PRE_TRANSIT", "TRANSIT"]
    assert shippo.get(f"/transactions/{label['object_id']}")["tracking_status"] == "TRANSIT"
    assert shippo.post("/tracks", {"carrier": "usps", "tracking_number": number}, status=200) == track


@pytest.mark.parametrize(
    ("zip", "codes"),
    [
        ("94117", ["package_accepted", "out_for_delivery", "delivered"]),
        ("00005", ["package_accepted", "out_for_delivery", "return_to_sender"]),
        ("00006", ["package_accepted", "package_lost"]),
    ],
)
def test_parcels_move_by_themselves_at_the_pace(
    sandbox: SandboxControl,
    shippo: Shippo,
    hooks: Receiver,
    sent: Callable[[Json], None],
    zip: str,
    codes: list[str],
) -> None:
    label = shippo.label(zip)
    sent(label)
    sandbox.pace(0.02)
    news = hooks.wait(about(label, "track_updated"), count=len(codes))
    events = sorted((hook.body["data"]["tracking_status"] for hook in news), key=lambda event: event["status_date"])
    assert [event["substatus"]["code"] for event in events] == codes


def test_news_is_signed_over_the_raw_bytes(shippo: Shippo, hooks: Receiver) -> None:
    label = shippo.label()
    [hook] = hooks.wait(about(label, "transaction_created"))
    assert hook.body["data"] == label
    parts = dict(part.split("=", 1) for part in hook.headers["shippo-auth-signature"].split(","))
    signed = hmac.new(SECRETS["SHIPPO_WEBHOOK_SECRET"].encode(), parts["t"].encode() + b"." + hook.raw, hashlib.sha256)
    assert hmac.compare_digest(parts["v1"], signed.hexdigest())
    assert abs(time.time() - int(parts["t"])) < 60


@pytest.mark.parametrize(("zip", "end"), [("94117", "REFUNDED"), ("00004", "REFUNDREJECTED")])
def test_a_refund_is_answered_at_the_pace(
    sandbox: SandboxControl, shippo: Shippo, hooks: Receiver, zip: str, end: str
) -> None:
    label = shippo.label(zip)
    refund = shippo.post("/refunds", {"transaction": label["object_id"], "async": False})
    assert refund["status"] == "PENDING"
    assert shippo.post("/refunds", {"transaction": label["object_id"]}, status=400)
    sandbox.pace(0.02)
    news = hooks.wait(about(label, "transaction_updated"), count=2)
    assert {hook.body["data"]["status"] for hook in news} == {"REFUNDPENDING", end}
    assert shippo.get(f"/transactions/{label['object_id']}")["status"] == end
    assert shippo.get(f"/refunds/{refund['object_id']}")["status"] == {"REFUNDED": "SUCCESS"}.get(end, "ERROR")
    assert sandbox.books(shippo.order_id)["label_refunds"] == 1


def test_a_used_label_is_not_refunded(
    sandbox: SandboxControl, shippo: Shippo, sent: Callable[[Json], None], hooks: Receiver
) -> None:
    label = shippo.label()
    sent(label)
    shippo.post("/refunds", {"transaction": label["object_id"]})
    sandbox.pace(0.02)
    news = hooks.wait(about(label, "transaction_updated"), count=2)
    assert "REFUNDREJECTED" in {hook.body["data"]["status"] for hook in news}


def test_a_failed_purchase_cannot_be_refunded(shippo: Shippo) -> None:
    label = shippo.label("00001")
    assert label["status"] == "ERROR"
    shippo.post("/refunds", {"transaction": label["object_id"]}, status=400)


def test_faults_can_be_about_one_order_by_its_rate(sandbox: SandboxControl, shippo: Shippo) -> None:
    rate = shippo.shipment()["rates"][0]["object_id"]
    other = Shippo(sandbox.shippo_base, "P-other")
    sandbox.fail("shippo", "buy", "error", match=shippo.order_id)
    assert other.label()["status"] == "SUCCESS"
    shippo.post("/transactions", {"rate": rate, "async": False}, status=503)
    other.client.close()
