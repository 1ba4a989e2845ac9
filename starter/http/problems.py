"""Every refusal is an RFC 9457 problem that names each wrong field, and never says what stood in it."""

import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from itertools import takewhile
from typing import Any, get_args

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from pydantic_core.core_schema import ErrorType
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError
from starlette.exceptions import HTTPException
from structlog import get_logger

from activities.intake.fields import WORDS

PROBLEM_JSON = "application/problem+json"
CHOICES = ("card", "payment_intent", "external")
"""Tags that pydantic puts between a field and its parts; they are no fields."""
WHOLE = ("model_attributes_type", ("body",))
FREE_FORM = ("options",)
"""Maps whose keys are typed by people."""
BESIDE_OURS = {
    ("body", "order_id"): "; another system's number goes into reference",
    ("path", "sku"): "; another system's name for it goes into references",
}
MOST_ERRORS = 100
FIELD_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,40}")
INSTANT = "must be an instant with its offset from UTC, as 2026-11-27T09:30:00Z"
MESSAGES = {
    "dict_type": "must be an object",
    "enum": "must be {expected}",
    "extra_forbidden": "is not a field that is known here",
    "greater_than_equal": "must be at least {ge}",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_parsing_size": "is too large a number",
    "int_type": "must be a whole number",
    "less_than": "must be below {lt}",
    "less_than_equal": "must be at most {le}",
    "list_type": "must be a list",
    "literal_error": "must be {expected}",
    "missing": "is missing",
    "model_attributes_type": "must be an object",
    "model_type": "must be an object",
    "string_too_long": "is too long: at most {max_length} characters",
    "string_type": "must be text",
    "string_unicode": "has signs that are no text",
    "too_long": "has too many entries: at most {max_length}",
    "tuple_type": "must be a list",
    "union_tag_invalid": "names a method that is not known here",
    "union_tag_not_found": "has no method",
} | dict.fromkeys(["datetime_from_date_parsing", "datetime_parsing", "datetime_type", "timezone_aware"], INSTANT)
NOT_YET = {
    "company": "is not supported yet: an order has one customer",
    "ship_window": "is not supported yet: goods leave as soon as they can",
    "production_id": "is not supported yet: units are not bound to a production",
    "lot": "is not supported yet: units of a product are alike",
    "serial": "is not supported yet: units of a product are alike",
    "invoice": "is not supported yet: no invoices, but card, payment_intent or external",
}
"""What is to come, refused by its name: fields, and methods of payment."""
PYDANTICS_OWN = frozenset(get_args(ErrorType))
"""Of other types are the errors that our own checks raise, with words of their own."""

log = get_logger(__name__)


class FieldError(BaseModel):
    field: str
    message: str


class Problem(BaseModel):
    """RFC 9457."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str | None = None
    errors: list[FieldError] = Field(
        default=[], max_length=MOST_ERRORS, description="Each wrong field, as `lines[0].sku`"
    )
    more_errors: int | None = Field(default=None, description="So many more fields are wrong than `errors` names")


class Refusal(Exception):
    """Answered as a problem. `errors` are (field, message); `more` stands beside them."""

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Sequence[tuple[str, str]] = (),
        *,
        headers: Mapping[str, str] | None = None,
        more: BaseModel | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.detail, self.errors = status, detail, errors
        self.headers, self.more = headers, more

    def answer(self) -> JSONResponse:
        problem = Problem(
            title=HTTPStatus(self.status).phrase,
            status=self.status,
            detail=self.detail,
            errors=[FieldError(field=field, message=message) for field, message in self.errors[:MOST_ERRORS]],
            more_errors=max(len(self.errors) - MOST_ERRORS, 0) or None,
        ).model_dump(exclude_none=True)
        if not self.errors:
            del problem["errors"]
        if self.more is not None:
            problem["order"] = self.more.model_dump(mode="json")
        return JSONResponse(problem, self.status, dict(self.headers or {}), media_type=PROBLEM_JSON)


def wrong(errors: Sequence[tuple[str, str]]) -> Refusal:
    """422, naming the fields."""
    first = [f"{field} {message}" for field, message in errors[:3]]
    more = [f"and {len(errors) - 3} more"] if len(errors) > 3 else []
    return Refusal(422, "; ".join(first + more), errors)


def install(app: FastAPI) -> None:
    # async: a handler that is not would wait for a thread, behind all that waits for the database
    @app.exception_handler(Refusal)
    async def refused(_: Request, refusal: Refusal) -> JSONResponse:
        return refusal.answer()

    @app.exception_handler(RequestValidationError)
    async def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return invalid_request(error.errors()).answer()

    @app.exception_handler(HTTPException)
    async def http(_: Request, error: HTTPException) -> JSONResponse:
        detail = "the body cannot be decoded" if error.status_code == 400 else error.detail
        return Refusal(error.status_code, detail, headers=error.headers).answer()

    @app.exception_handler(InterfaceError)
    @app.exception_handler(OperationalError)
    async def database_away(_: Request, error: Exception) -> JSONResponse:
        log.error("database does not answer", error=type(error).__name__)
        return Refusal(503, "the database does not answer: try again", headers={"Retry-After": "2"}).answer()

    @app.exception_handler(TimeoutError)
    async def busy(_: Request, __: Exception) -> JSONResponse:
        log.error("no connection to the database is free")
        return Refusal(503, "there is too much to do just now: try again", headers={"Retry-After": "2"}).answer()


def invalid_request(errors: Sequence[Any]) -> Refusal:
    if any((error["type"], error["loc"]) == WHOLE or error["type"] == "json_invalid" for error in errors):
        return Refusal(400, "the body is not the JSON object that is expected here")
    return wrong(named(errors))


def named(errors: Sequence[Any]) -> list[tuple[str, str]]:
    """Each wrong field, in our words: of what pydantic found in a body."""
    return list(dict.fromkeys((field_of(error), message_of(error)) for error in causes(errors)))


def causes(errors: Sequence[Any]) -> list[Any]:
    """Without those of a whole that has a wrong part: a list of wrong lines is not also too short."""
    wholes = {error["loc"][:end] for error in errors for end in range(len(error["loc"]))}
    return [error for error in errors if error["loc"] not in wholes]


def field_of(error: Any) -> str:
    """`("body", "lines", 0, "sku")` is `lines[0].sku`. Checks of a whole say in `ctx` which field they mean. What
    people typed is no part of it: neither the keys of a free map nor a name that is none."""
    where, *parts = error["loc"]
    if where == "body" and {"payment", "payments"} & {*parts}:
        parts = [part for part in parts if part not in CHOICES]
    known = list(takewhile(lambda part: isinstance(part, int) or FIELD_NAME.fullmatch(part), parts))
    if typed := [n for n, part in enumerate(known) if part in FREE_FORM]:
        known = known[: typed[0] + 1]
    if error["type"] == "union_tag_invalid":
        known.append("method")
    if more := error.get("ctx", {}).get("field"):
        known.append(more)
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in known)
    return text.lstrip(".") or str(where)


def message_of(error: Any) -> str:
    """Of all that pydantic says, only what it expects: the input itself may be somebody's address."""
    kind, context = error["type"], error.get("ctx", {})
    if kind == "string_pattern_mismatch":
        hint = BESIDE_OURS.get(tuple(error.get("loc", ())), "")
        return WORDS.get(context["pattern"], "is not of the form that is expected here") + hint
    if kind in ("string_too_short", "too_short"):
        return "must not be empty" if context["min_length"] == 1 else "is too short"
    later = context["tag"] if kind == "union_tag_invalid" else error["loc"][-1] if kind == "extra_forbidden" else ""
    if later in NOT_YET:
        return NOT_YET[later]
    if kind in MESSAGES:
        return MESSAGES[kind].format_map(context)
    return "is not what is expected here" if kind in PYDANTICS_OWN else str(error["msg"])
