"""The jobs of an account, for whoever looks at them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from orchestrator.store.after_call import take_turn
from orchestrator.store.db import Database
from orchestrator.store.job_ends import job_ended
from orchestrator.store.jobs import Job, JobState, to_job

_PAGE = """
    SELECT * FROM jobs
    WHERE account_id = $1
        AND ($2::text IS NULL OR kind = $2)
        AND ($3::text IS NULL OR state = $3)
        AND ($4::uuid IS NULL OR call_id = $4)
        AND ($5::timestamptz IS NULL OR (created_at, id) < ($5, $6::uuid))
    ORDER BY created_at DESC, id DESC
    LIMIT $7
"""

_RETRY = """
    UPDATE jobs SET
        state = 'queued', attempts = 0, lost = 0, error = NULL, result = NULL,
        due_at = now(), started_at = NULL, finished_at = NULL
    WHERE id = $1 AND account_id = $2 AND state IN ('failed', 'cancelled')
    RETURNING *
"""

# A worker that is at it finds this when it comes to write its outcome, which is dropped.
_CANCEL = """
    UPDATE jobs SET state = 'cancelled', finished_at = now()
    WHERE id = $1 AND account_id = $2 AND state IN ('queued', 'running')
    RETURNING *
"""


@dataclass(frozen=True, slots=True)
class JobFilter:
    """Which jobs are asked for; None asks for all."""

    kind: str | None = None
    state: JobState | None = None
    call: UUID | None = None


class JobsRepository:
    """Jobs, account by account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, account: UUID, wanted: JobFilter, after: tuple[datetime, UUID] | None, limit: int
    ) -> list[Job]:
        """Those that are *wanted*, newest first; after: created_at and id of the last one of the page before."""
        created, last = after or (None, None)
        state = None if wanted.state is None else wanted.state.value
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(_PAGE, account, wanted.kind, state, wanted.call, created, last, limit)
        return [to_job(row) for row in rows]

    async def get(self, account: UUID, job: UUID) -> Job | None:
        """One of them; None when the account has no such job."""
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow("SELECT * FROM jobs WHERE id = $1 AND account_id = $2", job, account)
        return None if row is None else to_job(row)

    async def retry(self, account: UUID, job: UUID) -> Job | None:
        """Queue a job that failed or was cancelled once more; None when it is not one of those."""
        async with self._database.tenant(account) as connection:
            row = await connection.fetchrow(_RETRY, job, account)
            if row is None:
                return None
            await connection.execute("SELECT queue_job($1, $2, interval '0')", row["id"], row["kind"])
        return to_job(row)

    async def cancel(self, account: UUID, job: UUID) -> Job | None:
        """Let a job that is not over have no effect; None when it is over."""
        async with self._database.tenant(account) as connection:
            await take_turn(connection, job)
            row = await connection.fetchrow(_CANCEL, job, account)
            cancelled = None if row is None else to_job(row)
            if cancelled is not None:
                await job_ended(connection, cancelled)
        return cancelled
