"""Who orders, and where it goes, as it is asked for. Holds personal data: never goes into a workflow."""

from typing import Annotated, NamedTuple, Self

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

from activities.intake.fields import (
    PRINTABLE,
    Country,
    Email,
    GivenCustomerId,
    Locale,
    Maybe,
    Notify,
    Text,
    TypedPhone,
    one_line,
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
