"""Jobs as they are kept, and how work is put before the workers: docs/jobs.md.

async with database.tenant(account) as connection:
    ...                                               # what the job follows from
    await enqueue(connection, account, "webhook_delivery", {"delivery": str(delivery)})
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID, uuid4

import asyncpg


class JobState(StrEnum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


SUMMARY: Final = "summary"
SENTIMENT: Final = "sentiment"
ROLLUP: Final = "rollup"
TRANSCRIPTION: Final = "transcription"
RECORDING_MASKING: Final = "recording_masking"

AFTER_CALL: Final = (SUMMARY, SENTIMENT)
"""What is found out about every call that has ended; when all of it is done, the call is analysed."""


@dataclass(frozen=True, slots=True)
class Job:
    """One job. attempts: tries that failed, and the present one; run: tells its tries apart; lost: tries whose worker
    was never heard of again; error: a code; due_at: not tried before.
    """

    id: UUID
    account_id: UUID
    kind: str
    key: str | None
    call_id: UUID | None
    payload: Mapping[str, object]
    state: JobState
    attempts: int
    run: int
    lost: int
    error: str | None
    result: Mapping[str, object] | None
    created_at: datetime
    due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


@dataclass(frozen=True, slots=True)
class Work:
    """A job to be queued.

    key: while one of this kind and key waits, another is not queued; id: one that is there already is left as it is;
    payload: ids and numbers, nothing that a caller said.
    """

    account: UUID
    kind: str
    key: str | None = None
    call: UUID | None = None
    payload: Mapping[str, object] = field(default_factory=dict)
    delay: timedelta = timedelta()
    id: UUID = field(default_factory=uuid4)


# Locked until the transaction ends: a worker takes what waits only when what we have just written can be seen.
_WAITING = """
    SELECT id FROM jobs
    WHERE account_id = $1 AND kind = $2 AND key = $3 AND state = 'queued'
    LIMIT 1 FOR SHARE
"""

_QUEUE = """
    WITH added AS (
        INSERT INTO jobs (id, account_id, kind, key, call_id, payload, due_at)
        VALUES ($1, $2, $3, $4, $5, $6, now() + $7)
        ON CONFLICT (id) DO NOTHING
        RETURNING id, kind
    )
    SELECT queue_job(id, kind, $7) FROM added
"""


async def enqueue(  # noqa: PLR0913, PLR0917 - one parameter a column
    connection: asyncpg.Connection,
    account_id: UUID,
    kind: str,
    payload: Mapping[str, object],
    dedupe_key: str | None = None,
    delay: timedelta | None = None,
) -> bool:
    """Queue a job in the transaction of *connection*: it is run if, and only if, that is kept.

    payload: ids and numbers, nothing that a caller said. False, and nothing is queued, while one of the same kind and
    dedupe_key waits. Two transactions that do not see each other may both queue one.
    """
    return await put(connection, Work(account_id, kind, dedupe_key, None, payload, delay or timedelta()))


async def put(connection: asyncpg.Connection, work: Work) -> bool:
    """Queue *work*, as enqueue() does. False: it waits already.

    Raises asyncpg.ForeignKeyViolationError for a call that the account does not have.
    """
    if work.key is not None and await connection.fetchval(_WAITING, work.account, work.kind, work.key) is not None:
        return False
    row = (work.id, work.account, work.kind, work.key, work.call, work.payload, work.delay)
    return bool(await connection.fetch(_QUEUE, *row))


def to_job(row: asyncpg.Record) -> Job:
    """The job of a row of `jobs`."""
    values = dict(row)
    return Job(**{**values, "state": JobState(values["state"])})
