"""An order as it is asked for, checked whole before anything is stored. Holds personal data: never goes into a
workflow."""

import hashlib
import json
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import (
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
from activities.intake.example import EXAMPLE
from activities.intake.fields import (
    PRINTABLE,
    SERVICE,
    ChannelName,
    Currency,
    GivenOrderId,
    Id,
    Instant,
    Minor,
    Reference,
    Text,
    day,
    one_line,
    telephone,
    unmarked,
)
from activities.intake.payment import (
    MOST_TENDERS,
    AskedPayment,
    AskedTender,
    GivenTender,
    chargeable,
    meaning,
    tenders_of,
)
from activities.intake.people import Address, Asked, AskedCustomer, Person
from activities.intake.sale import Way, checked_sale
from activities.intake.tax import TaxLine, checked_tax


class AskedLine(Asked):
    sku: Annotated[Reference, Field(description="The product's SKU, or one of its references")]
    quantity: Annotated[int, Field(ge=1, le=1_000_000, strict=True)]
    unit_price: Minor
    tax: Minor | None = None
    tax_lines: Annotated[tuple[TaxLine, ...], Field(max_length=20, description="What its tax is made of")] = ()
    discount: Minor | None = None
    ship_to: Address | None = None
    way: Annotated[Way | None, Field(description="Of what a till sells; left out: counter")] = None
    options: dict[
        Annotated[str, StringConstraints(min_length=1, max_length=50, pattern=PRINTABLE), BeforeValidator(one_line)],
        Annotated[str, StringConstraints(max_length=200, pattern=PRINTABLE), BeforeValidator(unmarked)],
    ] = {}

    @model_validator(mode="after")
    def tax_adds_up(self) -> Self:
        checked_tax(self.tax, self.tax_lines)
        return self


class AskedShipping(Asked):
    method: Annotated[Way, Field(description="`counter`: all of it was handed over by the till that sold it")] = "ship"
    service: Annotated[str, StringConstraints(pattern=SERVICE)] = "cheapest"
    """`cheapest`, `fastest`, or a service level by its token."""
    price: Minor = 0
    address: Address | None = Field(None, description="Of a pickup: to where it may be sent where the store lacks it")
    location: Annotated[Id | None, Field(description="Of a pickup: where")] = None
    person: Annotated[Text | None, Field(description="Of a pickup: who comes for it, if not the customer")] = None

    @model_validator(mode="after")
    def complete(self) -> Self:
        needed = {"ship": "address", "pickup": "location"}.get(self.method)
        if needed and getattr(self, needed) is None:
            raise PydanticCustomError("missing", "is missing", {"field": needed})
        for field in ("location", "person") if self.method != "pickup" else ():
            if getattr(self, field) is not None:
                raise PydanticCustomError("pickup", "is for a pickup: leave it out", {"field": field})
        if self.method == "counter" and self.address:
            raise PydanticCustomError("counter", "is not needed at a counter: leave it out", {"field": "address"})
        return self


class AskedOrder(Asked):
    """What `POST /v1/orders` takes. Money in minor units; `total` must add up."""

    model_config = ConfigDict(json_schema_extra={"examples": [EXAMPLE]})

    order_id: GivenOrderId | None = None
    reference: Reference | None = None
    """Another system's number of this order, as #1001/A. Several orders may have the same."""
    channel: ChannelName = "web"
    currency: Currency
    shipping: AskedShipping = Field(AskedShipping(method="counter"), description="Left out by tills alone")
    customer: AskedCustomer | None = Field(None, description="Left out by tills alone, where nothing is sent")
    lines: Annotated[tuple[AskedLine, ...], Field(min_length=1, max_length=2_000)]
    tax: Minor = 0
    tax_included: bool = Field(False, description="Prices, shipping and discount are gross: `tax` is a part of them")
    discount: Minor = 0
    total: Minor
    payment: AskedPayment | None = Field(None, description="How all of it is paid; or `payments`, by several tenders")
    payments: Annotated[tuple[GivenTender, ...], Field(max_length=MOST_TENDERS)] = Field(
        (),
        description="Tenders, drawn in this order, each up to its amount, and given back in reverse; one of them may "
        "leave its amount out, and pays the rest",
        examples=[
            [
                {"method": "external", "reference": "voucher 17", "amount": 1000},
                {"method": "card", "payment_method": "pm_card_visa"},
            ]
        ],
    )
    till: Id | None = Field(None, description="That sold it; of the channel pos, and only of that")
    shift: Id | None = None
    location: Id | None = Field(None, description="Where that till is")
    sold_at: Instant | None = None
    promised_on: Annotated[date | None, BeforeValidator(day)] = Field(
        None,
        description="The day by whose end all is to be there; left out: handling and transit, as this installation "
        "has them",
    )
    reservation_id: Annotated[
        Id | None,
        Field(
            description="What the checkout has set aside is the order's. Has its time passed, what others have by now "
            "is refused; without it the order takes what is there, and `backorder` says what becomes of the rest"
        ),
    ] = None
    backorder: Literal["ship_partial", "ship_complete", "cancel_unavailable"] = Field(
        "ship_partial",
        description="What is not there: the rest is sent at once; or all leaves together, also where units go missing "
        "later (what was released to leave does not wait); or it is cancelled",
    )

    @field_validator("customer")
    @classmethod
    def phone_of_country(cls, customer: AskedCustomer | None, so_far: ValidationInfo) -> AskedCustomer | None:
        shipping = so_far.data.get("shipping")
        if shipping is None or customer is None:  # its own error is enough
            return customer
        try:
            phone = telephone(customer.phone, shipping.address.country if shipping.address else None)
        except PydanticCustomError as error:
            raise PydanticCustomError("phone", "{why}", {"why": error.message(), "field": "phone"}) from None
        return customer.model_copy(update={"phone": phone})

    @model_validator(mode="after")
    def picked_up_whole(self) -> Self:
        sent = [n for n, line in enumerate(self.lines) if line.ship_to]
        if sent and self.shipping.method == "pickup":
            field = f"lines[{sent[0]}].ship_to"
            raise PydanticCustomError("pickup", "is not for an order that is picked up: leave it out", {"field": field})
        return self

    @model_validator(mode="after")
    def sold_as_tills_sell(self) -> Self:
        checked_sale(self)
        return self

    @model_validator(mode="after")
    def adds_up(self) -> Self:
        subtotal = sum(line.quantity * line.unit_price for line in self.lines)
        due = subtotal + self.added(self.tax) + self.shipping.price - self.discount
        if due != self.total:
            parts = "lines + shipping.price" if self.tax_included else "lines + tax + shipping.price"
            raise PydanticCustomError(
                "total",
                "is {total}, but {parts} - discount make {due}",
                {"field": "total", "total": self.total, "parts": parts, "due": due},
            )
        if self.tax_included and self.tax > self.total:
            raise PydanticCustomError("tax", "is more than the total that includes it", {"field": "tax"})
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
        for tender in self.tenders():
            chargeable(tender, self.currency)
            if tender.at_hand_over and self.shipping.method != "pickup":
                field = f"{tender.field}.due"
                raise PydanticCustomError("due", "is for what is picked up: leave it out", {"field": field})
        return self

    def at_counter(self, line: AskedLine) -> bool:
        """Handed over by the till that sold it."""
        return self.till is not None and line.way in (None, "counter")

    @property
    def handed_over(self) -> bool:
        """All of it: nothing is left to do."""
        return self.shipping.method == "counter"

    def tenders(self) -> tuple[AskedTender, ...]:
        """In the order in which they are drawn."""
        return tenders_of(self.payment, self.payments, self.total)

    def destination_countries(self) -> set[str]:
        """None, where nothing is sent."""
        if self.shipping.method != "ship" or self.shipping.address is None:
            return set()
        own = [line.ship_to.country for line in self.lines if line.ship_to]
        return {*own, self.shipping.address.country}

    def added(self, tax: int) -> int:
        """What of a tax comes on top of prices."""
        return 0 if self.tax_included else tax

    def line_taxes(self) -> list[int]:
        """Each line's own tax, or its part of what the order still has to share out: by price."""
        return self.line_parts("tax", [line.quantity * line.unit_price for line in self.lines])

    def line_discounts(self) -> list[int]:
        """As taxes. A discount of more than the goods follows all that lines cost."""
        prices = [line.quantity * line.unit_price for line in self.lines]
        taxes = [self.added(tax) for tax in self.line_taxes()]
        costs = [sum(parts) for parts in zip(prices, taxes, self.line_shipping(), strict=True)]
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
            unit_amounts(line.quantity, line.unit_price, tax, discount, shipping, tax_included=self.tax_included)
            for line, tax, discount, shipping in zip(
                self.lines, self.line_taxes(), self.line_discounts(), self.line_shipping(), strict=True
            )
        ]

    def content_hash(self) -> str:
        """The same meaning, the same hash, whatever defaults are written out; the id does not count. A field that comes
        later changes no hash of an order that does not use it."""
        content = self.model_dump(mode="json", exclude={"order_id", "payments"}, exclude_defaults=True)
        content |= meaning(self.tenders(), self.payments)
        if self.customer and self.customer.customer_id is None:
            usual = {"locale": Person().locale, "notify": list(Person().notify)}
            content["customer"] = {
                field: value for field, value in content["customer"].items() if value != usual.get(field)
            }
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
