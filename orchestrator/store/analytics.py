"""Days of calls in figures."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

import asyncpg

from orchestrator.store.db import Database


@dataclass(frozen=True, slots=True)
class CallDay:
    """The ended calls of an agent that started on a day (UTC).

    unanswered: those that we placed and nobody took; failed: those that a fault ended; seconds: of all together;
    answered: turns whose latency is known; latency_*: seconds; sentiment: -1 to 1.
    """

    day: date
    agent: str
    calls: int
    unanswered: int
    failed: int
    seconds: float
    turns: int
    answered: int
    latency_p50: float | None
    latency_p95: float | None
    latency_p99: float | None
    sentiment: float | None


@dataclass(frozen=True, slots=True)
class Days:
    """Which days are asked for, from *first* to *last*, both included, and of which agent; None asks for all."""

    first: date | None = None
    last: date | None = None
    agent: str | None = None


_FORGET = "DELETE FROM call_days WHERE account_id = $1 AND day = $2"

_COUNT = """
    WITH ended AS (
        SELECT id, agent, duration, sentiment, end_reason FROM calls
        WHERE account_id = $1 AND ended_at IS NOT NULL
            AND started_at >= $2::date::timestamp AT TIME ZONE 'UTC'
            AND started_at < ($2::date + 1)::timestamp AT TIME ZONE 'UTC'
    ), said AS (
        SELECT
            ended.agent, count(*) AS turns, count(voice_to_voice) AS answered,
            percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY voice_to_voice) AS latency
        FROM turns JOIN ended ON ended.id = turns.call_id
        GROUP BY ended.agent
    ), taken AS (
        SELECT
            agent, count(*) AS calls, coalesce(sum(duration), 0) AS seconds, avg(sentiment) AS sentiment,
            count(*) FILTER (WHERE end_reason = 'not_answered') AS unanswered,
            count(*) FILTER (WHERE end_reason IN ('engine_failed', 'leg_lost', 'error')) AS failed
        FROM ended GROUP BY agent
    )
    INSERT INTO call_days (
        account_id, day, agent, calls, unanswered, failed, seconds, turns, answered,
        latency_p50, latency_p95, latency_p99, sentiment
    )
    SELECT
        $1, $2, agent, calls, unanswered, failed, seconds, coalesce(turns, 0), coalesce(answered, 0),
        latency[1], latency[2], latency[3], sentiment
    FROM taken LEFT JOIN said USING (agent)
"""

_DAILY = """
    SELECT
        day, agent, calls, unanswered, failed, seconds, turns, answered,
        latency_p50, latency_p95, latency_p99, sentiment
    FROM call_days
    WHERE account_id = $1
        AND ($2::date IS NULL OR day >= $2)
        AND ($3::date IS NULL OR day <= $3)
        AND ($4::text IS NULL OR agent = $4)
        AND ($5::date IS NULL OR (day, agent) < ($5, $6::text))
    ORDER BY day DESC, agent DESC
    LIMIT $7
"""


async def count_day(connection: asyncpg.Connection, account: UUID, day: date) -> None:
    """Count the calls of *account* on *day* anew; doing it again changes nothing."""
    await connection.execute(_FORGET, account, day)
    await connection.execute(_COUNT, account, day)


class Analytics:
    """Figures, account by account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, account: UUID, wanted: Days, after: tuple[date, str] | None, limit: int) -> list[CallDay]:
        """Each day on which there were calls, for each agent, the latest first; after: day and agent of the last one of
        the page before.
        """
        day, agent = after or (None, None)
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(_DAILY, account, wanted.first, wanted.last, wanted.agent, day, agent, limit)
        return [CallDay(**dict(row)) for row in rows]
