"""Counts over the API: blind for who counts, submitted whole, refused by field."""

from typing import Any

import pytest

from tests.starter.door import Api


def asked(count: str = "C-1", **changes: Any) -> dict[str, Any]:
    return {"count": count, "location": "OAK", "skus": ["MUG-BLUE", "MUG-RED"]} | changes


def lines(blue: int, red: int | None = None) -> list[dict[str, Any]]:
    found = [{"sku": "MUG-BLUE", "quantity": blue}]
    return found if red is None else [*found, {"sku": "MUG-RED", "quantity": red}]


async def enter(api: Api, found: list[dict[str, Any]], session: str = "ada", *, submit: bool = True) -> Any:
    body = {"lines": found, "submit": submit}
    return await api.client.put(f"/v1/counts/C-1/sessions/{session}", json=body)


async def on_hand(api: Api, sku: str) -> int:
    [one] = (await api.client.get("/v1/stock", params={"sku": sku})).json()["stock"]
    return int(one["on_hand"])


async def test_a_count_is_entered_blindly_compared_and_decided(api: Api) -> None:
    for status in (201, 200):
        assert (await api.client.post("/v1/counts", json=asked())).status_code == status
    assert (await api.client.post("/v1/counts", json=asked(skus=["MUG-RED"]))).status_code == 409
    who = api.key("stock:count", location="OAK")
    assert (await enter(api, lines(9), submit=False)).status_code == 200
    assert (await enter(api, lines(2))).status_code == 200
    assert (await enter(api, lines(3))).status_code == 409, "it is in"
    assert (await enter(api, lines(1), "bob", submit=False)).status_code == 200
    refused = await api.client.post("/v1/counts/C-1/submission", headers=who)
    assert [(e["field"], e["message"]) for e in refused.json()["errors"]] == [
        ("sessions.bob", "is not in yet"),
        ("lines.MUG-RED", "is not counted: where there is none, say 0"),
    ]
    assert (await enter(api, lines(1, 0), "bob")).status_code == 200
    blind = (await api.client.post("/v1/counts/C-1/submission", headers=who)).json()
    assert [(line["sku"], line["status"], line["counted"], line["expected"]) for line in blind["lines"]] == [
        ("MUG-BLUE", "review", 3, None),
        ("MUG-RED", "accepted", 0, None),
    ]
    assert "on_hand" not in str(blind)
    assert (await api.client.get("/v1/stock", headers=who)).status_code == 403
    seen = (await api.client.get("/v1/counts/C-1")).json()
    assert (seen["status"], seen["lines"][0]["expected"], seen["lines"][0]["difference"]) == ("review", 5, -2)
    assert await on_hand(api, "MUG-BLUE") == 5
    again = {"lines": [{"sku": "MUG-BLUE", "decision": "recount"}]}
    assert (await api.client.post("/v1/counts/C-1/decision", json=again, headers=who)).status_code == 403
    assert (await api.client.post("/v1/counts/C-1/decision", json=again)).json()["round"] == 2
    assert (await enter(api, lines(4))).status_code == 200
    assert (await api.client.post("/v1/counts/C-1/submission")).json()["status"] == "review"
    done = {"lines": [{"sku": "MUG-BLUE", "decision": "accept"}]}
    assert (await api.client.post("/v1/counts/C-1/decision", json=done)).json()["status"] == "closed"
    assert await on_hand(api, "MUG-BLUE") == 4
    [page] = (await api.client.get("/v1/counts", params={"status": "closed"})).json()["counts"]
    assert page["count"] == "C-1"


async def test_what_is_tolerated_is_accepted_at_once(api: Api) -> None:
    tolerance = {"units": 0, "percent": 20}
    await api.client.post("/v1/counts", json=asked(skus=["MUG-BLUE"], tolerance=tolerance))
    await enter(api, lines(4))
    assert (await api.client.post("/v1/counts/C-1/submission")).json()["status"] == "closed"
    assert await on_hand(api, "MUG-BLUE") == 4


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("", asked(location="NOWHERE"), "location"),
        ("", asked(skus=["MUG-BLUE", "NONE"]), "skus[1]"),
        ("", asked(skus=[]), "skus"),
        ("", asked(tolerance={"percent": 101}), "tolerance.percent"),
        ("/sessions/ada", {"lines": [{"sku": "NONE", "quantity": 1}]}, "lines[0].sku"),
        ("/sessions/ada", {"lines": [{"sku": "MUG-RED", "quantity": -1}]}, "lines[0].quantity"),
        ("/sessions/ada", {"lines": [{"sku": "MUG-RED", "quantity": 10**12}]}, "lines[0].quantity"),
        ("/sessions/ada", {"lines": lines(1, 1)}, "lines[1].sku"),
        ("/decision", {"lines": [{"sku": "MUG-BLUE", "decision": "accept"}]}, "lines[0].sku"),
    ],
)
async def test_what_is_wrong_is_named_and_nothing_changes(api: Api, path: str, body: Any, field: str) -> None:
    await api.client.post("/v1/counts", json=asked("C-1", skus=["MUG-BLUE"]))
    method = "PUT" if "sessions" in path else "POST"
    url = f"/v1/counts/C-1{path}" if path else "/v1/counts"
    body = body | {"count": "C-2"} if not path else body
    refused = await api.client.request(method, url, json=body)
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    assert len((await api.client.get("/v1/counts")).json()["counts"]) == 1
    assert await on_hand(api, "MUG-BLUE") == 5


async def test_stock_is_listed_by_location_and_level(api: Api) -> None:
    async def skus(**asked: Any) -> list[str]:
        found: list[str] = []
        while True:
            page = (await api.client.get("/v1/stock", params={"limit": 1} | asked)).json()
            found += [one["sku"] for one in page["stock"]]
            if page["next"] is None:
                return found
            asked["cursor"] = page["next"]

    everything = await skus()
    assert {"MUG-BLUE", "MUG-RED"} <= {*everything}
    assert everything == sorted(everything)
    assert await skus(level="available") == ["MUG-BLUE"]
    assert await skus(location="OAK") == ["MUG-BLUE"]
    assert "MUG-BLUE" not in await skus(level="out")
    assert "MUG-RED" in await skus(level="out")
    for wrong, field in (({"location": "NOWHERE"}, "location"), ({"sku": "MUG-RED", "level": "out"}, "level")):
        refused = await api.client.get("/v1/stock", params=wrong)
        assert refused.json()["errors"][0]["field"] == field
    moves = (await api.client.get("/v1/stock/MUG-BLUE/moves")).json()["moves"]
    assert [(move["kind"], move["on_hand"], move["reference"]) for move in moves] == [("received", 5, "opening")]
    assert (await api.client.get("/v1/stock/NONE/moves")).status_code == 404
