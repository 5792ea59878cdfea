"""`/api/v1/analytics`: the calls of each day and agent in figures."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from orchestrator.access.roles import Permission
from orchestrator.access.tokens import Identity
from orchestrator.api.calls.schemas import Score, Seconds
from orchestrator.api.door import Door
from orchestrator.api.pages import Cursor, Limit, Page, key_of, paged
from orchestrator.api.schemas import Day, Told
from orchestrator.store.analytics import Analytics, CallDay, Days

Text = Annotated[str | None, Query(max_length=256, pattern=r"^[^\x00]*$")]
When = Annotated[Day | None, Query(description="A day of UTC, included.")]


class CallDayRead(Told):
    """The ended calls of an agent that began on a day of UTC.

    reached: those in which somebody was spoken to; unanswered: those that were placed and nobody took; failed: those
    that a fault of an engine, the line or the machine ended; sentiment: mean of the calls whose is known, from -1 to 1;
    latency_*: seconds from the end of the caller's speech to the reply, of `answered` turns.
    """

    day: date
    agent: str
    calls: int
    reached: int
    unanswered: int
    failed: int
    minutes: Seconds
    turns: int
    answered: int
    sentiment: Score | None
    latency_p50: Seconds | None
    latency_p95: Seconds | None
    latency_p99: Seconds | None


def analytics_router(analytics: Analytics, door: Door) -> APIRouter:
    """The routes."""
    router = APIRouter(prefix="/api/v1/analytics", tags=["analytics"])
    reader = Depends(door.needs(Permission.READ_CALLS))

    @router.get("")
    async def list_call_days(  # noqa: PLR0913 - one parameter a filter
        *,
        limit: Limit = 50,
        after: Cursor = None,
        since: When = None,
        until: When = None,
        agent: Text = None,
        who: Identity = reader,
    ) -> Page[CallDayRead]:
        """Each day on which there were calls, for each agent, the latest first. Counted some seconds after a call."""
        found = await analytics.page(who.account, Days(since, until, agent), key_of(after, _day_and_agent), limit + 1)
        return paged(found, limit, _told, lambda row: (row.day, row.agent))

    return router


def _told(row: CallDay) -> CallDayRead:
    return CallDayRead(
        day=row.day,
        agent=row.agent,
        calls=row.calls,
        reached=row.calls - row.unanswered,
        unanswered=row.unanswered,
        failed=row.failed,
        minutes=row.seconds / 60,
        turns=row.turns,
        answered=row.answered,
        sentiment=row.sentiment,
        latency_p50=row.latency_p50,
        latency_p95=row.latency_p95,
        latency_p99=row.latency_p99,
    )


def _day_and_agent(day: str, agent: str) -> tuple[date, str]:
    """The sort key of the rows. Raises ValueError."""
    if "\x00" in agent:
        raise ValueError("a zero byte")
    return date.fromisoformat(day), agent
