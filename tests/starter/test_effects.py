"""What providers were asked for is shown by key and outcome, to whoever may read the order."""

from activities.facts import effects
from tests.starter import stages
from tests.starter.door import Api, an_order

PERSON = ("Ada", "ada@", "Clayton", "94117", "4155550100", "pm_card")


async def test_each_call_is_shown_with_its_key_and_what_became_of_it(api: Api) -> None:
    await api.client.post("/v1/orders", json=an_order())
    with api.database.sessions.begin() as tx:
        first = effects.begin(tx, "W-1001", "authorize:1", amount=1)
        effects.renew(tx, first)
    stages.asking(api.database)
    answer = await api.client.get("/v1/orders/W-1001/effects")
    shown = [(each["step"], each["n"], each["outcome"]) for each in answer.json()["effects"]]
    assert shown == [
        ("authorize:1", 1, "nothing_happened"),
        ("authorize:1", 2, None),
        ("request:W-1001-1", 1, None),
    ]
    assert answer.json()["effects"][1]["key"] == "order:W-1001:authorize:1:2"
    assert {*answer.json()["effects"][0]} == {
        "step", "n", "key", "first_called_at", "last_called_at", "finished_at", "outcome"
    }  # fmt: skip
    assert not [word for word in PERSON if word in answer.text]


async def test_they_are_shown_to_whoever_may_read_the_order(api: Api) -> None:
    await api.client.post("/v1/orders", json=an_order())
    where = "/v1/orders/W-1001/effects"
    for key, status in (
        (api.key("orders:write"), 403),
        (api.key("orders:read", channel="phone"), 404),
        (api.key("orders:read", channel=an_order()["channel"]), 200),
    ):
        assert (await api.client.get(where, headers=key)).status_code == status
    assert (await api.client.get("/v1/orders/NOBODY/effects")).status_code == 404
