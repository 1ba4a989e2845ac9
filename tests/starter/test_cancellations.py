"""Units that are to be cancelled, as they are asked for: once, by field, and nothing changes where it is refused."""

from typing import Any

import pytest
from sqlalchemy import func, select

from infra.database.tables import Change, Event, LineCancellation
from tests.starter import stages
from tests.starter.door import Api

pytestmark = pytest.mark.both_databases


async def ask(api: Api, body: Any, key: str | None = None) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return await api.client.post("/v1/orders/W-1001/cancellation", json=body, headers=headers)


def wanted(*lines: tuple[int, int | None]) -> dict[str, Any]:
    return {
        "lines": [{"line": line} | ({"quantity": quantity} if quantity else {}) for line, quantity in lines],
    }


def asked(api: Api) -> list[Any]:
    with api.database.sessions() as tx:
        return list(tx.scalars(select(Change.lines).order_by(Change.change_id)))


def errors(answer: Any) -> list[tuple[str, str]]:
    return [(error["field"], error["message"]) for error in answer.json()["errors"]]


async def test_units_of_a_line_are_asked_for_and_counted(api: Api) -> None:
    await api.place()
    stages.read_by_the_order(api.database)
    assert (await ask(api, wanted((1, 1)) | {"cause": "ordered_twice"})).status_code == 202
    with api.database.sessions() as tx:
        assert (
            tx.scalars(select(Event.data).where(Event.type == "cancellation_asked")).one()["cause"] == "ordered_twice"
        )
    assert stages.nudges(api.database) == ["news"]
    assert asked(api) == [[{"line": 1, "quantity": 1}]]
    assert errors(await ask(api, wanted((1, 2)))) == [("lines[0].quantity", "is more than is left of this line: 1")]
    assert (await ask(api, wanted((1, None)))).status_code == 202
    assert asked(api)[1] == [{"line": 1, "quantity": 1}], "all that is left of it"
    assert (await ask(api, wanted((1, None)))).status_code == 422


async def test_the_same_request_again_is_the_same_and_another_is_refused(api: Api) -> None:
    await api.place()
    request = wanted((1, 1)) | {"cancellation_request_id": "R-1"}
    answers = [await ask(api, request) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 200, 200]
    assert (await ask(api, wanted((1, 1)), key="R-1")).status_code == 200, "the header is the same id"
    other = await ask(api, wanted((1, 2)) | {"cancellation_request_id": "R-1"})
    assert (other.status_code, other.json()["errors"][0]["field"]) == (409, "cancellation_request_id")
    whole = await ask(api, {"cancellation_request_id": "R-1"})
    assert whole.status_code == 409
    two = await ask(api, request, key="R-2")
    assert (two.status_code, two.json()["errors"][0]["field"]) == (422, "cancellation_request_id")
    assert len(asked(api)) == 1
    assert [(await ask(api, {}, key="R-3")).status_code for _ in range(2)] == [202, 200]


async def test_what_does_not_fit_is_named_and_changes_nothing(api: Api) -> None:
    await api.place()
    more = "is more than is left of this line: 2"
    assert errors(await ask(api, wanted((7, 1), (1, 3), (1, 1)))) == [
        ("lines[0].line", "is not one of this order"),
        ("lines[1].quantity", more),
        ("lines[2].line", "is named twice"),
    ]
    bad = [{"lines": []}, {"lines": [{"line": 0}]}, {"lines": [{"line": 1, "quantity": 0}]}, {"cause": "No Code"}]
    for body in bad:
        assert (await ask(api, body)).status_code == 422, body
    assert (await ask(api, {"reason": "boredom"})).json()["errors"][0]["field"] == "reason"
    assert asked(api) == []
    with api.database.sessions() as tx:
        assert tx.scalar(select(func.count()).select_from(LineCancellation)) == 0


async def test_what_has_left_can_only_be_returned(api: Api) -> None:
    await api.place()
    stages.shipped(api.database)
    answer = await ask(api, wanted((1, 1)))
    assert (answer.status_code, "returned" in answer.json()["detail"]) == (409, True)
    assert asked(api) == []


async def test_while_the_order_is_to_be_cancelled_nothing_is_left(api: Api) -> None:
    await api.place()
    assert (await ask(api, {})).status_code == 202
    assert errors(await ask(api, wanted((1, 1)))) == [("lines[0].quantity", "is more than is left of this line: 0")]
