"""The day by which an order is to be there: given, or made by the installation's settings."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.starter.door import Api


async def test_every_order_is_promised_for_a_day(api: Api) -> None:
    before = datetime.now(UTC).date()
    order = (await api.place()).json()
    days = {(day + timedelta(days=9)).isoformat() for day in (before, datetime.now(UTC).date())}
    assert order["promised_on"] in days
    assert order["first_promised_on"] == order["promised_on"]


async def test_the_day_may_be_given(api: Api) -> None:
    day = (datetime.now(UTC).date() + timedelta(days=60)).isoformat()
    order = (await api.place(promised_on=day)).json()
    assert (order["promised_on"], order["first_promised_on"]) == (day, day)


@pytest.mark.parametrize(
    ("day", "message"),
    [
        ("2020-01-01", "has passed"),
        ("2999-01-01", "is more than 730 days away"),
        ("24.12.2026", "must be a day, as 2026-12-24"),
        ("2026-02-30", "must be a day, as 2026-12-24"),
        (20261224, "must be a day, as 2026-12-24"),
        ("2026-12-24T00:00:00", "must be a day, as 2026-12-24"),
    ],
)
async def test_a_day_that_is_none_or_past_is_refused(api: Api, day: Any, message: str) -> None:
    answer = await api.place(promised_on=day)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "promised_on", "message": message}]
