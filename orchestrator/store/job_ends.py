"""What follows in the database from the end of a job, whoever ends it and however."""

from __future__ import annotations

import asyncpg

from orchestrator.store.after_call import analysed
from orchestrator.store.jobs import AFTER_CALL, Job, JobState
from orchestrator.store.webhook_events import WEBHOOK, give_up


async def job_ended(connection: asyncpg.Connection, job: Job) -> None:
    """Take note that *job*, as it is now, is over. *connection* has taken its turn (orchestrator.store.after_call)."""
    if job.kind in AFTER_CALL and job.call_id is not None:
        await analysed(connection, job.call_id)
    if job.kind == WEBHOOK and job.state is not JobState.SUCCEEDED:
        failure = job.error if job.state is JobState.FAILED else None  # of a cancelled one, it is an earlier try's
        await give_up(connection, job.id, failure or job.state)
