"""Passwords as argon2id hashes, made and checked off the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from orchestrator.core.errors import ApiError

T = TypeVar("T")

SHORTEST = 12
LONGEST = 256  # characters; argon2 takes more, but a megabyte is an attack
MOST_WAITING = 16  # for a hash, of a tenth of a second or two each


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one hash. Source: RFC 9106, section 4, the second recommended option, with one lane for small machines."""

    memory_kib: int = 65536
    passes: int = 3
    lanes: int = 1


class Passwords:
    """Hashes passwords, one at a time: more would take the machine from the calls, and its memory."""

    def __init__(self, cost: Cost = Cost()) -> None:
        self._hasher = PasswordHasher(cost.passes, cost.memory_kib, cost.lanes)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="password")
        self._waiting = 0
        # What is checked for an address that nobody has, so that the answer takes as long.
        self._nobody = self._hasher.hash("nobody")

    async def hash(self, password: str) -> str:
        """The hash to keep, parameters and salt in it.

        Raises ApiError: 422 for a password that is too short or too long, 503 while too many wait for theirs.
        """
        if not SHORTEST <= len(password) <= LONGEST:
            raise ApiError(422, "bad_password", f"a password has {SHORTEST} to {LONGEST} characters")
        return await self._run(lambda: self._hasher.hash(password))

    async def matches(self, kept: str | None, password: str) -> bool:
        """Whether *kept* is a hash of *password*; without one it takes as long and is not. Raises ApiError 503."""
        return await self._run(lambda: self._verified(kept, password))

    def is_outdated(self, kept: str) -> bool:
        """Whether *kept* was made at another cost, and should be made anew while the password is at hand."""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        """End the thread."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _verified(self, kept: str | None, password: str) -> bool:
        try:
            self._hasher.verify(kept or self._nobody, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None and len(password) <= LONGEST

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= MOST_WAITING:
            raise ApiError(503, "busy", "too many people are signing in; try again in a few seconds")
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._thread, work)
        finally:
            self._waiting -= 1
