"""Customers and their saved payment methods."""

from typing import Any

from infra.sandbox.endpoint import Answer, Call
from infra.sandbox.stripe import constants
from infra.sandbox.stripe.cards import CARDS, card_named
from infra.sandbox.stripe.errors import missing, refuse
from infra.sandbox.stripe.objects import changed, load, new_id, page, save, shown, stamp
from infra.sandbox.world import Document, World

Given = dict[str, Any]
NOBODY = {
    "address": {"city": None, "country": None, "line1": None, "line2": None, "postal_code": None, "state": None},
    "email": None,
    "name": None,
    "phone": None,
    "tax_id": None,
}


def create(world: World, call: Call, given: Given) -> Answer:
    customer = make(world, given)
    if "payment_method" in given:
        keep(world, usable(world, given["payment_method"], customer["id"]), customer["id"])
    return Answer(shown(world, customer, given.get("expand")))


def make(world: World, given: Given) -> Document:
    id = new_id("cus_")
    customer: Document = {
        **constants.CUSTOMER,
        "id": id,
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": 0,
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": given.get("description"),
        "email": given.get("email"),
        "invoice_settings": {"default_payment_method": None},
        "livemode": False,
        "metadata": changed({}, given.get("metadata", {})),
        "name": given.get("name"),
        "phone": given.get("phone"),
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    save(world, customer)
    return save(world, customer | {"created": stamp(world, id)})


def retrieve(world: World, call: Call, given: Given) -> Answer:
    return Answer(shown(world, load(world, "customer", call.path_params["id"], "id"), given.get("expand")))


def listed(world: World, call: Call, given: Given) -> Answer:
    found = world.all("stripe.customer", newest_first=True)
    return page(world, "/v1/customers", [c for c in found if given.get("email") in (None, c["email"])], given)


def usable(world: World, name: str, customer: str | None) -> Document:
    """The payment method of this name or id for a payment of this customer: a test card's name makes a new one."""
    canonical = card_named(name)
    if canonical is None:
        found = world.get("stripe.payment_method", name)
        if found is None:
            raise missing("PaymentMethod", name, "payment_method")
        if found["customer"] not in (None, customer):
            raise refuse(400, "The payment method belongs to another customer.", param="payment_method")
        if found["customer"] is None and found["_used"]:
            message = "The PaymentMethod was used before without being attached to a Customer: it can't be used again."
            raise refuse(400, message, param="payment_method")
        return found
    card = CARDS[canonical]
    details = {"brand": card.brand, "last4": card.last4, "exp_month": 12, "exp_year": 2034, "country": "US"}
    more = {"funding": "credit", "display_brand": card.brand, "fingerprint": canonical[-16:], "wallet": None}
    method = {
        **constants.PAYMENT_METHOD,
        "id": new_id("pm_"),
        "object": "payment_method",
        "allow_redisplay": "unspecified",
        "billing_details": NOBODY,
        "card": details | more | {"checks": {"cvc_check": "pass"}, "three_d_secure_usage": {"supported": True}},
        "created": stamp(world, customer),
        "customer": None,
        "livemode": False,
        "metadata": {},
        "type": "card",
        "_card": canonical,
        "_used": False,
    }
    return save(world, method)


def keep(world: World, method: Document, customer: str) -> Document:
    """Attaches a payment method to a customer."""
    return save(world, method | {"customer": customer}, under=customer)


def attach(world: World, call: Call, given: Given) -> Answer:
    customer = load(world, "customer", given.get("customer", ""), "customer")
    method = keep(world, usable(world, call.path_params["id"], customer["id"]), customer["id"])
    return Answer(shown(world, method, given.get("expand")))


def method(world: World, call: Call, given: Given) -> Answer:
    return Answer(shown(world, load(world, "payment_method", call.path_params["id"], "id"), given.get("expand")))


def methods(world: World, call: Call, given: Given) -> Answer:
    customer = call.path_params.get("id") or given.get("customer", "")
    load(world, "customer", customer, "customer")
    found = world.all("stripe.payment_method", under=customer, newest_first=True)
    return page(world, call.path.removeprefix("/stripe"), found, given)
