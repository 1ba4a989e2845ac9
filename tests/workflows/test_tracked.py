"""The store does not have it: the customer's page, over HTTP as a browser would."""

import re
from datetime import timedelta

import httpx
from sqlalchemy import select

from activities.views.check import breaches
from infra.database.tables import Order
from tests import pickups
from tests.fixtures_shop import renewed_only
from tests.shop import Shop
from tests.workflows.stories import customer_hears

ADDRESS = {"name": "Ada", "street1": "215 Clayton St", "zip": "94117", "city": "San Francisco", "state": "CA"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


def page(shop: Shop, order: str, n: int = 1) -> str:
    """Its address, as the customer has it from the mail."""
    customer_hears(shop, order, "pickup_choice", f"choice {n}")
    return str(re.findall(r"https?://\S+/track/\S+", "\n".join(pickups.mails(shop, order)))[-1])


def chooses(url: str, **fields: str) -> httpx.Response:
    return httpx.post(url, data=fields, follow_redirects=True, trust_env=False, timeout=30)


@renewed_only
def test_refused_at_one_store_it_is_picked_up_at_another(shop: Shop) -> None:
    """Nobody else is asked before the customer says so; looking changes nothing."""
    sku = shop.product(OAK=2, RNO=5)
    order = pickups.place(shop, {sku: 2})
    shop.warehouse(order).refuses("not_found")
    url = page(shop, order)
    before = shop.view(order)
    shown = httpx.get(url, trust_env=False)
    assert shown.status_code == 200
    assert "Pick it up at RNO" in shown.text
    assert "2 × Mug" in shown.text
    headers = shown.headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    assert "script" not in headers["content-security-policy"] + shown.text
    assert not re.search(r"Ada|Park|Clayton|ada@|\+1415", shown.text), "no more of a person than is needed"
    assert shop.view(order) == before
    assert shop.stock(sku) == {"OAK": (2, 0), "RNO": (5, 0)}
    chosen = chooses(url, do="store", location="RNO")
    assert chosen.status_code == 200, chosen.text
    assert chooses(url, do="store", location="RNO").status_code == 409, "it was decided"
    assert chooses(url, do="explode").status_code == 400
    pickups.readied(shop, order, 2)
    shop.sandbox.pick_up(f"{order}-2")
    assert shop.ends(order) == "completed"
    assert shop.stock(sku) == {"OAK": (2, 0), "RNO": (3, 0)}
    assert shop.books(order)["captured"] == 3600


@renewed_only
def test_two_are_found_and_the_third_is_sent_to_an_address_typed_there(shop: Shop) -> None:
    sku = shop.product(OAK=3, RNO=1)
    order = pickups.place(shop, {sku: 3})
    shop.warehouse(order).misses({sku: 1})
    pickups.readied(shop, order)
    url = page(shop, order)
    customer_hears(shop, order, "ready_for_pickup", f"{order}-1")
    read = "\n".join(pickups.mails(shop, order))
    assert "2 × Mug" in read
    assert "1 × Mug" in read
    assert "Please correct" in chooses(url, do="ship", **ADDRESS, country="XX").text
    assert chooses(url, do="ship", **ADDRESS, country="US").status_code == 200
    shop.goes_by_itself(order)
    shop.happened(order, "delivered", 1, 60)
    shop.sandbox.pick_up(f"{order}-1")
    assert shop.ends(order, 60) == "completed"
    methods = {f["fulfillment_id"]: (f["method"], f["location"]) for f in shop.view(order)["fulfillments"]}
    assert methods == {f"{order}-1": ("pickup", "OAK"), f"{order}-2": ("ship", "RNO")}
    assert shop.books(order)["captured"] == 5400


@renewed_only
def test_no_answer_in_time_is_cancelled_and_not_charged(shop: Shop) -> None:
    sku = shop.product(RNO=1)
    order = pickups.place(shop, {sku: 1})
    page(shop, order)
    shop.pass_time(order, timedelta(days=3, minutes=1))
    assert shop.ends(order, 60) == "cancelled"
    assert shop.books(order).get("captured", 0) == 0
    assert shop.stock(sku) == {"RNO": (1, 0)}
    with shop.database.sessions() as tx:
        assert [str(breach) for breach in breaches(tx) if order in str(breach)] == []


@renewed_only
def test_what_nobody_has_can_always_be_cancelled(shop: Shop) -> None:
    order = pickups.place(shop, {shop.product(): 1})
    url = page(shop, order)
    shown = httpx.get(url, trust_env=False).text
    assert 'value="cancel"' in shown
    assert 'value="store"' not in shown
    assert 'value="ship"' not in shown
    assert chooses(url, do="cancel").status_code == 200
    assert shop.ends(order) == "cancelled"


@renewed_only
def test_a_token_that_is_guessed_shows_nothing(shop: Shop) -> None:
    order = pickups.place(shop, {shop.product(OAK=1): 1})
    with shop.database.sessions() as tx:
        token = tx.scalars(select(Order.track_token).where(Order.order_id == order)).one()
    assert len(token) >= 32
    base = f"{shop.settings.public_url}/track/"
    for guess in (token[:-1] + ("A" if token[-1] != "A" else "B"), "x" * 32, order):
        for answer in (httpx.get(base + guess, trust_env=False), chooses(base + guess, do="cancel")):
            assert answer.status_code == 404
            assert order not in answer.text
    assert chooses(base + token, do="person", name="Bo Berg").status_code == 200
    assert shop.view(order)["shipping"]["person"] == "Bo Berg"
    pickups.readied(shop, order)
    extended = chooses(base + token, do="extend", fulfillment=f"{order}-1")
    assert extended.status_code == 200
    assert chooses(base + token, do="extend", fulfillment=f"{order}-1").status_code == 409
    shop.sandbox.pick_up(f"{order}-1")
    assert shop.ends(order) == "completed"
