"""What both kinds of requests about an order's units share: how many lines they name, and how they are known again."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

from fastapi import Header
from pydantic import StringConstraints

from activities.facts.requests import NothingLeft, OtherContent, WrongFields
from activities.intake.fields import CAUSE, KEY
from starter.http.problems import Refusal, wrong

MOST_LINES = 2000

RequestId = Annotated[str, StringConstraints(pattern=KEY)]
IdempotencyKey = Annotated[str | None, Header(pattern=KEY)]
Cause = Annotated[str, StringConstraints(pattern=CAUSE)]


def request_id_of(given: str | None, key: IdempotencyKey, field: str) -> str | None:
    """In the body, or as a header."""
    if given and key not in (None, given):
        raise wrong([(field, "is not the Idempotency-Key: give one of them")])
    return given or key


@contextmanager
def refusals(field: str) -> Iterator[None]:
    """`field`: the request's id."""
    try:
        yield
    except NothingLeft as nothing:
        raise Refusal(409, str(nothing)) from None
    except WrongFields as unfit:
        raise wrong(unfit.errors) from None
    except OtherContent:
        detail = f"{field} was used before, for something else"
        raise Refusal(409, detail, [(field, "was used for another request")]) from None
