"""An order as it is asked for, checked whole before anything is stored. Holds personal data: never goes into a
workflow."""

import hashlib
import json
from typing import Annotated, Literal, NamedTuple, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from activities.intake.allocation import UnitAmounts, allocate, unit_amounts
from activities.intake.charge_limits import largest, smallest
from activities.intake.example import EXAMPLE
from activities.intake.fields import (
    METHOD,
    PRINTABLE,
    SERVICE,
    ChannelName,
    Country,
    Currency,
    Email,
    GivenCustomerId,
    GivenOrderId,
    Locale,
    Maybe,
    Minor,
    Notify,
    Reference,
    Text,
    TypedPhone,
    one_line,
    telephone,
    unmarked,
)
from activities.intake.places import STATE_NEEDED, postal_code


class Asked(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Address(Asked):
    """As people write it. Which fields a country needs is known for all; UK is taken as GB."""

    name: Text
    street1: Text
    street2: Maybe = ""
    country: Country
    city: Annotated[str, StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE), BeforeValidator(one_line)]
    state: Annotated[str, StringConstraints(max_length=100, pattern=PRINTABLE), BeforeValidator(one_line)] = Field(
        default="", validate_default=True
    )
    zip: Annotated[str, StringConstraints(max_length=20, pattern=PRINTABLE), BeforeValidator(one_line)] = Field(
        default="", validate_default=True
    )

    @field_validator("state")
    @classmethod
    def state_needed(cls, state: str, so_far: ValidationInfo) -> str:
        if not state and so_far.data.get("country") in STATE_NEEDED:
            raise PydanticCustomError("state", "is needed for addresses in this country")
        return state

    @field_validator("zip")
    @classmethod
    def zip_of_country(cls, zip: str, so_far: ValidationInfo) -> str:
        country = so_far.data.get("country")
        code = postal_code(country, zip) if country else zip
        if code is None:
            why = "is not a postal code of this country" if zip else "is needed for addresses in this country"
            raise PydanticCustomError("zip", "{why}", {"why": why})
        return code


class Person(NamedTuple):
    """Who hears of an order, how, and in which language."""

    name: str = ""
    email: str = ""
    phone: str = ""
    locale: str = "en"
    notify: tuple[str, ...] = ("email",)

    def unreachable(self) -> list[tuple[str, str]]:
        """Fields that are missing, and why they are needed."""
        wanted = {"email": self.email, "sms": self.phone}
        return [
            ("phone" if channel == "sms" else channel, f"is needed, as notify names {channel}")
            for channel in self.notify
            if not wanted[channel]
        ]


class AskedCustomer(Asked):
    """A known customer's id is enough: what is left out is taken from the customer. What is given counts for this order
    only."""

    customer_id: GivenCustomerId | None = None
    name: Text | None = None
    email: Email = ""
    phone: TypedPhone = ""
    """A national number is one of the country that the order is shipped to."""
    locale: Locale | None = None
    notify: Notify | None = None

    @model_validator(mode="after")
    def complete(self) -> Self:
        if self.customer_id is None:
            if self.name is None:
                raise PydanticCustomError("name", "is missing", {"field": "name"})
            for field, why in self.person(Person()).unreachable():
                raise PydanticCustomError("unreachable", "{why}", {"why": why, "field": field})
        return self

    def person(self, known: Person) -> Person:
        return Person(
            name=self.name or known.name,
            email=self.email or known.email,
            phone=self.phone or known.phone,
            locale=self.locale or known.locale,
            notify=known.notify if self.notify is None else self.notify,
        )


class AskedLine(Asked):
    sku: Annotated[Reference, Field(description="The product's SKU, or one of its references")]
    quantity: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
    unit_price: Minor
    tax: Minor | None = None
    discount: Minor | None = None
    ship_to: Address | None = None
    options: dict[
        Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=PRINTABLE), BeforeValidator(one_line)],
        Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE), BeforeValidator(unmarked)],
    ] = {}


class AskedShipping(Asked):
    method: Literal["ship"] = "ship"
    service: Annotated[str, StringConstraints(pattern=SERVICE)] = "cheapest"
    """`cheapest`, `fastest`, or a service level by its token."""
    price: Minor = 0
    address: Address


class CardPayment(Asked):
    method: Literal["card"]
    payment_method: Annotated[str, StringConstraints(pattern=METHOD)]


class ExternalPayment(Asked):
    """Already paid, at a till or a marketplace."""

    method: Literal["external"]
    reference: Text


AskedPayment = Annotated[CardPayment | ExternalPayment, Field(discriminator="method")]


class AskedOrder(Asked):
    """What `POST /v1/orders` takes. Money in minor units; `total` must add up."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    order_id: GivenOrderId | None = None
    reference: Reference | None = None
    """Another system's number of this order, as #1001/A. Several orders may have the same."""
    channel: ChannelName = "web"
    currency: Currency
    shipping: AskedShipping
    customer: AskedCustomer
    lines: Annotated[tuple[AskedLine, ...], Field(min_length=1, max_length=2_000)]
    tax: Minor = 0
    discount: Minor = 0
    total: Minor
    payment: AskedPayment
    backorder: Literal["ship_partial", "ship_complete", "cancel_unavailable"] = Field(
        "ship_partial",
        description="What is not there: the rest is sent at once; or all leaves together, also where units go missing "
        "later (what is paid for by then does not wait); or it is cancelled",
    )

    @field_validator("customer")
    @classmethod
    def phone_of_country(cls, customer: AskedCustomer, so_far: ValidationInfo) -> AskedCustomer:
        shipping = so_far.data.get("shipping")
        if shipping is None:  # its own error is enough
            return customer
        try:
            phone = telephone(customer.phone, shipping.address.country)
        except PydanticCustomError as error:
            raise PydanticCustomError("phone", "{why}", {"why": error.message(), "field": "phone"}) from None
        return customer.model_copy(update={"phone": phone})

    @model_validator(mode="after")
    def adds_up(self) -> Self:
        subtotal = sum(line.quantity * line.unit_price for line in self.lines)
        due = subtotal + self.tax + self.shipping.price - self.discount
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
        if self.payment.method == "card" and self.total:
            self.chargeable()
        return self

    def chargeable(self) -> None:
        low, high = smallest(self.currency), largest(self.currency)
        if not low <= self.total <= high:
            bound = f"at least {low}" if self.total < low else f"at most {high}"
            raise PydanticCustomError("total", "must be {bound} to go to a card", {"field": "total", "bound": bound})

    def line_taxes(self) -> list[int]:
        """Each line's own tax, or its part of what the order still has to share out: by price."""
        return self.line_parts("tax", [line.quantity * line.unit_price for line in self.lines])

    def line_discounts(self) -> list[int]:
        """As taxes. A discount of more than the goods follows all that lines cost."""
        prices = [line.quantity * line.unit_price for line in self.lines]
        costs = [sum(parts) for parts in zip(prices, self.line_taxes(), self.line_shipping(), strict=True)]
        open_goods = sum(value for line, value in zip(self.lines, prices, strict=True) if line.discount is None)
        rest = self.discount - sum(line.discount or 0 for line in self.lines)
        return self.line_parts("discount", prices if rest <= open_goods else costs)

    def line_shipping(self) -> list[int]:
        prices = [line.quantity * line.unit_price for line in self.lines]
        return allocate(self.shipping.price, prices if any(prices) else [line.quantity for line in self.lines])

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
        """The same meaning, the same hash, whatever defaults are written out; the id does not count. A field that comes
        later changes no hash of an order that does not use it."""
        content = self.model_dump(mode="json", exclude={"order_id"}, exclude_defaults=True)
        if self.customer.customer_id is None:
            usual = {"locale": Person().locale, "notify": list(Person().notify)}
            content["customer"] = {
                field: value for field, value in content["customer"].items() if value != usual.get(field)
            }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
