"""An order as it is asked for, checked whole before anything is stored. Holds personal data: never goes into a
workflow."""

import hashlib
from typing import Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from activities.allocation import UnitAmounts, allocate, unit_amounts

Id = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Minor = Annotated[int, Field(ge=0, le=10**12, strict=True, description="Minor units of the order's currency")]
PRINTABLE = r"^[^\x00-\x1f\x7f]*$"
"""One line: what a label, a header and PostgreSQL can hold."""
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=PRINTABLE)]
Maybe = Annotated[str, StringConstraints(strip_whitespace=True, max_length=200, pattern=PRINTABLE)]
Email = Annotated[
    str,
    StringConstraints(pattern=r"^$|^[^@\s,;<>\"\x00-\x1f\x7f]{1,64}@[^@\s,;<>\"\x00-\x1f\x7f]{1,255}$", max_length=320),
]
Phone = Annotated[str, StringConstraints(pattern=r"^$|^\+[1-9][0-9]{6,14}$")]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
Currency = Annotated[str, StringConstraints(pattern=r"^[a-z]{3}$", to_lower=True)]
Channel = Literal["email", "sms"]

CURRENCIES = frozenset(
    [
        "aed",
        "aud",
        "bgn",
        "brl",
        "cad",
        "chf",
        "clp",
        "cny",
        "czk",
        "dkk",
        "eur",
        "gbp",
        "hkd",
        "huf",
        "idr",
        "ils",
        "inr",
        "jpy",
        "krw",
        "mxn",
        "myr",
        "nok",
        "nzd",
        "php",
        "pln",
        "ron",
        "sar",
        "sek",
        "sgd",
        "thb",
        "try",
        "twd",
        "usd",
        "vnd",
        "zar",
    ]
)
"""Those whose minor units Stripe counts as ISO 4217 does. ISK and UGX it takes as if they had two decimals; of three
decimals it takes only amounts that end in 0."""


class Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Address(Asked):
    name: Text
    street1: Text
    street2: Maybe = ""
    city: Annotated[Text, StringConstraints(max_length=100)]
    state: Annotated[Maybe, StringConstraints(max_length=100)] = ""
    zip: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=20, pattern=PRINTABLE)]
    country: Country


class AskedCustomer(Asked):
    customer_id: Id | None = None
    name: Text
    email: Email = ""
    phone: Phone = ""
    locale: Annotated[str, StringConstraints(pattern=r"^[a-z]{2}(-[A-Z]{2})?$")] = "en"
    notify: tuple[Channel, ...] = ("email",)

    @model_validator(mode="after")
    def reachable(self) -> Self:
        for channel, field in (("email", "email"), ("sms", "phone")):
            if channel in self.notify and not getattr(self, field):
                raise PydanticCustomError(
                    "unreachable", "is needed, as notify names {channel}", {"channel": channel, "field": field}
                )
        return self


class AskedLine(Asked):
    sku: Id
    quantity: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
    unit_price: Minor
    tax: Minor | None = None
    discount: Minor | None = None
    ship_to: Address | None = None
    options: dict[
        Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=PRINTABLE)],
        Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE)],
    ] = {}


class AskedShipping(Asked):
    method: Literal["ship"] = "ship"
    service: Annotated[str, StringConstraints(pattern=r"^[a-z0-9_]{1,100}$")] = "cheapest"
    """`cheapest`, `fastest`, or a service level by its token."""
    price: Minor = 0
    address: Address


class CardPayment(Asked):
    method: Literal["card"] = "card"
    payment_method: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,200}$")]


class ExternalPayment(Asked):
    """Already paid, at a till or a marketplace."""

    method: Literal["external"] = "external"
    reference: Text


AskedPayment = Annotated[CardPayment | ExternalPayment, Field(discriminator="method")]


EXAMPLE: dict[str, Any] = {
    "order_id": "W-1001",
    "channel": "web",
    "currency": "usd",
    "customer": {"customer_id": "C-7", "name": "Ada Park", "email": "ada@example.com"},
    "lines": [{"sku": "MUG-BLUE", "quantity": 2, "unit_price": 1800}],
    "shipping": {
        "price": 500,
        "address": {
            "name": "Ada Park",
            "street1": "215 Clayton St",
            "city": "San Francisco",
            "state": "CA",
            "zip": "94117",
            "country": "US",
        },
    },
    "tax": 310,
    "total": 4410,
    "payment": {"method": "card", "payment_method": "pm_card_visa"},
}


class AskedOrder(Asked):
    """What `POST /v1/orders` takes. Money in minor units; `total` must add up."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    order_id: Id | None = None
    channel: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_-]{0,39}$")] = "web"
    currency: Currency
    customer: AskedCustomer
    lines: Annotated[tuple[AskedLine, ...], Field(min_length=1, max_length=2_000)]
    shipping: AskedShipping
    tax: Minor = 0
    discount: Minor = 0
    total: Minor
    payment: AskedPayment
    backorder: Literal["ship_partial", "ship_complete", "cancel_unavailable"] = "ship_partial"

    @model_validator(mode="after")
    def adds_up(self) -> Self:
        if self.currency not in CURRENCIES:
            raise PydanticCustomError("currency", "is not known", {"field": "currency"})
        goods = sum(line.quantity * line.unit_price for line in self.lines)
        due = goods + self.tax + self.shipping.price - self.discount
        if due != self.total:
            raise PydanticCustomError(
                "total",
                "is {total}, but lines + tax + shipping.price - discount make {due}",
                {"field": "total", "total": self.total, "due": due},
            )
        for field in ("tax", "discount"):
            own = [getattr(line, field) for line in self.lines]
            given, whole = sum(part or 0 for part in own), getattr(self, field)
            if given > whole or (None not in own and given != whole):
                raise PydanticCustomError(
                    "line_sum",
                    "is {whole}, but the lines' own {field} make {given}",
                    {"field": field, "whole": whole, "given": given},
                )
        for number, amounts in enumerate(self.unit_amounts()):
            if any(unit.total < 0 for unit in amounts):
                raise PydanticCustomError(
                    "discount", "makes the line cost less than nothing", {"field": f"lines[{number}].discount"}
                )
        return self

    def line_taxes(self) -> list[int]:
        """Each line's own tax, or its part of what the order still has to share out: by price."""
        return self.line_parts("tax", [line.quantity * line.unit_price for line in self.lines])

    def line_discounts(self) -> list[int]:
        """As taxes. A discount of more than the goods follows all that lines cost."""
        goods = [line.quantity * line.unit_price for line in self.lines]
        costs = [sum(parts) for parts in zip(goods, self.line_taxes(), self.line_shipping(), strict=True)]
        open_goods = sum(value for line, value in zip(self.lines, goods, strict=True) if line.discount is None)
        rest = self.discount - sum(line.discount or 0 for line in self.lines)
        return self.line_parts("discount", goods if rest <= open_goods else costs)

    def line_shipping(self) -> list[int]:
        goods = [line.quantity * line.unit_price for line in self.lines]
        return allocate(self.shipping.price, goods if any(goods) else [line.quantity for line in self.lines])

    def line_parts(self, field: Literal["tax", "discount"], weights: list[int]) -> list[int]:
        own: list[int | None] = [getattr(line, field) for line in self.lines]
        rest: int = getattr(self, field) - sum(part or 0 for part in own)
        weights = [weight if part is None else 0 for part, weight in zip(own, weights, strict=True)]
        if not any(weights):
            weights = [line.quantity if part is None else 0 for line, part in zip(self.lines, own, strict=True)]
        shared = allocate(rest, weights) if rest else [0] * len(own)
        return [extra if part is None else part for part, extra in zip(own, shared, strict=True)]

    def unit_amounts(self) -> list[list[UnitAmounts]]:
        """Per line: what each of its units costs, shipping included."""
        return [
            unit_amounts(line.quantity, line.unit_price, tax, discount, shipping)
            for line, tax, discount, shipping in zip(
                self.lines, self.line_taxes(), self.line_discounts(), self.line_shipping(), strict=True
            )
        ]

    def content_hash(self) -> str:
        """The same content, the same hash; the id does not count."""
        return hashlib.sha256(self.model_dump_json(exclude={"order_id"}).encode()).hexdigest()
