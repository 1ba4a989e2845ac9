"""What surrounds every request: what the log and the numbers say of it, and what they must not."""

from contextlib import suppress

import pytest
from sqlalchemy.exc import TimeoutError

from tests.starter.door import Api


async def test_the_log_names_an_order_only_by_what_may_be_an_id(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    await api.client.get("/v1/orders/W-1001")
    assert (await api.client.get("/v1/orders/ada@example.com")).status_code == 422
    assert (await api.client.get("/v1/orders/W-1001%0AAda")).status_code == 422
    logged = [record.getMessage() for record in caplog.records if record.name == "starter.http.middleware"]
    assert len(logged) == 3
    assert "W-1001" in logged[0]
    assert not any("ada" in each.lower() for each in logged)


async def test_a_method_that_nobody_knows_is_no_number_of_its_own(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    for method in ("BREW", "ADA"):
        assert (await api.client.request(method, "/v1/orders")).status_code == 405
    numbers = (await api.client.get("/metrics")).text
    assert 'orders_http_requests_total{method="other",route="/v1/orders",status="405"} 2.0' in numbers
    assert not any(word in text for text in (numbers, caplog.text) for word in ("BREW", "ADA"))


async def test_when_every_connection_is_in_use_it_says_to_try_again(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    pool = api.database.engine.pool
    monkeypatch.setattr(pool, "_timeout", 0)
    taken = []
    with suppress(TimeoutError):
        while True:
            taken.append(pool.connect())
    answer = await api.client.get("/v1/orders")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert "try again" in answer.json()["detail"]
    for connection in taken:
        connection.close()
    assert (await api.client.get("/v1/orders")).status_code == 200


async def test_what_is_asked_of_the_database_is_counted_by_route(api: Api) -> None:
    await api.place(order_id="W-1")
    await api.client.get("/v1/orders/W-1")
    numbers = (await api.client.get("/metrics")).text
    assert 'orders_database_transactions_total{source="POST /v1/orders"} 2.0' in numbers
    assert 'orders_database_transactions_total{source="GET /v1/orders/{order_id}"} 2.0' in numbers
