"""Records as rows, and rows as what is read: the order of columns is the one of the repository's statements."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TypeAlias
from uuid import UUID

import asyncpg

from orchestrator.core.events import (
    CallEnded,
    CallStarted,
    Consented,
    EndReason,
    Happened,
    RecordingStarted,
    Spoken,
    TurnFinished,
)
from orchestrator.core.turn import AnswerKind, Mark
from orchestrator.store.calls import Call, KnownAs, Latency, RecordedLine, RecordedTurn
from orchestrator.store.jsonb import storable_text

Row: TypeAlias = tuple[object, ...]

_DIGITS = "regexp_replace({0}, '[^0-9]', '', 'g')"
ROUTED = f"CASE WHEN {{0}} ~ '[[:alpha:]]' THEN lower({{0}}) ELSE {_DIGITS} END"
"""How numbers are compared everywhere: orchestrator.agents.route."""
_OTHER_END = "CASE direction WHEN 'inbound' THEN caller ELSE callee END"
# A country code may stand behind 00, which contacts leave out.
_CONTACT = f"""(
    SELECT jsonb_build_object('id', contacts.id, 'name', contacts.name) FROM contacts
    WHERE contacts.account_id = calls.account_id
        AND contacts.number = regexp_replace({ROUTED.format(f"({_OTHER_END})")}, '^00', '')
)"""  # noqa: S608 - columns of ours

# What to_call reads. The words of a call are long, and searched only.
CALL_COLUMNS = (
    "id, account_id, agent, agent_id, agent_version, direction, caller, callee, driver, started_at, ended_at, "
    "end_reason, duration, summary, sentiment, "
    "EXISTS (SELECT FROM recordings WHERE recordings.call_id = calls.id) AS recorded, "
    f"{_CONTACT} AS contact"
)


def call_row(record: CallStarted) -> Row:
    """id, account_id, agent, direction, caller, callee, driver, started_at, agent_id, agent_version, masking."""
    texts = (record.agent, record.direction, record.caller, record.callee, record.driver)
    started_at = datetime.fromtimestamp(record.started_at, UTC)
    told = (storable_text(text) for text in texts)
    return (record.call_id, record.account, *told, started_at, record.agent_id, record.version, record.masking.value)


def event_row(record: Happened) -> Row:
    """call_id, seq, type, at, payload."""
    return (record.call_id, record.seq, storable_text(record.type), record.at, record.payload)


def line_row(record: Spoken) -> Row:
    """call_id, turn, speaker, text, start_at, end_at."""
    return (record.call_id, record.turn, record.speaker, storable_text(record.text), record.start, record.end)


def turn_row(record: TurnFinished) -> Row:
    """call_id, index, answer, caller_text, reply_text, heard_text, marks, spans, voice_to_voice."""
    turn = record.turn
    spans = turn.spans()
    answer = None if turn.answer is None else turn.answer.value
    texts = (turn.caller_text, turn.reply_text, turn.heard_text)
    return (
        record.call_id,
        turn.index,
        answer,
        *(storable_text(text) for text in texts),
        turn.marks,
        spans,
        spans.get("voice_to_voice"),
    )


def end_row(record: CallEnded) -> Row:
    """call_id, ended_at, end_reason, duration."""
    return (record.call_id, datetime.fromtimestamp(record.ended_at, UTC), record.reason.value, record.duration)


def consent_row(record: Consented) -> Row:
    """call_id, given, how, at."""
    return (record.call_id, record.given, record.by, record.at)


def recording_row(record: RecordingStarted) -> Row:
    """call_id, wrapped_key, rate, start_at, masked."""
    return (record.call_id, bytes.fromhex(record.wrapped_key), record.rate, record.start_at, record.masked)


def to_call(row: asyncpg.Record) -> Call:
    """The call of a row of `calls`."""
    return Call(
        id=row["id"],
        account_id=row["account_id"],
        agent=row["agent"],
        agent_id=row["agent_id"],
        version=row["agent_version"],
        direction=row["direction"],
        caller=row["caller"],
        callee=row["callee"],
        driver=row["driver"],
        started_at=row["started_at"],
        ended_at=row["ended_at"],
        reason=None if row["end_reason"] is None else EndReason(row["end_reason"]),
        duration=row["duration"],
        recorded=row["recorded"],
        summary=row["summary"],
        sentiment=row["sentiment"],
        contact=None if row["contact"] is None else KnownAs(UUID(row["contact"]["id"]), row["contact"]["name"]),
    )


def to_turn(row: asyncpg.Record) -> RecordedTurn:
    """The turn of a row of `turns`."""
    return RecordedTurn(
        index=row["index"],
        answer=None if row["answer"] is None else AnswerKind(row["answer"]),
        caller_text=row["caller_text"],
        reply_text=row["reply_text"],
        heard_text=row["heard_text"],
        marks={Mark(name): at for name, at in row["marks"].items()},
        spans=row["spans"],
        voice_to_voice=row["voice_to_voice"],
        sentiment=row["sentiment"],
    )


def to_line(row: asyncpg.Record) -> RecordedLine:
    """The line of a row of `transcripts`."""
    return RecordedLine(
        turn=row["turn"],
        speaker=row["speaker"],
        text=row["text"],
        start=row["start_at"],
        end=row["end_at"],
        transcription=row["transcription"],
    )


def to_event(row: asyncpg.Record) -> Happened:
    """The event of a row of `events`."""
    return Happened(row["call_id"], row["seq"], row["type"], row["at"], row["payload"])


def to_latency(row: asyncpg.Record) -> Latency:
    """The percentiles of a row of the latency query."""
    p50, p95, p99 = row["percentiles"]
    return Latency(AnswerKind(row["answer"]), row["n"], p50, p95, p99, row["max"])
