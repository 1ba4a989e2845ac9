"""What somebody undid at a provider is noticed."""

import httpx
from sqlalchemy import select

from infra.database.tables import Parcel
from infra.hold_kinds import HoldKind
from tests.fixtures_shop import renewed_only
from tests.shop import Shop

pytestmark = renewed_only


def label_of(shop: Shop, order: str) -> str | None:
    with shop.database.sessions() as tx:
        return tx.scalars(select(Parcel.label_id).where(Parcel.fulfillment_id == f"{order}-1")).first()


def given_back(shop: Shop, order: str) -> str:
    """In the shipping provider's own dashboard, once it is bought."""
    label = str(shop.until(lambda: label_of(shop, order), "a label", order))
    who = {"Authorization": "ShippoToken " + shop.settings.shippo_api_token.get_secret_value()}
    asked = {"transaction": label, "async": False}
    httpx.post(f"{shop.sandbox.shippo_base}/refunds", json=asked, headers=who, trust_env=False).raise_for_status()
    shop.sandbox.label(label, "refund")
    return label


def test_a_label_that_is_given_back_before_its_release_is_bought_anew(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
    down = shop.sandbox.fail("warehouse", "release", "error", times=None, match=order)
    shop.warehouse(order).packs()
    label = given_back(shop, order)
    shop.until(lambda: label_of(shop, order) != label, "the label to be taken back", order)
    shop.sandbox.mend(down)
    shop.goes_by_itself(order)
    assert shop.ends(order) == "completed"
    books = shop.books(order)
    assert (books["labels"], books["label_refunds"]) == (2, 1)
    assert label_of(shop, order) not in (None, label)


def test_a_label_that_is_given_back_when_the_warehouse_has_it_is_held(shop: Shop) -> None:
    order = shop.place({shop.product(OAK=1): 1}, by_hand=True)
    shop.warehouse(order).packs()
    shop.happened(order, "released")
    given_back(shop, order)
    shop.until(lambda: shop.open_hold(order, HoldKind.LABEL_REFUNDED_ELSEWHERE), "a hold", order)
    shop.resolve(order, "cancel")
    shop.happened(order, "recall_asked")
    shop.warehouse(order).stops()
    shop.goes_by_itself(order)
    assert shop.ends(order) == "cancelled"
