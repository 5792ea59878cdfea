"""Erasures of callers, and the rows that they take away."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

import asyncpg

from orchestrator.core.audit import Deed
from orchestrator.store.audit_repository import append
from orchestrator.store.call_rows import ROUTED
from orchestrator.store.db import Database
from orchestrator.store.jobs import enqueue

ERASURE: Final = "erasure"
"""The kind of job that carries one out."""

Obstacle: TypeAlias = Literal["call", "spool"]

_OF_CALLER: Final = f"""
    SELECT id, ended_at IS NOT NULL OR started_at < $3 AS over FROM calls
    WHERE account_id = $1
        AND CASE direction WHEN 'inbound' THEN {ROUTED.format("caller")} ELSE {ROUTED.format("callee")} END = ANY ($2)
    ORDER BY started_at, id
"""  # noqa: S608 - columns of ours
_ROWS: Final = ("turns", "transcripts", "events", "recordings", "consents", "jobs")
_DELIVERIES: Final = """
    DELETE FROM webhook_deliveries WHERE account_id = $1 AND data ->> 'call_id' = ANY ($2) RETURNING id
"""
# Characters. Two or three digits are in many ids and figures, which are about nobody.
_LONG_ENOUGH: Final = 7
# Work that names a call without being tied to it, or sends what is no longer there.
_NAMING: Final = """
    DELETE FROM jobs WHERE account_id = $1 AND kind <> $3
        AND (id = ANY ($4) OR concat_ws(' ', to_json(key), payload::text, result::text) ~ ANY ($2))
"""


@dataclass(frozen=True, slots=True)
class StoredErasure:
    """One. caller: encrypted, None once it is forgotten; erased: how many of what, so far; receipt: once finished."""

    id: UUID
    account: UUID
    caller: bytes | None = field(repr=False)
    asked_at: datetime
    calls: tuple[UUID, ...]
    erased: Mapping[str, int]
    waits_for: Obstacle | None
    receipt: Mapping[str, Any] | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class CallsOfCaller:
    """Calls with somebody: those that are over, and those that go on."""

    over: tuple[UUID, ...]
    live: tuple[UUID, ...]


class ErasuresRepository:
    """The erasures of all accounts; each method sees one account alone."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, erasure: UUID, account: UUID, caller: bytes, at: datetime) -> StoredErasure:
        """A new one, with the job that carries it out."""
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow(
                "INSERT INTO erasures (id, account_id, caller, asked_at) VALUES ($1, $2, $3, $4) RETURNING *",
                erasure,
                account,
                caller,
                at,
            )
            await enqueue(connection, account, ERASURE, {"erasure": str(erasure)}, dedupe_key=str(erasure))
        return _erasure(row)

    async def get(self, account: UUID, erasure: UUID) -> StoredErasure | None:
        """One of *account*."""
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow(
                "SELECT * FROM erasures WHERE account_id = $1 AND id = $2", account, erasure
            )
        return None if row is None else _erasure(row)

    async def page(self, account: UUID, limit: int, after: tuple[datetime, UUID] | None = None) -> list[StoredErasure]:
        """The latest first; older than *after* when it is given."""
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(
                """
                SELECT * FROM erasures WHERE account_id = $1 AND ($2::timestamptz IS NULL OR (asked_at, id) < ($2, $3))
                ORDER BY asked_at DESC, id DESC LIMIT $4
                """,
                account,
                *(after or (None, None)),
                limit,
            )
        return [_erasure(row) for row in rows]

    async def calls_of(self, account: UUID, forms: Sequence[str], abandoned: datetime) -> CallsOfCaller:
        """The calls with whoever has one of the numbers *forms*, in routing form: from them, or to them.

        abandoned: what began before that is over; whoever would have ended it in the database is gone.
        """
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(_OF_CALLER, account, list(forms), abandoned)
        over = tuple(row["id"] for row in rows if row["over"])
        return CallsOfCaller(over, tuple(row["id"] for row in rows if not row["over"]))

    async def erase(self, erasure: StoredErasure, calls: Sequence[UUID], outside: Mapping[str, int]) -> None:
        """Erase *calls*, which are over, and note it with what was erased *outside* of the database, in one."""
        async with self._database.tenant(erasure.account) as connection:
            counts = dict(outside)
            for table in _ROWS:
                counts[table] = await connection.fetchval(
                    f"SELECT count(*) FROM {table} WHERE call_id = ANY ($1)",  # noqa: S608 - a table of ours
                    calls,
                )
            gone = await connection.fetch(
                "DELETE FROM calls WHERE account_id = $1 AND id = ANY ($2) RETURNING id",
                erasure.account,
                calls,
            )
            await _note(connection, erasure, [row["id"] for row in gone], {"calls": len(gone), **counts})

    async def erase_naming(self, erasure: StoredErasure, names: Sequence[str]) -> None:
        """Erase the work that holds any of *names*, ids of calls and spellings of a number, and what webhooks are told
        of those calls, sent or not."""
        account = erasure.account
        async with self._database.tenant(account) as connection:
            deliveries = [row["id"] for row in await connection.fetch(_DELIVERIES, account, list(names))]
            done = await connection.execute(_NAMING, account, [_pattern(name) for name in names], ERASURE, deliveries)
            counts = {"jobs": int(done.split()[-1]), "webhook_deliveries": len(deliveries)}
            await _note(connection, erasure, [], counts)

    async def erase_contact(self, erasure: StoredErasure, forms: Sequence[str]) -> None:
        """Erase whom the account knows by one of the numbers *forms*, in routing form."""
        async with self._database.tenant(erasure.account) as connection:
            done = await connection.execute(
                "DELETE FROM contacts WHERE account_id = $1 AND number = ANY ($2)", erasure.account, list(forms)
            )
            await _note(connection, erasure, [], {"contacts": int(done.split()[-1])})

    async def note(self, erasure: StoredErasure, outside: Mapping[str, int]) -> None:
        """Note what was erased outside of the database."""
        async with self._database.tenant(erasure.account) as connection:
            await _note(connection, erasure, [], outside)

    async def wait(self, erasure: StoredErasure, obstacle: Obstacle) -> None:
        """Note why it cannot be finished yet."""
        async with self._database.tenant(erasure.account) as connection:
            await connection.execute("UPDATE erasures SET waits_for = $2 WHERE id = $1", erasure.id, obstacle)

    async def finish(self, erasure: StoredErasure, receipt: Mapping[str, Any], deed: Deed, at: datetime) -> None:
        """Keep the receipt, forget the number, and add *deed* to the audit log, all or nothing. A second time changes
        nothing.
        """
        async with self._database.transaction() as connection:
            done = await connection.execute(
                """
                UPDATE erasures SET receipt = $3, finished_at = $4, caller = NULL, waits_for = NULL
                WHERE account_id = $1 AND id = $2 AND finished_at IS NULL
                """,
                erasure.account,
                erasure.id,
                receipt,
                at,
            )
            if done == "UPDATE 1":
                await append(connection, deed, at)


async def _note(
    connection: asyncpg.Connection, erasure: StoredErasure, calls: Sequence[UUID], counts: Mapping[str, int]
) -> None:
    row = await connection.fetchrow("SELECT erased FROM erasures WHERE id = $1 FOR UPDATE", erasure.id)
    sums = {kind: row["erased"].get(kind, 0) + counts.get(kind, 0) for kind in {*row["erased"], *counts}}
    await connection.execute(
        "UPDATE erasures SET calls = calls || $2::uuid[], erased = $3 WHERE id = $1", erasure.id, calls, sums
    )


def _pattern(name: str) -> str:
    """A regular expression of PostgreSQL's for JSON that names it; a short name is no part of a longer text."""
    literal = re.escape(json.dumps(name, ensure_ascii=False)[1:-1])
    if len(name) < _LONG_ENOUGH:
        return f'"{literal}"'
    return f"(?<![[:alnum:].-]){literal}(?![[:alnum:].-])"


def _erasure(row: asyncpg.Record) -> StoredErasure:
    return StoredErasure(
        id=row["id"],
        account=row["account_id"],
        caller=row["caller"],
        asked_at=row["asked_at"],
        calls=tuple(row["calls"]),
        erased=row["erased"],
        waits_for=row["waits_for"],
        receipt=row["receipt"],
        finished_at=row["finished_at"],
    )
