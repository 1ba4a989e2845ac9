"""Customers who cannot be reached: that is remembered, the other channel is used, and nothing is sent there again."""

from typing import Any

import pytest

from tests.fixtures_shop import renewed_only
from tests.shop import Shop, unique

LEAST = {"confirmed", "shipped", "delivered"}
OPTED_OUT, MAIL = "+15005550004", "ada@example.com"


def ordered(shop: Shop, customer_id: str, **person: Any) -> str:
    """A plain order of this customer, delivered and told of."""
    customer = {"customer_id": customer_id, "name": "Ada Park", **person}
    order = shop.place({shop.product(OAK=1): 1}, customer=customer)
    assert shop.ends(order) == "completed"
    return order


def outcomes(shop: Shop, order: str, channel: str) -> set[tuple[str, str | None]]:
    return {(m["status"], m["code"]) for m in shop.view(order)["messages"] if m["channel"] == channel}


def kinds(shop: Shop, order: str, channel: str) -> set[str]:
    return {m["kind"] for m in shop.view(order)["messages"] if m["channel"] == channel}


def sends(shop: Shop, order: str) -> int:
    return sum(
        order in str(request["body"]) for request in shop.sandbox.requests("twilio") if request["method"] == "POST"
    )


def unreachable(shop: Shop, order: str) -> dict[str, str]:
    return dict(shop.view(order)["customer"]["unreachable"])


@renewed_only
def test_who_has_opted_out_is_not_texted_again(shop: Shop) -> None:
    who = unique("C")
    first = ordered(shop, who, phone=OPTED_OUT, email="", notify=["sms"])
    second = ordered(shop, who, phone=OPTED_OUT, email="", notify=["sms"])
    assert (sends(shop, first), sends(shop, second)) == (1, 0)
    assert outcomes(shop, second, "sms") == {("failed", "opted_out")}
    assert unreachable(shop, first) == unreachable(shop, second) == {"sms": "opted_out"}
    assert {m["channel"] for m in shop.view(second)["messages"]} == {"sms"}, "no other way to them is known"


@renewed_only
def test_the_other_channel_is_used(shop: Shop) -> None:
    who = unique("C")
    for order in (ordered(shop, who, phone=OPTED_OUT, email=MAIL, notify=["sms"]) for _ in range(2)):
        assert outcomes(shop, order, "email") == {("sent", None)}
        assert kinds(shop, order, "email") == kinds(shop, order, "sms") >= LEAST
        assert shop.books(order)["emails"]


@renewed_only
def test_a_mailbox_that_bounces_is_not_written_to_again(shop: Shop) -> None:
    who, bounce = unique("C"), "bounce@example.com"
    first, second = (ordered(shop, who, phone="+14155550142", email=bounce, notify=["email"]) for _ in range(2))
    assert outcomes(shop, first, "email") == {("failed", "recipient_550"), ("failed", "bounced")}
    assert outcomes(shop, second, "email") == {("failed", "bounced")}
    assert unreachable(shop, second) == {"email": "bounced"}
    for order in (first, second):
        assert kinds(shop, order, "sms") == kinds(shop, order, "email") >= LEAST
        assert shop.books(order)["sms"]


@renewed_only
@pytest.mark.parametrize(
    ("phone", "why"), [("+14150030006", "invalid"), ("+14150030005", "invalid"), ("+14150030003", None)]
)
def test_what_a_carrier_says_later_counts_where_it_will_stay_so(shop: Shop, phone: str, why: str | None) -> None:
    """A landline and an unknown number, but no handset that was off."""
    order = ordered(shop, unique("C"), phone=phone, email=MAIL, notify=["sms"])
    shop.sandbox.webhooks_taken(shop.settings.public_url)
    shop.until(lambda: {m["status"] for m in shop.view(order)["messages"]} <= {"undelivered", "sent", "failed"}, "news")
    if why:
        shop.until(lambda: unreachable(shop, order) == {"sms": why}, "the number to be known as of no use", order)
        mailed = lambda: kinds(shop, order, "email") == kinds(shop, order, "sms") >= LEAST  # noqa: E731
        shop.until(mailed, "a mail for each text", order)
        shop.until(lambda: outcomes(shop, order, "email") == {("sent", None)}, "mails instead", order)
    else:
        assert unreachable(shop, order) == {}
        assert "emails" not in shop.books(order)


@renewed_only
def test_another_number_is_tried(shop: Shop) -> None:
    """The same one put again stays known; one that only an order has is no news of the customer."""
    who = unique("C")

    def put(phone: str) -> dict[str, str]:
        person = {"name": "Ada Park", "email": MAIL, "phone": phone, "notify": ["email", "sms"]}
        answer = shop.api.put(f"/v1/customers/{who}", json=person).raise_for_status()
        return dict(answer.json()["unreachable"])

    assert put("+14155550142") == {}
    own = ordered(shop, who, phone=OPTED_OUT)
    assert unreachable(shop, own) == {}
    assert put(OPTED_OUT) == {}
    ordered(shop, who)
    assert put(OPTED_OUT) == {"sms": "opted_out"}
    assert put("+14155550142") == {}
    assert shop.books(ordered(shop, who))["sms"]
