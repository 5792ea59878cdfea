"""`/api/v1/calls`: what was said in which call, and how fast."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query

from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.api.calls.schemas import CallDetail, CallSummary, FoundCall
from orchestrator.api.door import Door
from orchestrator.api.pages import Cursor, Limit, Page, key_of, moment_and_id, paged
from orchestrator.api.schemas import Moment
from orchestrator.calls.supervisor import CallSupervisor
from orchestrator.core.errors import ApiError
from orchestrator.core.events import Direction, EndReason
from orchestrator.store import call_lists as store
from orchestrator.store.call_lists import CallFilter, CallLists
from orchestrator.store.calls import Call
from orchestrator.store.calls_repository import CallsRepository

# PostgreSQL keeps no zero byte.
Text = Annotated[str | None, Query(max_length=256, pattern=r"^[^\x00]*$")]
Words = Annotated[str | None, Query(max_length=256, pattern=r"^[^\x00]*$")]
When = Annotated[Moment | None, Query(description="With its offset from UTC.")]


def calls_router(calls: CallsRepository, lists: CallLists, supervisor: CallSupervisor, door: Door) -> APIRouter:
    """The routes, on *calls* that were recorded and those that *supervisor* runs."""
    router = APIRouter(prefix="/api/v1/calls", tags=["calls"])
    reader, controller = (
        Depends(door.needs(permission)) for permission in (Permission.READ_CALLS, Permission.CONTROL_CALLS)
    )

    @router.get("")
    async def list_calls(  # noqa: PLR0913 - one parameter a filter
        *,
        limit: Limit = 50,
        after: Cursor = None,
        agent: Text = None,
        direction: Direction | None = None,
        driver: Text = None,
        caller: Text = None,
        callee: Text = None,
        reason: EndReason | None = None,
        live: bool | None = None,
        since: When = None,
        until: When = None,
        q: Words = None,
        who: Identity = reader,
    ) -> Page[FoundCall]:
        """The calls, newest first. q: words of the transcript, "side by side", begun*, -without."""
        wanted = CallFilter(agent, direction, driver, caller, callee, reason, live, since, until, q)
        found = await lists.page(who.account, wanted, limit + 1, key_of(after, moment_and_id))
        return paged(found, limit, _found, lambda one: (one.call.started_at, one.call.id))

    @router.get("/{call_id:uuid}")
    async def get_call(call_id: UUID, who: Identity = reader) -> CallDetail:
        """One call with its turns, transcript and events."""
        history = await calls.of(who.account).history(call_id)
        if history is None:
            raise ApiError(404, "call_not_found", f"there is no call {call_id}")
        return CallDetail.model_validate(
            {
                **_summary(history.call),
                "turns": history.turns,
                "transcript": history.transcript,
                "events": history.events,
                "consent": history.consent,
            }
        )

    @router.post("/{call_id}/hangup", status_code=204)
    async def hang_up(call_id: UUID, who: Identity = controller) -> None:
        """End a live call."""
        live = supervisor.live.get(call_id)
        if live is None or live.started.account != who.account or not await supervisor.hangup(call_id):
            raise ApiError(404, "call_not_live", f"no call {call_id} is going on")

    return router


def _summary(call: Call) -> dict[str, object]:
    return CallSummary.model_validate(call).model_dump()


def _found(one: store.FoundCall) -> FoundCall:
    return FoundCall.model_validate({**_summary(one.call), "lines": one.lines})
