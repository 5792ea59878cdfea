"""`/api/v1/jobs`: what is done behind the calls, what came of it, and another try."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.api.door import Door
from orchestrator.api.pages import Cursor, Limit, Page, key_of, moment_and_id, paged
from orchestrator.api.schemas import Told
from orchestrator.core.errors import ApiError
from orchestrator.store.erasures_repository import ERASURE
from orchestrator.store.jobs import Job, JobState
from orchestrator.store.jobs_repository import JobFilter, JobsRepository

Kind = Annotated[str | None, Query(max_length=64, pattern=r"^[a-z_]+$")]


class JobRead(Told):
    """One job. attempts: tries so far; error: why the latest of them failed, a code; result: what came of it."""

    id: UUID
    kind: str
    state: JobState
    call_id: UUID | None
    attempts: int
    error: str | None
    result: Mapping[str, object] | None
    created_at: datetime
    due_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def jobs_router(jobs: JobsRepository, door: Door) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])
    reader, manager = (Depends(door.needs(permission)) for permission in (Permission.READ_JOBS, Permission.MANAGE_JOBS))

    @router.get("")
    async def list_jobs(  # noqa: PLR0913 - one parameter a filter
        *,
        limit: Limit = 50,
        after: Cursor = None,
        kind: Kind = None,
        state: JobState | None = None,
        call: UUID | None = None,
        who: Identity = reader,
    ) -> Page[JobRead]:
        """The jobs of the account, the latest first; those that are over go after thirty days."""
        found = await jobs.page(who.account, JobFilter(kind, state, call), key_of(after, moment_and_id), limit + 1)
        return paged(found, limit, JobRead.model_validate, lambda job: (job.created_at, job.id))

    @router.get("/{job_id}")
    async def get_job(job_id: UUID, who: Identity = reader) -> JobRead:
        """One job."""
        return JobRead.model_validate(await _found(who.account, job_id))

    @router.post("/{job_id}/retry")
    async def retry_job(job_id: UUID, who: Identity = manager) -> JobRead:
        """Have a job done that failed or was cancelled."""
        job = await jobs.retry(who.account, job_id)
        if job is None:
            state = (await _found(who.account, job_id)).state
            raise ApiError(409, "job_not_failed", f"the job is {state}: it has neither failed nor been cancelled")
        return JobRead.model_validate(job)

    @router.post("/{job_id}/cancel")
    async def cancel_job(job_id: UUID, who: Identity = manager) -> JobRead:
        """Let a job that is not over have no effect; what it does to the world outside, it may have done already."""
        if (await _found(who.account, job_id)).kind == ERASURE:
            raise ApiError(409, "job_not_cancellable", "an erasure goes on to its end: somebody has a right to it")
        job = await jobs.cancel(who.account, job_id)
        if job is None:
            state = (await _found(who.account, job_id)).state
            raise ApiError(409, "job_over", f"the job is {state}: there is nothing left to cancel")
        return JobRead.model_validate(job)

    async def _found(account: UUID, job_id: UUID) -> Job:
        job = await jobs.get(account, job_id)
        if job is None:
            raise ApiError(404, "job_not_found", f"there is no job {job_id}")
        return job

    return router
