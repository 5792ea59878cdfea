from __future__ import annotations

from collections.abc import Iterator

import pytest

from orchestrator.access.passwords import Cost, Passwords
from orchestrator.core.errors import ApiError

CHEAP = Cost(memory_kib=64, passes=1)


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords(CHEAP)
    yield made
    made.close()


async def test_the_right_password_matches_its_hash_and_no_other(passwords: Passwords) -> None:
    kept = await passwords.hash("correct horse battery")
    assert await passwords.matches(kept, "correct horse battery")
    assert not await passwords.matches(kept, "correct horse batterz")


async def test_a_hash_says_how_it_was_made_and_nothing_of_the_password(passwords: Passwords) -> None:
    kept = await passwords.hash("correct horse battery")
    assert kept.startswith("$argon2id$v=19$m=64,t=1,p=1$")
    assert kept != await passwords.hash("correct horse battery")


async def test_nobody_has_no_password(passwords: Passwords) -> None:
    assert not await passwords.matches(None, "nobody")


async def test_what_is_no_hash_matches_nothing(passwords: Passwords) -> None:
    assert not await passwords.matches("plain", "plain")


@pytest.mark.parametrize("password", ["", "short", "x" * 257])
async def test_a_password_too_short_or_too_long_is_refused(passwords: Passwords, password: str) -> None:
    with pytest.raises(ApiError, match="12 to 256 characters"):
        await passwords.hash(password)


async def test_a_hash_of_another_cost_is_outdated(passwords: Passwords) -> None:
    kept = await passwords.hash("correct horse battery")
    assert not passwords.is_outdated(kept)
    dearer = Passwords(Cost(memory_kib=128, passes=1))
    assert dearer.is_outdated(kept)
    dearer.close()
