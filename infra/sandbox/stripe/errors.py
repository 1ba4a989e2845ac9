"""Stripe's errors, in Stripe's words."""

from typing import Any

from infra.sandbox.endpoint import Answer, Problem
from infra.sandbox.params import Invalid

DOCS = "https://docs.stripe.com/error-codes/"


class Refusal(Exception):
    """A request that began and was refused: unlike a failed validation, its answer is kept under the key."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(answer.status)
        self.answer = answer


def error(
    status: int,
    message: str,
    *,
    type: str = "invalid_request_error",
    code: str | None = None,
    param: str | None = None,
    **more: Any,
) -> Answer:
    body: dict[str, Any] = {"message": message, "type": type, **more}
    if code is not None:
        body |= {"code": code, "doc_url": DOCS + code.replace("_", "-")}
    if param is not None:
        body["param"] = param
    return Answer({"error": body}, status=status)


def failure(status: int) -> Answer:
    """What a fault looks like here: 429, 500, 503."""
    if status == 429:
        return error(429, "Request rate limit exceeded.", code="rate_limit")
    return error(status, "An unknown error occurred.", type="api_error")


def refuse(status: int, message: str, **more: Any) -> Refusal:
    return Refusal(error(status, message, **more))


def missing(what: str, id: str, param: str) -> Refusal:
    return refuse(
        404 if param in ("id", "intent") else 400, f"No such {what}: '{id}'", code="resource_missing", param=param
    )


def wrong_state(verb: str, intent: dict[str, Any], allowed: str) -> Refusal:
    return refuse(
        400,
        f"This PaymentIntent could not be {verb} because it has a status of {intent['status']}. "
        f"Only a PaymentIntent with one of the following statuses may be {verb}: {allowed}.",
        code="payment_intent_unexpected_state",
        payment_intent={name: value for name, value in intent.items() if not name.startswith("_")},
    )


def exclusive(first: str, second: str) -> Problem:
    message = f"You may only specify one of these parameters: {first}, {second}."
    return Problem(error(400, message, code="parameters_exclusive", param=first))


def invalid(wrong: Invalid) -> Problem:
    """A parameter that will not do, as Stripe says it."""
    name, expected, value = wrong.name, wrong.expected, wrong.value
    if wrong.reason == "unknown" and name.startswith("payment_method_types"):
        message = "The payment_method_types parameter is no longer supported on this endpoint."
        code = "payment_method_types_no_longer_supported"
        return Problem(error(400, message, code=code, param="payment_method_types"))
    if wrong.reason == "unknown":
        return Problem(error(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name))
    if wrong.reason == "missing":
        return Problem(error(400, f"Missing required param: {name}.", code="parameter_missing", param=name))
    if value == "":
        message = f"You passed an empty string for '{name}'. It cannot be unset."
        return Problem(error(400, message, code="parameter_invalid_empty", param=name))
    if wrong.reason == "type" and expected is not None and expected.type == "integer":
        return Problem(error(400, f"Invalid integer: {value}", code="parameter_invalid_integer", param=name))
    if wrong.reason == "range" and expected is not None and expected.minimum is not None:
        message = f"This value must be greater than or equal to {int(expected.minimum)}."
        return Problem(error(400, message, code="parameter_invalid_integer", param=name))
    if wrong.reason == "enum" and expected is not None:
        return Problem(error(400, f"Invalid {name}: must be one of {', '.join(expected.values)}", param=name))
    if wrong.reason == "length" and expected is not None:
        return Problem(error(400, f"Invalid string: must be at most {expected.max_length} characters", param=name))
    return Problem(error(400, f"Invalid {expected.type if expected else 'value'}: {name}", param=name))
