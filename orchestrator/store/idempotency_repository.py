"""Requests that must not take effect twice, in PostgreSQL, so that it does not matter which process gets which."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator.store.db import Database

# Old rows that one new request clears away: more than come, and not so many that it waits.
_CLEARED = 100


@dataclass(frozen=True, slots=True)
class Place:
    """Where a request is kept. key: 32 bytes, of its key and of who sent it."""

    account: UUID
    key: bytes


@dataclass(frozen=True, slots=True)
class Kept:
    """A request that came before. request: 32 bytes; answer: None as long as there is none."""

    request: bytes
    running_until: datetime
    answer: bytes | None


class IdempotencyRepository:
    """The requests of all accounts, by their keys."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def claim(self, place: Place, kept: Kept, expires: datetime, now: datetime) -> Kept | None:
        """Keep a request at *place*: None when this has been done, else the one that is there and not expired."""
        async with self._database.tenant(place.account) as connection:
            await connection.execute(
                """
                DELETE FROM idempotency_keys WHERE (account_id, key) IN (
                    SELECT account_id, key FROM idempotency_keys
                    WHERE account_id = $1 AND expires_at <= $2 LIMIT $3 FOR UPDATE SKIP LOCKED
                )
                """,
                place.account,
                now,
                _CLEARED,
            )
            claimed = await connection.fetchval(
                """
                INSERT INTO idempotency_keys AS known (account_id, key, request, running_until, expires_at)
                VALUES ($1, $2, $3, $4, $5)
                ON CONFLICT (account_id, key) DO UPDATE SET
                    request = excluded.request, running_until = excluded.running_until,
                    expires_at = excluded.expires_at, answer = NULL
                WHERE known.expires_at <= $6
                RETURNING true
                """,
                place.account,
                place.key,
                kept.request,
                kept.running_until,
                expires,
                now,
            )
            if claimed:
                return None
            row = await connection.fetchrow(
                "SELECT request, running_until, answer FROM idempotency_keys WHERE account_id = $1 AND key = $2",
                place.account,
                place.key,
            )
        # It was let go at this very moment: it ran until then.
        return Kept(row["request"], row["running_until"], row["answer"]) if row is not None else kept

    async def answer(self, place: Place, answer: bytes) -> None:
        """Keep the answer of the request at *place*."""
        await self._execute("UPDATE idempotency_keys SET answer = $3 WHERE account_id = $1 AND key = $2", place, answer)

    async def lose(self, place: Place, now: datetime) -> None:
        """Say that nobody knows whether the request at *place* took effect."""
        await self._execute(
            "UPDATE idempotency_keys SET running_until = $3 WHERE account_id = $1 AND key = $2", place, now
        )

    async def let_go(self, place: Place) -> None:
        """Forget the request at *place*, which had no effect."""
        await self._execute("DELETE FROM idempotency_keys WHERE account_id = $1 AND key = $2 AND answer IS NULL", place)

    async def answers(self, account: UUID) -> list[tuple[bytes, bytes]]:
        """Key and answer of every request of *account* that has been answered."""
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(
                "SELECT key, answer FROM idempotency_keys WHERE account_id = $1 AND answer IS NOT NULL", account
            )
        return [(row["key"], row["answer"]) for row in rows]

    async def forget_answers(self, account: UUID, keys: list[bytes]) -> int:
        """Forget the answers at *keys*, not the requests; how many."""
        async with self._database.tenant(account) as connection:
            done = await connection.execute(
                """
                UPDATE idempotency_keys SET answer = NULL, running_until = now()
                WHERE account_id = $1 AND key = ANY ($2) AND answer IS NOT NULL
                """,
                account,
                keys,
            )
        return int(done.split()[-1])

    async def _execute(self, statement: str, place: Place, *more: object) -> None:
        async with self._database.tenant(place.account) as connection:
            await connection.execute(statement, place.account, place.key, *more)
