"""Payment intents: created, changed, looked up."""

import re
from typing import Any

from infra.sandbox.endpoint import Answer, Call, Problem
from infra.sandbox.stripe import confirmation, constants, limits
from infra.sandbox.stripe.customers import usable
from infra.sandbox.stripe.errors import error, exclusive, refuse
from infra.sandbox.stripe.objects import changed, load, new_id, page, save, shown, stamp
from infra.sandbox.world import Document, World

Given = dict[str, Any]


def create(world: World, call: Call, given: Given) -> Answer:
    _valid(given)
    customer = given.get("customer")
    if customer is not None:
        load(world, "customer", customer, "customer")
    limits.check(given["amount"], given["currency"].lower())
    method = usable(world, given["payment_method"], customer) if "payment_method" in given else None
    intent = make(world, given, method)
    if given.get("confirm"):
        return confirmation.confirmed(world, intent, given, call.headers.get("idempotency-key"))
    return Answer(shown(world, intent, given.get("expand")))


def _valid(given: Given) -> None:
    if not re.fullmatch(r"[a-zA-Z]{3}", given["currency"]):
        raise Problem(error(400, f"Invalid currency: {given['currency']}.", param="currency"))
    if "allowed_payment_method_types" in given and "automatic_payment_methods" in given:
        raise exclusive("allowed_payment_method_types", "automatic_payment_methods")
    if not given.get("confirm"):
        for name in ("off_session", "return_url", "error_on_requires_action"):
            if name in given:
                message = f"You cannot set `{name}` when creating a PaymentIntent unless `confirm` is true."
                raise Problem(error(400, message, param=name))


def make(world: World, given: Given, method: Document | None) -> Document:
    return save(world, _new(world, given, method), under=given.get("customer") or "")


def _new(world: World, given: Given, method: Document | None) -> Document:
    id = new_id("pi_")
    customer = given.get("customer")
    methods = given.get("automatic_payment_methods")
    return {
        **constants.INTENT,
        "id": id,
        "object": "payment_intent",
        "amount": given["amount"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "application": None,
        "application_fee_amount": None,
        "automatic_payment_methods": methods and {"allow_redirects": "always", **methods},
        "canceled_at": None,
        "cancellation_reason": None,
        "capture_method": given.get("capture_method", "automatic_async"),
        "client_secret": f"{id}_secret_{new_id('')}",
        "confirmation_method": "automatic",
        "created": stamp(world, customer),
        "currency": given["currency"].lower(),
        "customer": customer,
        "customer_account": None,
        "description": given.get("description"),
        "excluded_payment_method_types": None,
        "last_payment_error": None,
        "latest_charge": None,
        "livemode": False,
        "metadata": changed({}, given.get("metadata", {})),
        "next_action": None,
        "on_behalf_of": None,
        "payment_method": method["id"] if method else None,
        "payment_method_configuration_details": None,
        "payment_method_options": given.get("payment_method_options", {}),
        "payment_method_types": ["card"],
        "processing": None,
        "receipt_email": given.get("receipt_email"),
        "review": None,
        "setup_future_usage": given.get("setup_future_usage"),
        "shipping": None,
        "source": None,
        "statement_descriptor": None,
        "statement_descriptor_suffix": given.get("statement_descriptor_suffix"),
        "status": "requires_confirmation" if method else "requires_payment_method",
        "transfer_data": None,
        "transfer_group": None,
        "_allowed": given.get("allowed_payment_method_types"),
        "_captures": 0,
    }


def update(world: World, call: Call, given: Given) -> Answer:
    intent = load(world, "payment_intent", call.path_params["id"], "intent")
    changes: Document = {name: given[name] for name in ("description", "receipt_email") if name in given}
    changes["metadata"] = changed(intent["metadata"], given.get("metadata", {}))
    fixed = [name for name in ("amount", "payment_method", "setup_future_usage") if name in given]
    if fixed and intent["status"] not in ("requires_payment_method", "requires_confirmation"):
        message = f"This PaymentIntent's {fixed[0]} could not be updated because it has a status of {intent['status']}."
        raise refuse(400, message, code="payment_intent_unexpected_state", payment_intent=shown(world, intent))
    if "amount" in given:
        limits.check(given["amount"], intent["currency"])
    changes |= {name: given[name] for name in fixed}
    if "payment_method" in given:
        method = usable(world, given["payment_method"], intent["customer"])
        changes |= {"payment_method": method["id"], "status": "requires_confirmation"}
    return Answer(shown(world, save(world, intent | changes), given.get("expand")))


def retrieve(world: World, call: Call, given: Given) -> Answer:
    return Answer(shown(world, load(world, "payment_intent", call.path_params["id"], "intent"), given.get("expand")))


def listed(world: World, call: Call, given: Given) -> Answer:
    found = world.all("stripe.payment_intent", under=given.get("customer"), newest_first=True)
    return page(world, "/v1/payment_intents", [i for i in found if not i.get("_account")], given)
