"""Cursors come back as they went, and nothing else is one."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID, uuid4

import pytest

from orchestrator.api.pages import cursor_of, key_of
from orchestrator.core.errors import ApiError


def read(at: str, one: str) -> tuple[datetime, UUID]:
    return datetime.fromisoformat(at), UUID(one)


def test_a_cursor_holds_its_key() -> None:
    at, one = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), uuid4()
    assert key_of(cursor_of(at, one), read) == (at, one)
    assert key_of(None, read) is None


@pytest.mark.parametrize(
    "forged", ["", "x", "ÿ", "bnVsbA", cursor_of("now", "me"), cursor_of(1), "W10", "\x00", "WzFd"]
)
def test_anything_else_is_refused(forged: str) -> None:
    with pytest.raises(ApiError) as refused:
        key_of(forged, read)
    assert (refused.value.status, refused.value.code) == (422, "bad_cursor")
