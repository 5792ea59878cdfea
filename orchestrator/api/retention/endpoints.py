"""`/api/v1/retention`: how long what is kept of calls is kept."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from pydantic import Field

from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.api.audit.middleware import note_values
from orchestrator.api.door import Door
from orchestrator.api.schemas import Asked, Told
from orchestrator.compliance.retention import Retention
from orchestrator.core.errors import ApiError, RecordingUnavailable
from orchestrator.core.privacy import Kept
from orchestrator.store.retention_repository import RetentionRepository

# Of one request: some seconds' work at most.
_BATCHES = 5

Days = Annotated[int, Field(ge=1, le=36_500)]


class RetentionSave(Asked):
    """Days by kind; null for ever. Since the end of a call, the end of a job, or the writing of an entry."""

    calls: Days | None
    transcripts: Days | None
    recordings: Days | None
    events: Days | None
    jobs: Days | None
    audit: Days | None


class RetentionRead(Told):
    """Days by kind; null for ever."""

    calls: int | None
    transcripts: int | None
    recordings: int | None
    events: int | None
    jobs: int | None
    audit: int | None


class RetentionRun(Told):
    """What was erased: of how many calls, and how many jobs and entries. more: something is left; ask again."""

    erased: dict[Kept, int]
    more: bool


def retention_router(policies: RetentionRepository, retention: Retention, door: Door) -> APIRouter:
    """The routes, for admins."""
    router = APIRouter(prefix="/api/v1/retention", tags=["privacy"])
    admin = Depends(door.needs(Permission.MANAGE_PRIVACY))

    async def kept(who: Identity) -> RetentionRead:
        days = await policies.policies(who.account)
        return RetentionRead.model_validate({kind.value: days.get(kind) for kind in Kept})

    @router.get("")
    async def get_retention(who: Identity = admin) -> RetentionRead:
        """How long the account keeps what."""
        return await kept(who)

    @router.put("")
    async def set_retention(request: Request, asked: RetentionSave, who: Identity = admin) -> RetentionRead:
        """Keep it for other times. What is older already is erased by the next pass, for good."""
        days = {Kept(name): number for name, number in asked.model_dump().items() if number is not None}
        await policies.save(who.account, days)
        note_values(request, asked.model_dump())
        return await kept(who)

    @router.post("/runs")
    async def run_retention(who: Identity = admin) -> RetentionRun:
        """Erase what is due now, without waiting for the daily pass."""
        try:
            erased = await retention.run(who.account, _BATCHES)
        except RecordingUnavailable as error:
            raise ApiError(503, "objects_unavailable", f"{error}; what was erased stays so, ask again soon") from error
        return RetentionRun(erased=dict(erased.counts), more=erased.more)

    return router
