"""Column types that mean the same on SQLite and on PostgreSQL."""

import enum
from datetime import UTC, datetime

from sqlalchemy import JSON, DateTime, Dialect, Enum
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator


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
