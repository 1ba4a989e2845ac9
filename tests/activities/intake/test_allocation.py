"""Money is shared out to the last minor unit, and no unit costs less than nothing where its line does not."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from activities.intake.allocation import allocate, cost, unit_amounts
from activities.intake.example import EXAMPLE
from activities.intake.order import AskedOrder

AMOUNT = st.integers(0, 10**7) | st.integers(0, 30)
LINE = st.fixed_dictionaries(
    {"quantity": st.integers(1, 9) | st.integers(1, 10**4), "unit_price": AMOUNT}, optional={"tax": AMOUNT}
)


@given(AMOUNT, st.lists(AMOUNT, min_size=1, max_size=20))
def test_parts_add_up_and_none_is_more_than_its_weight(amount: int, weights: list[int]) -> None:
    parts = allocate(amount, weights)
    assert sum(parts) == amount
    assert min(parts) >= 0
    if amount <= sum(weights):
        assert all(part <= weight for part, weight in zip(parts, weights, strict=True))


@given(st.data(), st.integers(1, 12) | st.integers(1, 10**6), AMOUNT, AMOUNT, AMOUNT)
def test_units_add_up_to_their_line(data: st.DataObject, quantity: int, price: int, tax: int, shipping: int) -> None:
    gross = quantity * price + tax + shipping
    discount = data.draw(st.integers(0, gross) | st.just(gross))
    units = unit_amounts(quantity, price, tax, discount, shipping)
    assert [unit.first_unit for unit in units] == [sum(u.quantity for u in units[:n]) for n in range(len(units))]
    assert sum(unit.quantity for unit in units) == quantity
    for amount, name in ((tax, "tax"), (discount, "discount"), (shipping, "shipping")):
        assert sum(getattr(unit, name) * unit.quantity for unit in units) == amount
    assert all(unit.total >= 0 for unit in units)
    assert len(units) <= 6
    cut = data.draw(st.integers(0, quantity))
    assert cost(units, 0, cut) + cost(units, cut, quantity - cut) == gross - discount


@given(st.data(), st.lists(LINE, min_size=1, max_size=6), AMOUNT, AMOUNT)
def test_any_discount_up_to_all_of_it_is_an_order(
    data: st.DataObject, lines: list[dict[str, Any]], shared_tax: int, shipping: int
) -> None:
    """Lines of different tax, some told and some shared out."""
    given = sum(line.get("tax", 0) for line in lines)
    tax = given if all("tax" in line for line in lines) else given + shared_tax
    gross = sum(line["quantity"] * line["unit_price"] for line in lines) + tax + shipping
    discount = data.draw(st.integers(0, gross) | st.just(gross))
    asked = order(lines, tax=tax, discount=discount, shipping=shipping)
    units = [unit for line in asked.unit_amounts() for unit in line]
    assert all(unit.total >= 0 for unit in units)
    assert sum(unit.total * unit.quantity for unit in units) == gross - discount


@pytest.mark.parametrize(
    ("lines", "tax", "shipping", "discount"),
    [
        ([(3, 1999)], 500, 499, 6996),
        ([(2, 50)], 1, 1, 102),
        ([(1, 100, 0), (1, 100, 20)], 20, 0, 220),
        ([(1, 1999)], 500, 499, 2998),
    ],
)
def test_a_whole_discount(lines: list[tuple[int, ...]], tax: int, shipping: int, discount: int) -> None:
    asked = order(
        [dict(zip(("quantity", "unit_price", "tax"), line, strict=False)) for line in lines],
        tax=tax,
        discount=discount,
        shipping=shipping,
    )
    assert asked.total == 0
    assert all(unit.total == 0 for line in asked.unit_amounts() for unit in line)


def test_a_discount_follows_the_price_of_goods_where_they_can_bear_it() -> None:
    asked = order(
        [{"quantity": 1, "unit_price": 300, "tax": 60}, {"quantity": 1, "unit_price": 100, "tax": 0}],
        tax=60,
        discount=40,
        shipping=0,
    )
    assert asked.line_discounts() == [30, 10]


def test_a_line_whose_own_discount_is_too_high_is_refused() -> None:
    with pytest.raises(ValidationError, match="less than nothing"):
        order(
            [{"quantity": 1, "unit_price": 100, "discount": 101}, {"quantity": 1, "unit_price": 100}],
            tax=0,
            discount=101,
            shipping=0,
        )


def order(lines: list[dict[str, Any]], *, tax: int, discount: int, shipping: int) -> AskedOrder:
    subtotal = sum(line["quantity"] * line["unit_price"] for line in lines)
    return AskedOrder.model_validate(
        EXAMPLE
        | {
            "lines": [{"sku": "MUG-BLUE", **line} for line in lines],
            "shipping": EXAMPLE["shipping"] | {"price": shipping},
            "payment": {"method": "external", "reference": "till-1"},
            "tax": tax,
            "discount": discount,
            "total": subtotal + tax + shipping - discount,
        }
    )


@pytest.mark.parametrize("discount", [0, 10, 803])
def test_tax_that_prices_include_is_told_and_not_added(discount: int) -> None:
    lines = [{"quantity": 3, "unit_price": 101}, {"quantity": 2, "unit_price": 200, "tax": 31}]
    asked = AskedOrder.model_validate(
        EXAMPLE
        | {"lines": [{"sku": "MUG"} | line for line in lines], "tax": 80, "tax_included": True, "discount": discount}
        | {"total": 703 + 500 - discount}
    )
    units = [unit for line in asked.unit_amounts() for unit in line]
    assert sum(unit.quantity * unit.total for unit in units) == asked.total
    assert [sum(u.quantity * u.tax for u in line) for line in asked.unit_amounts()] == [49, 31]
    assert all(unit.total >= 0 for unit in units)
