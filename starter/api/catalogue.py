"""Customers, products and locations: put whole, by their own ids."""

from typing import Annotated, Literal
from zoneinfo import available_timezones

from fastapi import APIRouter, Path, Response
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy.orm import Session

from activities.facts import catalogue
from activities.intake.fields import ID, Email, GivenCustomerId, Locale, Minor, Notify, Phone, Reference, Text
from activities.intake.people import Address, Person
from infra.database.tables import Customer
from infra.words import OWN
from starter.http.dependencies import Guarded, Here, Stocker, Writer, acting_at
from starter.http.problems import Refusal, wrong
from starter.http.responses import problems
from starter.transactions import written

ZONES = frozenset(available_timezones())

TERMS = frozenset(["terms_days", "credit_limit"])

Key = Annotated[str, Path(pattern=ID)]
CustomerKey = Annotated[GivenCustomerId, Path()]


def known_zone(name: str) -> str:
    if name not in ZONES:
        raise PydanticCustomError("time_zone", "is not a time zone's name, as Europe/Oslo")
    return name


class Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CustomerBody(Body):
    """What orders of this customer begin with. `terms_days` and `credit_limit` are the operators' to give: left out by
    another key, they stay as they are."""

    name: Text
    email: Email = ""
    phone: Phone = ""
    locale: Locale = "en"
    time_zone: Annotated[str, StringConstraints(max_length=40), AfterValidator(known_zone)] = "UTC"
    notify: Notify = ("email",)
    terms_days: Annotated[int, Field(ge=1, le=365)] | None = None
    credit_limit: Minor | None = None

    @model_validator(mode="after")
    def reachable(self) -> "CustomerBody":
        for field, why in Person(self.name, self.email, self.phone, self.locale, self.notify).unreachable():
            raise PydanticCustomError("unreachable", "{why}", {"why": why, "field": field})
        return self


class CustomerAnswer(CustomerBody):
    customer_id: str
    unreachable: dict[str, str] = {}
    """Channels that lead nowhere until their address changes, and why: `opted_out`, `invalid` or `bounced`."""


class ProductBody(Body):
    """Something that is sold. `lead_time_days` is how long a backorder is promised to take. `references` are other
    systems' names for it: order lines, restocks and warehouses may use them."""

    name: Text
    weight_g: Annotated[int, Field(ge=0, le=10_000_000)]
    lead_time_days: Annotated[int, Field(ge=0, le=3_650)] = 14
    references: Annotated[tuple[Reference, ...], Field(max_length=100, examples=[["Tasse blau, groß"]])] = ()


class ProductAnswer(ProductBody):
    sku: str


class LocationBody(Body):
    """A place that holds stock. `warehouse` is the name, in the settings, of the system that works there; `own`: none
    does, and its people say what they did (`/v1/fulfillments`). `notify` is where these hear of requests, by email, in
    the language `locale`."""

    name: Text
    kind: Literal["warehouse"] = "warehouse"
    priority: Annotated[int, Field(ge=0, le=1_000_000, description="Lower is asked first")] = 100
    warehouse: Annotated[str, StringConstraints(min_length=1, max_length=40)] = "default"
    address: Address
    pickup: bool = Field(False, description="Whether customers may pick up orders there")
    notify: Email = ""
    locale: Locale = "en"


class LocationAnswer(LocationBody):
    location_id: str


router = APIRouter(tags=["Catalogue"], route_class=Guarded)


@router.put(
    "/v1/customers/{customer_id}",
    summary="Put a customer",
    responses=problems(400, 413) | {201: {"model": CustomerAnswer, "description": "New"}},
)
def put_customer(
    customer_id: CustomerKey, body: CustomerBody, here: Here, who: Writer, response: Response
) -> CustomerAnswer:
    """Contact, language, preferences and terms. Orders placed before keep the contact they were placed with."""

    if not who.knows_customers:
        raise Refusal(403, f"customers are of no channel, and this API key is for the channel {who.channel}")

    def work(tx: Session) -> tuple[bool, CustomerBody, dict[str, str]]:
        whole = body
        known = tx.get(Customer, customer_id, with_for_update=True)  # else terms given meanwhile would be wiped
        if not who.may("orders:operate"):
            terms = {field: getattr(known, field, None) for field in TERMS}
            if any(getattr(body, field) != terms[field] for field in TERMS & body.model_fields_set):
                raise Refusal(403, "terms_days and credit_limit need the scope orders:operate: leave them out")
            whole = body.model_copy(update=terms)
        values = whole.model_dump() | {"notify": list(whole.notify)}
        new = catalogue.customer_put(tx, customer_id, **values)
        return new, whole, tx.get_one(Customer, customer_id).unreachable

    new, whole, unreachable = written(here.sessions, work)
    response.status_code = 201 if new else 200
    # terms that others gave are for those who may read or give them
    reads = who.may("orders:read", "orders:operate")
    answer = whole if reads else body
    return CustomerAnswer(customer_id=customer_id, unreachable=unreachable if reads else {}, **answer.model_dump())


@router.put(
    "/v1/products/{sku}",
    summary="Put a product",
    responses=problems(400, 413) | {201: {"model": ProductAnswer, "description": "New"}},
)
def put_product(sku: Key, body: ProductBody, here: Here, who: Stocker, response: Response) -> ProductAnswer:
    if who.location:
        raise Refusal(403, f"products are of no location, and this API key is for the location {who.location}")

    def work(tx: Session) -> bool:
        names = {sku: "sku"} | {name: f"references[{n}]" for n, name in enumerate(body.references) if name != sku}
        others = {name: known for name, known in catalogue.skus_of(tx, names).items() if known != sku}
        if others:
            raise wrong([(field, "means another product already") for name, field in names.items() if name in others])
        return catalogue.product_put(tx, sku, **body.model_dump())

    new = written(here.sessions, work)
    response.status_code = 201 if new else 200
    return ProductAnswer(sku=sku, **body.model_dump())


@router.put(
    "/v1/locations/{location_id}",
    summary="Put a location",
    responses=problems(400, 413) | {201: {"model": LocationAnswer, "description": "New"}},
)
def put_location(location_id: Key, body: LocationBody, here: Here, who: Stocker, response: Response) -> LocationAnswer:
    acting_at(who, location_id, "location_id")
    known = [*here.settings.warehouses, OWN]
    if body.warehouse not in known:
        raise wrong([("warehouse", f"is none of those in the settings: {', '.join(known)}")])
    if body.notify and body.warehouse != OWN:
        raise wrong([("notify", f"is for a place whose warehouse is {OWN}: a system is sent its requests")])
    new = written(here.sessions, lambda tx: catalogue.location_put(tx, location_id, **body.model_dump()))
    response.status_code = 201 if new else 200
    return LocationAnswer(location_id=location_id, **body.model_dump())
