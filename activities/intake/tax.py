"""What a line's tax is made of, for the books: of which jurisdiction, at which rate."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, StringConstraints
from pydantic_core import PydanticCustomError

from activities.intake.fields import PRINTABLE, Minor, one_line
from activities.intake.people import Asked


def fraction(text: Any) -> str:
    """In its shortest form: 0.080 is 0.08. A number that is no text may have been rounded on its way."""
    plain = isinstance(text, str) and len(text) <= 12 and text.isascii() and text.replace(".", "", 1).isdigit()
    if not plain or not 0 <= (rate := Decimal(text)) <= 1:
        raise PydanticCustomError("rate", 'must be a fraction as text: "0.0825" is 8.25 %')
    return f"{rate:f}".rstrip("0").rstrip(".") if "." in text else f"{rate:f}"


class TaxLine(Asked):
    jurisdiction: Annotated[
        str,
        StringConstraints(min_length=1, max_length=100, pattern=PRINTABLE),
        BeforeValidator(one_line),
        Field(description="Who levies it, as US-CA or DE"),
    ]
    rate: Annotated[str, BeforeValidator(fraction), Field(description="A decimal fraction: 0.0825 is 8.25 %")]
    amount: Minor


def checked_tax(tax: int | None, parts: Sequence[TaxLine]) -> None:
    made = sum(part.amount for part in parts)
    if parts and tax is None:
        raise PydanticCustomError("tax", "is needed with tax_lines, as their sum", {"field": "tax"})
    if parts and tax != made:
        raise PydanticCustomError(
            "tax", "is {tax}, but tax_lines make {made}", {"field": "tax", "tax": tax, "made": made}
        )
