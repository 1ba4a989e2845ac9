"""Stripe: customers, payment methods, payment intents, refunds, disputes, events and their webhooks."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from infra.sandbox.endpoint import Answer, Call
from infra.sandbox.params import Field
from infra.sandbox.stripe import (
    capture,
    confirmation,
    controls,
    customers,
    disputes,
    events,
    intents,
    parameters,
    refunds,
)
from infra.sandbox.stripe.calls import Do, Given, operation
from infra.sandbox.stripe.cards import TRIGGERS
from infra.sandbox.stripe.errors import error
from infra.sandbox.stripe.objects import load, shown
from infra.sandbox.world import World

__all__ = ["ENDPOINTS", "TRIGGERS", "routes"]


def _charge(world: World, call: Call, given: Given) -> Answer:
    return Answer(shown(world, load(world, "charge", call.path_params["id"], "id"), given.get("expand")))


ENDPOINTS: list[tuple[str, str, str, Mapping[str, Field], Do]] = [
    ("POST", "/v1/customers", "create_customer", parameters.CREATE_CUSTOMER, customers.create),
    ("GET", "/v1/customers", "list", parameters.LIST_CUSTOMERS, customers.listed),
    ("GET", "/v1/customers/{id}", "retrieve", parameters.RETRIEVE, customers.retrieve),
    ("GET", "/v1/customers/{id}/payment_methods", "list", {**parameters.PAGE}, customers.methods),
    ("GET", "/v1/payment_methods", "list", parameters.LIST_METHODS, customers.methods),
    ("GET", "/v1/payment_methods/{id}", "retrieve", parameters.RETRIEVE, customers.method),
    ("POST", "/v1/payment_methods/{id}/attach", "attach", parameters.ATTACH, customers.attach),
    ("POST", "/v1/payment_intents", "create_intent", parameters.CREATE_INTENT, intents.create),
    ("GET", "/v1/payment_intents", "list", parameters.LIST_INTENTS, intents.listed),
    ("GET", "/v1/payment_intents/{id}", "retrieve", parameters.RETRIEVE, intents.retrieve),
    ("POST", "/v1/payment_intents/{id}", "update", parameters.UPDATE_INTENT, intents.update),
    ("POST", "/v1/payment_intents/{id}/confirm", "confirm", parameters.CONFIRM, confirmation.confirm),
    ("POST", "/v1/payment_intents/{id}/capture", "capture", parameters.CAPTURE, capture.capture),
    ("POST", "/v1/payment_intents/{id}/cancel", "void", parameters.CANCEL, capture.cancel),
    ("GET", "/v1/charges/{id}", "retrieve", parameters.RETRIEVE, _charge),
    ("POST", "/v1/refunds", "refund", parameters.CREATE_REFUND, refunds.create),
    ("GET", "/v1/refunds", "list", parameters.LIST_REFUNDS, refunds.listed),
    ("GET", "/v1/refunds/{id}", "retrieve", parameters.RETRIEVE, refunds.retrieve),
    ("GET", "/v1/disputes", "list", parameters.LIST_DISPUTES, disputes.listed),
    ("GET", "/v1/disputes/{id}", "retrieve", parameters.RETRIEVE, disputes.retrieve),
    ("GET", "/v1/events", "list", parameters.LIST_EVENTS, events.listed),
    ("GET", "/v1/events/{id}", "retrieve", parameters.RETRIEVE, events.retrieve),
]
"""Method, path, the name faults are asked by, declared parameters, what it does."""


def routes(world: World) -> list[Route]:
    async def unknown(request: Request) -> Response:
        path = request.url.path.removeprefix("/stripe")
        return error(404, f"Unrecognized request URL ({request.method}: {path}).").response()

    known = [operation(world, *declared) for declared in ENDPOINTS]
    every = ["GET", "POST", "DELETE", "PUT", "PATCH"]
    return [*known, *controls.routes(world), Route("/stripe/{rest:path}", unknown, methods=every)]
