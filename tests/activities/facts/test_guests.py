"""A customer who gives no id has one by the order."""

from activities.facts.placing import guest


def test_guests_whose_orders_have_long_ids_alike_are_two_customers() -> None:
    assert guest("W-1001") == "guest-W-1001"
    ids = {guest("W" * 63 + end) for end in "ab"}
    assert len(ids) == 2
    assert {len(id) <= 64 for id in ids} == {True}
