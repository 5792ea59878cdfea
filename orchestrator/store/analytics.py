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

    seconds: of all together; answered: turns whose latency is known; latency_*: seconds; sentiment: -1 to 1.
    """

    day: date
    agent: str
    calls: int
    seconds: float
    turns: int
    answered: int
    latency_p50: float | None
    latency_p95: float | None
    latency_p99: float | None
    sentiment: float | None


_FORGET = "DELETE FROM call_days WHERE account_id = $1 AND day = $2"

_COUNT = """
    WITH ended AS (
        SELECT id, agent, duration, sentiment FROM calls
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
        SELECT agent, count(*) AS calls, coalesce(sum(duration), 0) AS seconds, avg(sentiment) AS sentiment
        FROM ended GROUP BY agent
    )
    INSERT INTO call_days (
        account_id, day, agent, calls, seconds, turns, answered, latency_p50, latency_p95, latency_p99, sentiment
    )
    SELECT
        $1, $2, agent, calls, seconds, coalesce(turns, 0), coalesce(answered, 0),
        latency[1], latency[2], latency[3], sentiment
    FROM taken LEFT JOIN said USING (agent)
"""

_DAILY = """
    SELECT
        day, agent, calls, seconds, turns, answered, latency_p50, latency_p95, latency_p99, sentiment
    FROM call_days
    WHERE account_id = $1 AND day BETWEEN $2 AND $3 AND ($4::text IS NULL OR agent = $4)
    ORDER BY day, agent
"""


async def count_day(connection: asyncpg.Connection, account: UUID, day: date) -> None:
    """Count the calls of *account* on *day* anew; doing it again changes nothing."""
    await connection.execute(_FORGET, account, day)
    await connection.execute(_COUNT, account, day)


class Analytics:
    """Figures, account by account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def daily(self, account: UUID, first: date, last: date, agent: str | None = None) -> list[CallDay]:
        """Each day from *first* to *last*, both included, on which there were calls, for each agent."""
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(_DAILY, account, first, last, agent)
        return [CallDay(**dict(row)) for row in rows]
