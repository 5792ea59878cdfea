"""What is found out about a call after its end: read what was said, write what it amounts to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import asyncpg

from orchestrator.core.events import Speaker
from orchestrator.core.privacy import Masking
from orchestrator.store.db import Database
from orchestrator.store.jsonb import storable_text

_HEARD_CALL = """
    SELECT masking, (
        SELECT definition ->> 'language' FROM agent_versions
        WHERE agent_versions.agent_id = calls.agent_id AND number = agent_version
    ) AS language
    FROM calls WHERE id = $1
"""
_TIMED_LINES = """
    SELECT speaker, turn, start_at, end_at, text FROM transcripts WHERE call_id = $1 ORDER BY start_at, turn
"""

_KEEP_TRANSCRIPTION = """
    UPDATE transcripts SET transcription = $4
    WHERE call_id = $1 AND speaker = 'caller' AND turn = $2 AND start_at = $3
"""


@dataclass(frozen=True, slots=True)
class Line:
    """Something that was said in a call, in order."""

    speaker: Speaker
    text: str


@dataclass(frozen=True, slots=True)
class TimedLine:
    """What somebody said from *start* to *end*, seconds on the media clock. Turn, speaker and start name it."""

    turn: int
    start: float
    end: float
    text: str


@dataclass(frozen=True, slots=True)
class HeardCall:
    """What was heard in a call. masking: what of it may be kept; language: of the agent, None when nobody knows; lines:
    the caller's; replies: the agent's.
    """

    masking: Masking
    language: str | None
    lines: tuple[TimedLine, ...]
    replies: tuple[TimedLine, ...]


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

    async def heard(self, account: UUID, call: UUID) -> HeardCall | None:
        """What was heard of caller and agent; None when there is no such call."""
        async with self._database.tenant(account) as connection:
            found = await connection.fetchrow(_HEARD_CALL, call)
            rows = await connection.fetch(_TIMED_LINES, call)
        if found is None:
            return None
        said: dict[Speaker, list[TimedLine]] = {"caller": [], "agent": []}
        for row in rows:
            said[row["speaker"]].append(TimedLine(row["turn"], row["start_at"], row["end_at"], row["text"]))
        lines, replies = map(tuple, said.values())
        return HeardCall(Masking(found["masking"]), found["language"], lines, replies)


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


async def keep_transcription(
    connection: asyncpg.Connection, call: UUID, texts: Sequence[tuple[TimedLine, str | None]]
) -> None:
    """Write what the recording of *call* says in each line; None takes an earlier one away. Erased lines stay so."""
    rows = [(call, line.turn, line.start, None if text is None else storable_text(text)) for line, text in texts]
    await connection.executemany(_KEEP_TRANSCRIPTION, rows)
    await connection.execute(
        "UPDATE calls SET words = words_of(id) WHERE id = $1 AND transcript_erased_at IS NULL", call
    )
