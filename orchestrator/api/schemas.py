"""What all bodies of the API share."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict

_FULL_DATE = re.compile(r"\d{4}-\d\d-\d\d")
_RFC_3339 = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)")


def _written_out(value: object) -> object:
    """*value*, unless it is a number, in which pydantic would see seconds or milliseconds since 1970."""
    if isinstance(value, int | float) or (isinstance(value, str) and not _RFC_3339.fullmatch(value)):
        raise ValueError("write a time with its offset from UTC, such as 2026-11-23T10:00:00Z")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]
"""A time with its offset from UTC, as RFC 3339 writes it."""


def _written_as_day(value: object) -> object:
    """*value*, unless it is a number, in which pydantic would see days or seconds since 1970."""
    if isinstance(value, int | float) or (isinstance(value, str) and not _FULL_DATE.fullmatch(value)):
        raise ValueError("write a day such as 2026-11-23")
    return value


Day = Annotated[date, BeforeValidator(_written_as_day)]
"""A day, as RFC 3339 writes it."""


class Asked(BaseModel):
    """A request: what it does not know, it refuses."""

    model_config = ConfigDict(extra="forbid")


class Told(BaseModel):
    """An answer, read from the attributes of whatever holds it."""

    model_config = ConfigDict(from_attributes=True)
