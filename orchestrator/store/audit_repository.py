"""The audit log in PostgreSQL: only added to, one chain an account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from itertools import takewhile
from uuid import UUID

import asyncpg

from orchestrator.core.audit import BEGINNING, Deed, Entry
from orchestrator.store.db import Database
from orchestrator.store.jsonb import storable_text

_READ_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found of a chain. broken_at: the first entry that is not what was written; head: hash of the last one.

    known: whether an earlier head is still part of it; None when none was asked for, or it was erased for its age.
    """

    entries: int
    broken_at: int | None
    head: bytes
    known: bool | None


class AuditRepository:
    """The logs of all accounts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def append(self, deed: Deed, at: datetime) -> Entry:
        """Add *deed* behind everything that its account has done. Raises StoreUnavailable."""
        async with self._database.transaction() as connection:
            return await append(connection, deed, at)

    async def accounts(self) -> list[UUID]:
        """The accounts that have a log."""
        async with self._database.connection() as connection:
            rows = await connection.fetch("SELECT id FROM accounts WHERE id IN (SELECT account_id FROM audit_log)")
        return [UUID(str(row["id"])) for row in rows]

    async def page(self, account: UUID, limit: int, before: int | None = None) -> list[Entry]:
        """The latest entries first; those before *before* when it is given."""
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(
                """
                SELECT * FROM audit_log WHERE account_id = $1 AND ($2::bigint IS NULL OR seq < $2)
                ORDER BY seq DESC LIMIT $3
                """,
                account,
                before,
                limit,
            )
        return [_entry(row) for row in rows]

    async def verify(self, account: UUID, known: tuple[int, bytes] | None = None) -> Verified:
        """Whether the chain of *account* is whole. known: number and hash of an entry that was its last one once."""
        # One moment for all of it: what is erased for its age meanwhile is no gap.
        async with self._database.tenant(account, "repeatable_read") as connection:
            seq, previous = await _beginning(connection, account)
            found = None if known is None or known[0] < seq else known == (seq, previous)
            while True:
                rows = await connection.fetch(
                    "SELECT * FROM audit_log WHERE account_id = $1 AND seq > $2 ORDER BY seq LIMIT $3",
                    account,
                    seq,
                    _READ_AT_ONCE,
                )
                for row in rows:
                    entry = _entry(row)
                    if entry.seq != seq + 1 or entry.previous != previous or entry.digest() != row["hash"]:
                        return Verified(seq, seq + 1, previous, False if known is not None else None)
                    seq, previous = entry.seq, row["hash"]
                    if known is not None and seq == known[0]:
                        found = previous == known[1]
                if len(rows) < _READ_AT_ONCE:
                    return Verified(seq, None, previous, found)

    async def erase(self, account: UUID, before: datetime) -> int:
        """Erase a batch of the oldest entries, those of *before*; how many. The last one stays, and the chain holds."""
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock(7214003, hashtext($1))", str(account))
            rows = await connection.fetch(
                """
                SELECT seq, at, hash FROM audit_log
                WHERE account_id = $1 AND seq < (SELECT max(seq) FROM audit_log WHERE account_id = $1)
                ORDER BY seq LIMIT $2
                """,
                account,
                _READ_AT_ONCE,
            )
            due = list(takewhile(lambda row: row["at"] < before, rows))
            if not due:
                return 0
            await connection.execute(
                """
                INSERT INTO audit_beginnings (account_id, seq, hash) VALUES ($1, $2, $3)
                ON CONFLICT (account_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash
                """,
                account,
                due[-1]["seq"],
                due[-1]["hash"],
            )
            await connection.execute(
                "DELETE FROM audit_log WHERE account_id = $1 AND seq <= $2", account, due[-1]["seq"]
            )
        return len(due)


async def append(connection: asyncpg.Connection, deed: Deed, at: datetime) -> Entry:
    """Add *deed* behind everything that its account has done, in the transaction of *connection*."""
    # What is hashed must be what is stored.
    deed = replace(deed, subject={name: storable_text(value) for name, value in deed.subject.items()})
    await connection.execute("SELECT pg_advisory_xact_lock(7214003, hashtext($1))", str(deed.account))
    last = await connection.fetchrow(
        "SELECT seq, hash FROM audit_log WHERE account_id = $1 ORDER BY seq DESC LIMIT 1", deed.account
    )
    entry = Entry(deed, 1 if last is None else last["seq"] + 1, at, BEGINNING if last is None else last["hash"])
    await connection.execute(
        """
        INSERT INTO audit_log
            (account_id, seq, at, actor_kind, actor, action, subject, request, previous, hash)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
        """,
        deed.account,
        entry.seq,
        at,
        deed.actor_kind,
        deed.actor,
        deed.action,
        deed.subject,
        deed.request,
        entry.previous,
        entry.digest(),
    )
    return entry


async def _beginning(connection: asyncpg.Connection, account: UUID) -> tuple[int, bytes]:
    """Number and hash of what the first entry that is left follows."""
    row = await connection.fetchrow("SELECT seq, hash FROM audit_beginnings WHERE account_id = $1", account)
    return (0, BEGINNING) if row is None else (row["seq"], row["hash"])


def _entry(row: asyncpg.Record) -> Entry:
    deed = Deed(row["account_id"], row["actor_kind"], row["actor"], row["action"], row["subject"], row["request"])
    return Entry(deed, row["seq"], row["at"], row["previous"])
