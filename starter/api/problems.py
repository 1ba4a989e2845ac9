"""Every refusal is an RFC 9457 problem that names each wrong field, and never says what stood in it."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import InterfaceError, OperationalError, TimeoutError
from starlette.exceptions import HTTPException
from structlog import get_logger

PROBLEM_JSON = "application/problem+json"
CHOICES = ("card", "external")
"""Tags that pydantic puts between a field and its parts; they are no fields."""
WHOLE = ("model_attributes_type", ("body",))
MESSAGES = {
    "extra_forbidden": "is not a field that is known here",
    "missing": "is missing",
    "model_attributes_type": "is not an object",
    "model_type": "is not an object",
    "union_tag_invalid": "names a method that is not known here",
    "union_tag_not_found": "has no method",
}

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
    errors: list[FieldError] = Field(default=[], description="Each wrong field, as `lines[0].sku`")


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
            errors=[FieldError(field=field, message=message) for field, message in self.errors],
        ).model_dump(exclude_none=True)
        if not self.errors:
            del problem["errors"]
        if self.more is not None:
            problem["order"] = self.more.model_dump(mode="json")
        return JSONResponse(problem, self.status, dict(self.headers or {}), media_type=PROBLEM_JSON)


def wrong(errors: Sequence[tuple[str, str]]) -> Refusal:
    """422, naming the fields."""
    return Refusal(422, "; ".join(f"{field} {message}" for field, message in errors[:3]), errors)


def install(app: FastAPI) -> None:
    @app.exception_handler(Refusal)
    def refused(_: Request, refusal: Refusal) -> JSONResponse:
        return refusal.answer()

    @app.exception_handler(RequestValidationError)
    def invalid(_: Request, error: RequestValidationError) -> JSONResponse:
        return invalid_request(error.errors()).answer()

    @app.exception_handler(HTTPException)
    def http(_: Request, error: HTTPException) -> JSONResponse:
        detail = "the body cannot be decoded" if error.status_code == 400 else error.detail
        return Refusal(error.status_code, detail, headers=error.headers).answer()

    @app.exception_handler(InterfaceError)
    @app.exception_handler(OperationalError)
    def database_away(_: Request, error: Exception) -> JSONResponse:
        log.error("database does not answer", error=type(error).__name__)
        return Refusal(503, "the database does not answer: try again", headers={"Retry-After": "2"}).answer()

    @app.exception_handler(TimeoutError)
    def busy(_: Request, __: Exception) -> JSONResponse:
        log.error("no connection to the database is free")
        return Refusal(503, "there is too much to do just now: try again", headers={"Retry-After": "2"}).answer()


def invalid_request(errors: Sequence[Any]) -> Refusal:
    if any((error["type"], error["loc"]) == WHOLE or error["type"] == "json_invalid" for error in errors):
        return Refusal(400, "the body is not the JSON object that is expected here")
    return wrong([(field_of(error), message_of(error)) for error in errors])


def field_of(error: Any) -> str:
    """`("body", "lines", 0, "sku")` is `lines[0].sku`. Checks of a whole say in `ctx` which field they mean."""
    where, *parts = error["loc"]
    if where == "body" and "payment" in parts:
        parts = [part for part in parts if part not in CHOICES]
    if more := error.get("ctx", {}).get("field"):
        parts.append(more)
    text = ""
    for part in parts:
        text += f"[{part}]" if isinstance(part, int) else f".{part}"
    return text.lstrip(".") or str(where)


def message_of(error: Any) -> str:
    """Of all that pydantic says, only what it expects: the input itself may be somebody's address."""
    return MESSAGES.get(error["type"], str(error["msg"]))
