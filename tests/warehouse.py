"""The warehouse as tests use it: what is asked of it, and what it said of one fulfillment."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from activities.ports import PostalAddress, ReleasedParcel, WarehouseLine, WarehouseRequest
from activities.providers.warehouse.requests import HttpWarehouses
from tests.receiver import Received, Receiver
from tests.sandbox import SECRETS

SECRET = SECRETS["WAREHOUSE_SECRET"]
ADA = PostalAddress(name="Ada Park", street1="215 Clayton St", city="San Francisco", zip="94117", country="US")
PARCEL = ReleasedParcel(tracking_number="9205", carrier="usps", label_url="https://example.com/label.pdf")


def asked(id: str, lines: dict[str, int] | None = None) -> WarehouseRequest:
    wanted = [WarehouseLine(sku=sku, quantity=quantity) for sku, quantity in (lines or {"MUG-BLUE": 2}).items()]
    return WarehouseRequest(fulfillment_id=id, order_id=order_of(id), location="OAK", lines=wanted, ship_to=ADA)


def order_of(id: str) -> str:
    return id.rsplit("-", 1)[0]


@contextmanager
def connected(url: str, *, secret: str = SECRET, timeout: float = 5) -> Iterator[HttpWarehouses]:
    warehouses = HttpWarehouses({"default": (url, secret)}, timeout=timeout)
    yield warehouses
    warehouses.close()


def take(warehouses: HttpWarehouses, id: str, lines: dict[str, int] | None = None) -> None:
    warehouses.request("default", asked(id, lines), key=f"request {id}")


def release(warehouses: HttpWarehouses, id: str, parcel: ReleasedParcel = PARCEL) -> None:
    warehouses.release("default", id, [parcel], key=f"release {id}")


def recall(warehouses: HttpWarehouses, id: str) -> None:
    warehouses.cancel("default", id, key=f"cancel {id}")


def news_of(id: str) -> Callable[[Received], bool]:
    return lambda hook: hook.path == "/webhooks/warehouse" and hook.body["data"].get("fulfillment_id") == id


def news_are(hooks: Receiver, id: str, *expected: str) -> None:
    """This fulfillment's news are these, in the order in which they were sent (they may come in another)."""
    news = sorted(hooks.wait(news_of(id), count=len(expected)), key=lambda hook: hook.body["timestamp"])
    assert [hook.body["type"].removeprefix("fulfillment.") for hook in news] == list(expected)
