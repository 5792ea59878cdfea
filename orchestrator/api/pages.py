"""Long lists, a page at a time: a cursor says where the next page begins, and stays right while rows are added."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Generic, TypeVar
from uuid import UUID

from fastapi import Query
from pydantic import BaseModel

from orchestrator.core.errors import ApiError

Item = TypeVar("Item")
Key = TypeVar("Key")
Row = TypeVar("Row")

Limit = Annotated[int, Query(ge=1, le=200)]
Cursor = Annotated[str | None, Query(max_length=512, description="`next` of the page before.")]


class Page(BaseModel, Generic[Item]):
    """next: the cursor of the following page; null on the last one."""

    items: list[Item]
    next: str | None


def paged(
    found: Sequence[Row], limit: int, item: Callable[[Row], Item], key: Callable[[Row], tuple[object, ...]]
) -> Page[Item]:
    """The first *limit* of *found*, of which one more was asked for; key: of a row, in the order of the list."""
    more = len(found) > limit
    return Page(items=[item(row) for row in found[:limit]], next=cursor_of(*key(found[limit - 1])) if more else None)


def moment_and_id(at: str, one: str) -> tuple[datetime, UUID]:
    """The sort key of rows that are listed by time. Raises ValueError."""
    moment = datetime.fromisoformat(at)
    if moment.tzinfo is None:
        raise ValueError("a time without its offset from UTC")
    return moment, UUID(one)


def cursor_of(*key: object) -> str:
    """A cursor that stands after the row with this sort key, such as its time and its id."""
    text = json.dumps([str(part) for part in key], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def key_of(cursor: str | None, read: Callable[..., Key]) -> Key | None:
    """The sort key in *cursor*, made by *read* of its parts as text; None without one. Raises ApiError 422."""
    if cursor is None:
        return None
    try:
        parts = json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        return read(*parts)
    except (ValueError, TypeError, OverflowError) as error:
        raise ApiError(422, "bad_cursor", "cursor: take the `next` of the page before, unchanged") from error
