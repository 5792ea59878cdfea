"""What is found out about a call after its end: read what was said, write what it amounts to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from orchestrator.core.events import Speaker
from orchestrator.store.db import Database
from orchestrator.store.jsonb import storable_text


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was said in a call, in order."""

    speaker: Speaker
    text: str


class SpokenCalls:
    """What was said in calls, read as their account."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def lines(self, account: UUID, call: UUID) -> list[Line]:
        """The transcript, in order."""
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(
                "SELECT speaker, text FROM transcripts WHERE call_id = $1 ORDER BY start_at, speaker DESC, turn", call
            )
        return [Line(row["speaker"], row["text"]) for row in rows]

    async def caller_turns(self, account: UUID, call: UUID) -> dict[int, str]:
        """What the caller said in each turn, by its index; turns without words are left out."""
        async with self._database.tenant(account) as connection:
            rows = await connection.fetch(
                "SELECT index, caller_text FROM turns WHERE call_id = $1 AND caller_text <> '' ORDER BY index", call
            )
        return {row["index"]: row["caller_text"] for row in rows}


async def keep_summary(connection: asyncpg.Connection, call: UUID, summary: str | None) -> None:
    """Write what *call* was about; None takes an earlier summary away."""
    text = None if summary is None else storable_text(summary)
    await connection.execute("UPDATE calls SET summary = $2 WHERE id = $1", call, text)


async def keep_sentiment(
    connection: asyncpg.Connection, call: UUID, turns: Mapping[int, float], overall: float | None
) -> None:
    """Write the sentiment of *call* and of its *turns* by index, each from -1 to 1; None when nothing was said."""
    await connection.executemany(
        "UPDATE turns SET sentiment = $3 WHERE call_id = $1 AND index = $2",
        [(call, index, score) for index, score in turns.items()],
    )
    await connection.execute("UPDATE calls SET sentiment = $2 WHERE id = $1", call, overall)
