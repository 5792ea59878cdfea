"""Every day, what has been kept for as long as its account wants is erased."""

from __future__ import annotations

import time

from orchestrator.compliance.retention import Recordings, Retention
from orchestrator.core.errors import RecordingUnavailable
from orchestrator.jobs.kinds import Done, JobFailed, JobKind
from orchestrator.store.audit_repository import AuditRepository
from orchestrator.store.db import Database
from orchestrator.store.jobs import Job
from orchestrator.store.retention_repository import RetentionRepository

# In the small hours of Europe; the queue spreads nothing, so not on the hour, when everybody's begins.
_DAILY = "17 3 * * *"
_LIMIT = 3600.0


def retention(database: Database, recordings: Recordings) -> JobKind:
    """Erases what is due in the account of the job."""
    erasing = Retention(RetentionRepository(database), recordings, AuditRepository(database), time.time)

    async def run(job: Job) -> Done:
        try:
            erased = await erasing.run(job.account_id)
        except RecordingUnavailable as error:
            raise JobFailed("objects_unavailable") from error
        return Done(result={kind.value: count for kind, count in erased.counts.items()})

    return JobKind("retention", run, limit=_LIMIT, cron=_DAILY)
