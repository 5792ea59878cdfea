"""`/api/v1/calls`: what was said in which call, and how fast."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.api.calls.schemas import CallDetail, CallSummary
from orchestrator.api.door import Door
from orchestrator.calls.supervisor import CallSupervisor
from orchestrator.core.errors import ApiError
from orchestrator.store.calls_repository import DEFAULT_ACCOUNT, CallsRepository


def calls_router(calls: CallsRepository, supervisor: CallSupervisor, door: Door) -> APIRouter:
    """The routes, on *calls* that were recorded and those that *supervisor* runs."""
    router = APIRouter(prefix="/api/v1/calls", tags=["calls"])
    reader, controller = (
        Depends(door.needs(permission)) for permission in (Permission.READ_CALLS, Permission.CONTROL_CALLS)
    )

    @router.get("")
    async def list_calls(
        limit: Annotated[int, Query(ge=1, le=200)] = 50, before: datetime | None = None, who: Identity = reader
    ) -> list[CallSummary]:
        """The latest calls, newest first; those that started earlier than *before* when it is given."""
        return [CallSummary.model_validate(call) for call in await calls.of(who.account).recent(limit, before)]

    @router.get("/{call_id}")
    async def get_call(call_id: UUID, who: Identity = reader) -> CallDetail:
        """One call with its turns, transcript and events."""
        history = await calls.of(who.account).history(call_id)
        if history is None:
            raise ApiError(404, "call_not_found", f"there is no call {call_id}")
        return CallDetail.model_validate(
            {
                **CallSummary.model_validate(history.call).model_dump(),
                "turns": history.turns,
                "transcript": history.transcript,
                "events": history.events,
            }
        )

    @router.post("/{call_id}/hangup", status_code=204)
    async def hang_up(call_id: UUID, who: Identity = controller) -> None:
        """End a live call."""
        # All calls are of the first account until agents belong to one.
        if who.account != DEFAULT_ACCOUNT or not await supervisor.hangup(call_id):
            raise ApiError(404, "call_not_live", f"no call {call_id} is going on")

    return router
