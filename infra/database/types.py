"""Column types that mean the same on SQLite and on PostgreSQL."""

import enum
from datetime import UTC, datetime

from sqlalchemy import JSON, ColumnElement, DateTime, Dialect, Enum, String, literal_column
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from infra.holds import DECLARED, AnyHoldKind


class UTCDateTime(TypeDecorator[datetime]):
    """An instant: refuses naive values, keeps and returns UTC. SQLite alone would drop the offset."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.utcoffset() is None:
            raise ValueError("an instant needs a time zone")
        instant = value.astimezone(UTC)
        return instant.replace(tzinfo=None) if dialect.name == "sqlite" else instant

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


class HoldWord(TypeDecorator[AnyHoldKind]):
    """A kind of hold, of whichever workflow declares it. Others are refused, on both ways."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else declared(value).value

    def process_result_value(self, value: str | None, dialect: Dialect) -> AnyHoldKind | None:
        return None if value is None else declared(value)


def declared(word: str) -> AnyHoldKind:
    if word not in DECLARED:
        raise LookupError(f"no kind of hold that this process knows is called {word}")
    return DECLARED[word]


# `None` is stored as NULL, not as JSON's own null: else `IS NULL` misses it.
Json = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

OurWord = Enum(
    enum.Enum,
    native_enum=False,
    length=40,
    validate_strings=True,
    values_callable=lambda words: [word.value for word in words],
)
"""One of infra/words.py's: stored as it is, read as a member of its class. Others are refused, on both ways."""


def constant(word: str) -> ColumnElement[str]:
    """One of our own words, written into a statement that is built once: it need not be handed over each time."""
    return literal_column(f"'{word}'", String)
