"""Calls as they were recorded: what the repository gives to whoever reads them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from orchestrator.core.events import ConsentBy, Direction, EndReason, Happened, Speaker
from orchestrator.core.turn import AnswerKind, Mark


@dataclass(frozen=True, slots=True)
class KnownAs:
    """Which contact somebody is."""

    id: UUID
    name: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Call:
    """One call. ended_at and reason are None while it goes on; duration: seconds; recorded: there is a recording;
    summary and sentiment (from -1 to 1): None until they are found out, and when nothing was said; contact: whom it is
    with, None for somebody unknown.
    """

    id: UUID
    account_id: UUID
    agent: str
    agent_id: UUID | None
    version: int | None
    direction: Direction
    caller: str
    callee: str
    driver: str
    started_at: datetime
    ended_at: datetime | None
    reason: EndReason | None
    duration: float | None
    recorded: bool
    summary: str | None
    sentiment: float | None
    contact: KnownAs | None


@dataclass(frozen=True, slots=True)
class RecordedTurn:
    """One turn. marks: seconds on the media clock; spans: seconds between marks, as computed when it was recorded."""

    index: int
    answer: AnswerKind | None
    caller_text: str
    reply_text: str
    heard_text: str
    marks: Mapping[Mark, float]
    spans: Mapping[str, float]
    voice_to_voice: float | None
    sentiment: float | None


@dataclass(frozen=True, slots=True)
class RecordedLine:
    """A line of the transcript. start, end: media-clock seconds; text: as it was heard and acted upon, of the agent
    what was really heard of it; transcription: what the recording says, None until that is found out, or if it is not.
    """

    turn: int
    speaker: Speaker
    text: str
    start: float
    end: float
    transcription: str | None


@dataclass(frozen=True, slots=True)
class Consent:
    """Whether the caller let the call be recorded, and how that was told. at: media-clock seconds."""

    given: bool
    how: ConsentBy
    at: float


@dataclass(frozen=True, slots=True)
class CallHistory:
    """Everything that is known of one call, each part in order."""

    call: Call
    turns: tuple[RecordedTurn, ...]
    transcript: tuple[RecordedLine, ...]
    events: tuple[Happened, ...]
    consent: Consent | None


@dataclass(frozen=True, slots=True)
class Latency:
    """Voice-to-voice seconds of *n* turns of one kind of answer."""

    answer: AnswerKind
    n: int
    p50: float
    p95: float
    p99: float
    max: float
