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


@dataclass(frozen=True, slots=True)
class Cost:
    """Of one hash. Source: RFC 9106, section 4, the second recommended option, with one lane for small machines."""

    memory_kib: int = 65536
    passes: int = 3
    lanes: int = 1


class Passwords:
    """Hashes passwords, two at a time: more would take the machine from the calls, and its memory."""

    def __init__(self, cost: Cost = Cost()) -> None:
        self._hasher = PasswordHasher(cost.passes, cost.memory_kib, cost.lanes)
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="passwords")
        # What is checked for an address that nobody has, so that the answer takes as long.
        self._nobody = self._hasher.hash("nobody")

    async def hash(self, password: str) -> str:
        """The hash to keep, parameters and salt in it. Raises ApiError for a password that is too short or too long."""
        if not SHORTEST <= len(password) <= LONGEST:
            raise ApiError(422, "bad_password", f"a password has {SHORTEST} to {LONGEST} characters")
        return await self._run(lambda: self._hasher.hash(password))

    async def matches(self, kept: str | None, password: str) -> bool:
        """Whether *kept* is a hash of *password*; without one it takes as long and is not."""
        return await self._run(lambda: self._verified(kept, password))

    def is_outdated(self, kept: str) -> bool:
        """Whether *kept* was made at another cost, and should be made anew while the password is at hand."""
        return self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _verified(self, kept: str | None, password: str) -> bool:
        try:
            self._hasher.verify(kept or self._nobody, password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
        return kept is not None and len(password) <= LONGEST

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)
