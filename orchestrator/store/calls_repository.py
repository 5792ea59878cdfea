"""Calls, turns, transcripts and events in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import cast
from uuid import UUID

import asyncpg

from orchestrator.core.errors import RecordRefused
from orchestrator.core.events import (
    FIRST_ACCOUNT,
    CallEnded,
    CallStarted,
    Consented,
    EndReason,
    Happened,
    Record,
    RecordingStarted,
    Spoken,
    TurnFinished,
)
from orchestrator.store.after_call import calls_ended
from orchestrator.store.call_rows import (
    CALL_COLUMNS,
    Row,
    call_row,
    consent_row,
    end_row,
    event_row,
    line_row,
    recording_row,
    to_call,
    to_event,
    to_latency,
    to_line,
    to_turn,
    turn_row,
)
from orchestrator.store.calls import Call, CallHistory, Consent, Latency
from orchestrator.store.db import Database
from orchestrator.store.webhook_events import EventType, tell_of_call

DEFAULT_ACCOUNT = FIRST_ACCOUNT

_INSERT_CALL = """
    INSERT INTO calls
        (id, account_id, agent, direction, caller, callee, driver, started_at, agent_id, agent_version, masking)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    ON CONFLICT (id) DO NOTHING
"""

# Rows of a call take its account, whoever writes them; without the call it is null, which the column refuses.
_INSERT_EVENT = """
    INSERT INTO events (call_id, seq, type, at, payload, account_id)
    VALUES ($1, $2, $3, $4, $5, (SELECT account_id FROM calls WHERE id = $1))
    ON CONFLICT (call_id, seq) DO NOTHING
"""

_UPSERT_LINE = """
    INSERT INTO transcripts (call_id, turn, speaker, text, start_at, end_at, account_id)
    VALUES ($1, $2, $3, $4, $5, $6, (SELECT account_id FROM calls WHERE id = $1))
    ON CONFLICT (call_id, start_at, speaker, turn) DO UPDATE SET text = excluded.text, end_at = excluded.end_at
"""

_UPSERT_TURN = """
    INSERT INTO turns
        (call_id, index, answer, caller_text, reply_text, heard_text, marks, spans, voice_to_voice, account_id)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, (SELECT account_id FROM calls WHERE id = $1))
    ON CONFLICT (call_id, index) DO UPDATE SET
        answer = excluded.answer, caller_text = excluded.caller_text, reply_text = excluded.reply_text,
        heard_text = excluded.heard_text, marks = excluded.marks, spans = excluded.spans,
        voice_to_voice = excluded.voice_to_voice
"""

_INSERT_CONSENT = """
    INSERT INTO consents (call_id, given, how, at, account_id)
    VALUES ($1, $2, $3, $4, (SELECT account_id FROM calls WHERE id = $1))
    ON CONFLICT (call_id) DO NOTHING
"""

_START_RECORDING = """
    INSERT INTO recordings (call_id, wrapped_key, rate, start_at, masked, account_id)
    VALUES ($1, $2, $3, $4, $5, (SELECT account_id FROM calls WHERE id = $1))
    ON CONFLICT (call_id) DO NOTHING
"""

# Locked as the update locks it: rows that refer to the call can be written meanwhile.
_END_CALL = """
    WITH before AS (SELECT id, ended_at IS NULL AS open FROM calls WHERE id = $1 FOR NO KEY UPDATE)
    UPDATE calls SET
        ended_at = $2, end_reason = $3, duration = $4, words = words_of(calls.id)
    FROM before
    WHERE calls.id = before.id
    RETURNING before.open
"""

# Everything but the end, in an order in which each finds what it refers to.
_KEEPING = (_INSERT_CALL, _INSERT_EVENT, _UPSERT_LINE, _UPSERT_TURN, _INSERT_CONSENT, _START_RECORDING)

_TAKE_TURNS = """
    SELECT pg_advisory_xact_lock(7214002, key) FROM (
        SELECT DISTINCT hashtext(account::text) AS key FROM (
            SELECT account_id AS account FROM calls WHERE id = ANY ($1) UNION SELECT unnest($2::uuid[])
        ) AS accounts ORDER BY key
    ) AS keys
"""

_END_ABANDONED = """
    WITH abandoned AS (
        SELECT id, coalesce((SELECT max(at) FROM events WHERE call_id = calls.id), 0) AS length
        FROM calls
        WHERE ended_at IS NULL AND id <> ALL ($2) AND ($3::timestamptz IS NULL OR started_at < $3)
    )
    UPDATE calls SET
        end_reason = $1,
        duration = abandoned.length,
        words = words_of(calls.id),
        ended_at = calls.started_at + make_interval(secs => abandoned.length)
    FROM abandoned
    WHERE calls.id = abandoned.id
    RETURNING calls.id
"""

_RECENT = f"SELECT {CALL_COLUMNS} FROM calls WHERE account_id = $1 ORDER BY started_at DESC, id DESC LIMIT $2"  # noqa: S608
_CALL = f"SELECT {CALL_COLUMNS} FROM calls WHERE account_id = $1 AND id = $2"  # noqa: S608

_LATENCY = """
    SELECT
        answer,
        count(*) AS n,
        percentile_cont(ARRAY[0.5, 0.95, 0.99]) WITHIN GROUP (ORDER BY voice_to_voice) AS percentiles,
        max(voice_to_voice) AS max
    FROM turns
    WHERE account_id = $1 AND recorded_at >= $2 AND voice_to_voice IS NOT NULL AND answer IS NOT NULL
    GROUP BY answer
    ORDER BY answer
"""


class CallsRepository:
    """Reads the calls of one account; writes those of all, each into its own."""

    def __init__(self, database: Database, account: UUID = DEFAULT_ACCOUNT) -> None:
        self._database = database
        self._account = account

    async def write(self, records: Sequence[Record]) -> None:
        """Keep *records* in one transaction; keeping a record once more changes nothing.

        Records of one call must come in the order in which they happened, over all writes.
        Raises StoreUnavailable when the database does not answer, and RecordRefused when it never will keep one of
        them, such as the end of a call whose start was not written; none is kept then.
        """
        try:
            await self._write(_rows(records))
        except (
            asyncpg.DataError,
            asyncpg.IntegrityConstraintViolationError,
            asyncpg.CharacterNotInRepertoireError,
        ) as error:
            # The server's message quotes the value, which may be what a caller said.
            where = error.constraint_name or error.column_name or "a value"
            raise RecordRefused(f"{type(error).__name__} at {where}") from error

    async def _write(self, rows: Mapping[str, list[Row]]) -> None:
        async with self._database.transaction() as connection:
            # What the triggers of the rows take, in one order for all writers, or two could wait for each other.
            calls = {row[0] for statement in rows.values() for row in statement}
            await connection.execute(_TAKE_TURNS, list(calls), [row[1] for row in rows[_INSERT_CALL]])
            for statement in _KEEPING:
                if rows[statement]:
                    await connection.executemany(statement, rows[statement])
            for row in rows[_INSERT_CALL]:
                await tell_of_call(connection, cast("UUID", row[0]), EventType.CALL_STARTED)
            for row in rows[_END_CALL]:
                call_id = cast("UUID", row[0])
                was_open = await connection.fetchval(_END_CALL, *row)
                if was_open is None:
                    raise RecordRefused(f"call {call_id} ended, but its start was never written")
                if was_open:
                    await calls_ended(connection, [call_id])

    async def end_abandoned(self, alive: Iterable[UUID] = (), begun_before: datetime | None = None) -> list[UUID]:
        """End all calls that were cut by the death of their orchestrator, at their last event; their ids.

        alive: calls to spare; begun_before: spares the later ones. Without it, this is for the start of a single
        orchestrator, after what its last run has spooled is replayed.
        """
        async with self._database.transaction() as connection:
            rows = await connection.fetch(_END_ABANDONED, EndReason.ERROR.value, list(alive), begun_before)
            ended = [row["id"] for row in rows]
            await calls_ended(connection, ended)
        return ended

    def of(self, account: UUID) -> CallsRepository:
        """The calls of *account*."""
        return CallsRepository(self._database, account)

    async def recent(self, limit: int = 50) -> list[Call]:
        """The latest calls, newest first. orchestrator.store.call_lists finds more of them."""
        async with self._database.tenant(self._account) as connection:
            rows = await connection.fetch(
                _RECENT,
                self._account,
                limit,
            )
        return [to_call(row) for row in rows]

    async def history(self, call_id: UUID) -> CallHistory | None:
        """One call with its turns, transcript and events; None when the account has no such call."""
        async with self._database.tenant(self._account) as connection:
            call = await connection.fetchrow(_CALL, self._account, call_id)
            if call is None:
                return None
            turns = await connection.fetch("SELECT * FROM turns WHERE call_id = $1 ORDER BY index", call_id)
            lines = await connection.fetch(
                "SELECT * FROM transcripts WHERE call_id = $1 ORDER BY start_at, speaker DESC, turn", call_id
            )
            events = await connection.fetch("SELECT * FROM events WHERE call_id = $1 ORDER BY seq", call_id)
            consent = await connection.fetchrow("SELECT given, how, at FROM consents WHERE call_id = $1", call_id)
        return CallHistory(
            call=to_call(call),
            turns=tuple(to_turn(row) for row in turns),
            transcript=tuple(to_line(row) for row in lines),
            events=tuple(to_event(row) for row in events),
            consent=None if consent is None else Consent(**dict(consent)),
        )

    async def latency(self, since: datetime) -> list[Latency]:
        """Voice-to-voice percentiles of the turns recorded since then, one for each kind of answer."""
        async with self._database.tenant(self._account) as connection:
            rows = await connection.fetch(_LATENCY, self._account, since)
        return [to_latency(row) for row in rows]


def _rows(records: Iterable[Record]) -> dict[str, list[Row]]:
    """The rows of each statement. Raises RecordRefused for a record whose values are of the wrong types."""
    rows: dict[str, list[Row]] = {statement: [] for statement in (*_KEEPING, _END_CALL)}
    for record in records:
        try:
            match record:
                case CallStarted():
                    rows[_INSERT_CALL].append(call_row(record))
                case Happened():
                    rows[_INSERT_EVENT].append(event_row(record))
                case Spoken():
                    rows[_UPSERT_LINE].append(line_row(record))
                case TurnFinished():
                    rows[_UPSERT_TURN].append(turn_row(record))
                case Consented():
                    rows[_INSERT_CONSENT].append(consent_row(record))
                case RecordingStarted():
                    rows[_START_RECORDING].append(recording_row(record))
                case CallEnded():
                    rows[_END_CALL].append(end_row(record))
        except (TypeError, ValueError, AttributeError, OverflowError, OSError) as error:
            raise RecordRefused(f"{type(record).__name__} with a value of the wrong kind") from error
    return rows
