"""A namespace whose search attributes may not be listed, as a key of its own may have it: orders go on."""

from structlog.testing import capture_logs

from infra.temporal import SEARCH_ATTRIBUTES, register_search_attributes
from tests.infra.refusing import refusing
from tests.shop import Shop, unique
from tests.workflows import stories


def test_an_order_is_delivered_where_search_attributes_may_not_be_listed(plain_shop: Shop) -> None:
    shop, order = plain_shop, unique("W")
    client = refusing(shop.client, "list_search_attributes", "add_search_attributes")
    with capture_logs() as logged:
        shop.call(register_search_attributes(client))
    [warning] = [entry for entry in logged if entry["log_level"] == "warning"]
    assert warning["event"] == "search_attributes_not_listed"
    assert warning["needed"] == [*SEARCH_ATTRIBUTES]
    made_by = (
        f"temporal operator search-attribute create --namespace {shop.namespace} --name OrderStatus --type Keyword"
    )
    assert warning["made_by"].startswith(made_by)
    shop.call(shop.end_work())
    shop.call(shop.begin_work(client=client))
    try:
        stories.delivered(shop, order)
    finally:
        shop.call(shop.end_work())
        shop.call(shop.begin_work())
