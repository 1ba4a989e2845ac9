"""What all tables share: types, names of constraints, and which columns are about persons."""

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Integer,
    MetaData,
    String,
)
from sqlalchemy.orm import DeclarativeBase

from infra.database.types import Json, OurWord, UTCDateTime

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)

ID = String(64)
WORD = String(40)
"""A short name. Of our own words, which are listed, see infra/words.py."""
SERVICE = String(100)
"""A carrier's service by its token."""
REFERENCE = String(255)
"""Somebody else's id."""
PERSONAL = {"personal": True}
"""Says who somebody is, how to reach them, what they wrote, or leads to it elsewhere: see docs/personal-data.md."""
COUNTER = BigInteger().with_variant(Integer(), "sqlite")


class Base(DeclarativeBase):
    metadata = metadata
    type_annotation_map = {datetime: UTCDateTime, StrEnum: OurWord, dict[str, Any]: Json, list[Any]: Json}
