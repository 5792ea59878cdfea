"""What follows from the end of a call, queued in the transaction that ends it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Final
from uuid import UUID, uuid5

import asyncpg

from orchestrator.store.jobs import AFTER_CALL, ROLLUP, Work, put
from orchestrator.store.webhook_events import EventType, tell_of_call

# Calls that end close together are counted by one roll-up.
_GATHERING: Final = timedelta(seconds=30)

_DAY = "SELECT account_id, (started_at AT TIME ZONE 'UTC')::date AS day FROM calls WHERE id = $1"

_TURN = """
    SELECT pg_advisory_xact_lock(7214002, hashtext(account_id::text)) FROM jobs WHERE id = $1 AND call_id IS NOT NULL
"""
_OPEN = "SELECT EXISTS (SELECT FROM jobs WHERE call_id = $1 AND kind = ANY ($2) AND state IN ('queued', 'running'))"


async def calls_ended(connection: asyncpg.Connection, calls: Iterable[UUID]) -> None:
    """Queue what is to be found out about each of *calls*, which have just ended; once, however often it is told."""
    for call in calls:
        row = await connection.fetchrow(_DAY, call)
        for kind in AFTER_CALL:
            await put(connection, Work(row["account_id"], kind, call=call, id=uuid5(call, kind)))
        await roll_up(connection, row["account_id"], row["day"])
        await tell_of_call(connection, call, EventType.CALL_ENDED)


async def analysed(connection: asyncpg.Connection, call: UUID) -> None:
    """Take note that one of the jobs after *call* is over: the last of them lets its day be counted anew.

    *connection* has taken the job's turn (take_turn), so that two last jobs that end at once see each other.
    """
    if await connection.fetchval(_OPEN, call, list(AFTER_CALL)):
        return
    row = await connection.fetchrow(_DAY, call)
    await roll_up(connection, row["account_id"], row["day"])
    await tell_of_call(connection, call, EventType.CALL_ANALYSED)


async def take_turn(connection: asyncpg.Connection, job: UUID) -> None:
    """Wait for whoever writes rows of the account of *job*, if that is about a call.

    Whoever writes such rows takes this lock anyhow. It comes before any row of theirs or of jobs is locked: two who
    took them in another order could wait for each other.
    """
    await connection.execute(_TURN, job)


async def take_account_turn(connection: asyncpg.Connection, account: UUID) -> None:
    """The same for who writes rows of calls of *account* without a job about one of them."""
    await connection.execute("SELECT pg_advisory_xact_lock(7214002, hashtext($1::text))", str(account))


async def roll_up(connection: asyncpg.Connection, account: UUID, day: date) -> None:
    """Have the calls of *day* (UTC) counted."""
    await put(connection, Work(account, ROLLUP, day.isoformat(), payload={"day": day.isoformat()}, delay=_GATHERING))
