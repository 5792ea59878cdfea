"""How long each account keeps what, and the erasing of what is due, a batch at a time."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final
from uuid import UUID

import asyncpg

from orchestrator.core.privacy import Kept
from orchestrator.store.after_call import take_account_turn
from orchestrator.store.db import Database

# Calls and jobs in one transaction: few enough that writers of the account, who take turns, notice nothing.
_CALLS, _ROWS = 100, 1000

_DUE: Final = """
    SELECT id FROM calls
    WHERE account_id = $1 AND ended_at < $2 AND {} ORDER BY ended_at LIMIT $3 FOR UPDATE SKIP LOCKED
"""
_ABANDONED: Final = """
    SELECT id FROM calls
    WHERE account_id = $1 AND ended_at IS NULL AND started_at < $2::timestamptz - interval '1 day' AND {}
    LIMIT $3 FOR UPDATE SKIP LOCKED
"""


class RetentionRepository:
    """The policies of all accounts, and what they let be erased. A call that goes on is never touched.

    No call goes on for a day: one without an end has lost whoever would have written it.
    """

    def __init__(self, database: Database, calls_at_once: int = _CALLS) -> None:
        self._database = database
        self._calls_at_once = calls_at_once

    async def policies(self, account: UUID) -> Mapping[Kept, int]:
        """Days by kind; what is not there is kept for ever."""
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch("SELECT kind, days FROM retention_policies WHERE account_id = $1", account)
        return {Kept(row["kind"]): row["days"] for row in rows}

    async def save(self, account: UUID, days: Mapping[Kept, int]) -> None:
        """Let *days* be all of the policies of *account*."""
        async with self._database.tenant(account) as connection:
            await connection.execute("DELETE FROM retention_policies WHERE account_id = $1", account)
            await connection.executemany(
                "INSERT INTO retention_policies (account_id, kind, days) VALUES ($1, $2, $3)",
                [(account, kind.value, number) for kind, number in days.items()],
            )

    async def calls_due(self, account: UUID, before: datetime) -> list[UUID]:
        """Calls that ended *before*, the first to end first, a batch at most."""
        async with self._database.tenant(account) as connection:
            return await self._due(connection, account, before)

    async def recordings_due(self, account: UUID, before: datetime) -> list[UUID]:
        """The same of calls that have a recording."""
        recorded = "EXISTS (SELECT FROM recordings WHERE call_id = calls.id)"
        async with self._database.tenant(account) as connection:
            return await self._due(connection, account, before, recorded)

    async def erase_calls(self, account: UUID, calls: list[UUID]) -> int:
        """Erase *calls*, which are over, with everything that belongs to them; how many there were."""
        async with self._database.tenant(account) as connection:
            await take_account_turn(connection, account)
            rows = await connection.fetch(
                "DELETE FROM calls WHERE account_id = $1 AND id = ANY ($2) RETURNING id",
                account,
                calls,
            )
        return len(rows)

    async def erase_transcripts(self, account: UUID, before: datetime) -> int:
        """Erase the words of a batch of calls that ended *before*; of how many. Their figures stay."""
        async with self._database.tenant(account) as connection:
            await take_account_turn(connection, account)
            calls = await self._due(connection, account, before, "transcript_erased_at IS NULL")
            for statement in (
                "DELETE FROM transcripts WHERE call_id = ANY ($1)",
                "DELETE FROM events WHERE call_id = ANY ($1) AND type IN ('partial', 'dtmf')",
                "UPDATE turns SET caller_text = '', reply_text = '', heard_text = '' WHERE call_id = ANY ($1)",
                "UPDATE calls SET words = NULL, summary = NULL, transcript_erased_at = now() WHERE id = ANY ($1)",
            ):
                await connection.execute(statement, calls)
        return len(calls)

    async def erase_events(self, account: UUID, before: datetime) -> int:
        """Erase the events of a batch of calls that ended *before*; of how many."""
        async with self._database.tenant(account) as connection:
            await take_account_turn(connection, account)
            calls = await self._due(connection, account, before, "events_erased_at IS NULL")
            await connection.execute("DELETE FROM events WHERE call_id = ANY ($1)", calls)
            await connection.execute("UPDATE calls SET events_erased_at = now() WHERE id = ANY ($1)", calls)
        return len(calls)

    async def erase_jobs(self, account: UUID, before: datetime) -> int:
        """Erase a batch of jobs that were over *before*; how many."""
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(
                """
                DELETE FROM jobs WHERE id IN (
                    SELECT id FROM jobs WHERE account_id = $1 AND finished_at < $2 LIMIT $3 FOR UPDATE SKIP LOCKED
                ) RETURNING id
                """,
                account,
                before,
                _ROWS,
            )
        return len(rows)

    async def _due(
        self, connection: asyncpg.Connection, account: UUID, before: datetime, condition: str = "true"
    ) -> list[UUID]:
        """A batch of calls that were over *before*, the first to end first."""
        calls: list[UUID] = []
        for query in (_DUE, _ABANDONED):
            if len(calls) < self._calls_at_once:
                room = self._calls_at_once - len(calls)
                calls += [row["id"] for row in await connection.fetch(query.format(condition), account, before, room)]
        return calls
