"""Who may do what."""

from typing import Any

import pytest
from sqlalchemy import select

from infra.database.tables import ApiKey
from starter import keys
from tests.starter.door import ADDRESS, Api, an_order

WHO_MAY: list[tuple[str, str, Any, list[keys.Scope]]] = [
    ("GET", "/v1/orders", None, ["orders:read"]),
    ("GET", "/v1/orders/W-1001", None, ["orders:read"]),
    ("GET", "/v1/news", None, ["orders:operate"]),
    ("POST", "/v1/news/stripe/evt_1/resolution", {"why": "seen to"}, ["orders:operate"]),
    ("GET", "/v1/holds", None, ["orders:operate"]),
    ("POST", "/v1/holds/W-1001-h1/resolution", {"action": "retry", "why": "w"}, ["orders:operate"]),
    ("POST", "/v1/orders", an_order(), ["orders:write"]),
    ("POST", "/v1/orders/W-1001/cancellation", {}, ["orders:write"]),
    ("POST", "/v1/orders/W-1001/payment-method", {"payment_method": "pm_1"}, ["orders:write"]),
    ("POST", "/v1/orders/W-1001/shipping-address", ADDRESS, ["orders:write"]),
    ("POST", "/v1/orders/W-1001/resolution", {"hold": "h", "action": "retry", "why": "w"}, ["orders:operate"]),
    ("PUT", "/v1/customers/C-1", {"name": "A", "email": "a@b.example"}, ["orders:write"]),
    ("PUT", "/v1/products/CUP", {"name": "Cup", "weight_g": 1}, ["stock:write"]),
    ("PUT", "/v1/locations/RNO", {"name": "Reno", "address": ADDRESS}, ["stock:write"]),
    ("POST", "/v1/orders/W-1001/returns", {}, ["orders:operate", "till"]),
    ("POST", "/v1/tills/T-1/sales", {"sales": []}, ["till"]),
    ("PUT", "/v1/tills/OAK-1", {"location": "OAK"}, ["stock:write"]),
    ("GET", "/v1/stock?sku=MUG-RED", None, ["orders:read", "stock:write"]),
    ("GET", "/v1/fulfillments?location=OAK", None, ["store"]),
    ("POST", "/v1/fulfillments/W-1001-1/accept", None, ["store"]),
    ("GET", "/v1/stock/MUG-RED/moves", None, ["orders:read", "stock:write"]),
    ("POST", "/v1/counts", {"count": "C-1", "location": "OAK", "skus": ["MUG-RED"]}, ["stock:write"]),
    ("GET", "/v1/counts", None, ["stock:count", "stock:write"]),
    ("GET", "/v1/counts/C-1", None, ["stock:count", "stock:write"]),
    ("PUT", "/v1/counts/C-1/sessions/ada", {"lines": []}, ["stock:count", "stock:write"]),
    ("POST", "/v1/counts/C-1/submission", None, ["stock:count", "stock:write"]),
    ("POST", "/v1/counts/C-1/decision", {"lines": []}, ["stock:write"]),
    ("POST", "/v1/reservations", {"lines": [{"sku": "MUG-RED", "quantity": 1}]}, ["orders:write"]),
    ("GET", "/v1/reservations/CART-1", None, ["orders:write"]),
    ("POST", "/v1/reservations/CART-1/renew", None, ["orders:write"]),
    ("DELETE", "/v1/reservations/CART-1", None, ["orders:write"]),
    ("GET", "/v1/pickups", None, ["store", "orders:operate"]),
    ("POST", "/v1/restocks", {"reference": "r", "location": "OAK", "lines": []}, ["stock:write"]),
]


@pytest.mark.parametrize(("method", "path", "body", "scopes"), WHO_MAY)
async def test_each_door_opens_to_its_scopes_alone(
    api: Api, method: str, path: str, body: Any, scopes: list[keys.Scope]
) -> None:
    async def knock(**headers: str) -> int:
        answer = await api.client.request(method, path, json=body, headers=headers)
        if answer.status_code in (401, 403):
            assert answer.headers["content-type"] == "application/problem+json"
        return answer.status_code

    for scope in keys.SCOPES:
        bound = {"location": "OAK"} if scope == "till" else {}
        opened = await knock(**api.key(scope, **bound)) not in (401, 403)
        assert opened == (scope in scopes or scope == "admin"), scope
    for wrong in ("", "Bearer", "Bearer ord_nobody", "Basic YTpi", "bearer\tx"):
        assert await knock(Authorization=wrong) == 401


async def test_no_door_is_left_open(api: Api) -> None:
    paths = (await api.client.get("/openapi.json")).json()["paths"]
    listed = {(method, path.split("?")[0].replace("W-1001", "{order_id}")) for method, path, _, _ in WHO_MAY}
    for path, calls in paths.items():
        for method, call in calls.items():
            if path.startswith("/v1/"):
                assert call["security"] == [{"HTTPBearer": []}]
                assert any(method.upper() == m and p.split("/")[2] in path for m, p in listed), (method, path)


async def test_a_revoked_key_opens_nothing(api: Api) -> None:
    header = api.key("orders:read", name="shop")
    assert (await api.client.get("/v1/orders", headers=header)).status_code == 200
    with api.database.sessions.begin() as tx:
        assert keys.revoke(tx, "shop")
        assert not keys.revoke(tx, "shop")
    answer = await api.client.get("/v1/orders", headers=header)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_keys_are_stored_hashed_and_named_once(api: Api) -> None:
    header = api.key("orders:read", name="till")
    with api.database.sessions.begin() as tx:
        row = tx.scalars(select(ApiKey).where(ApiKey.name == "till")).one()
        assert header["Authorization"].removeprefix("Bearer ") not in str(vars(row))
        with pytest.raises(keys.KeyTaken):
            keys.create(tx, "till", ["admin"])
