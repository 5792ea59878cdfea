"""The audit log in PostgreSQL: only added to, one chain an account."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

import asyncpg

from orchestrator.core.audit import BEGINNING, Deed, Entry
from orchestrator.store.db import Database
from orchestrator.store.jsonb import storable_text

_READ_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Verified:
    """What was found of a chain. broken_at: the first entry that is not what was written; head: hash of the last one.

    known: whether an earlier head is still part of it; None when none was asked for.
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
        # What is hashed must be what is stored.
        deed = replace(deed, subject={name: storable_text(value) for name, value in deed.subject.items()})
        async with self._database.transaction() as connection:
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
        previous, seq, found = BEGINNING, 0, None
        while True:
            async with self._database.tenant(account) as connection:
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
                return Verified(seq, None, previous, None if known is None else bool(found))


def _entry(row: asyncpg.Record) -> Entry:
    deed = Deed(row["account_id"], row["actor_kind"], row["actor"], row["action"], row["subject"], row["request"])
    return Entry(deed, row["seq"], row["at"], row["previous"])
