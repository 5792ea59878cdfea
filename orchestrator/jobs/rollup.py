"""Days of calls in figures, counted anew whenever one of their calls has changed."""

from __future__ import annotations

from datetime import date
from functools import partial

from orchestrator.jobs.kinds import Done, JobFailed, JobKind
from orchestrator.store.analytics import count_day
from orchestrator.store.jobs import ROLLUP, Job


async def _count(job: Job) -> Done:
    try:
        day = date.fromisoformat(str(job.payload.get("day")))
    except ValueError as error:
        raise JobFailed("bad_payload", again=False) from error
    return Done(partial(count_day, account=job.account_id, day=day))


def rollup() -> JobKind:
    """Counts the calls of the day that the payload names."""
    return JobKind(ROLLUP, _count)
