"""What happens in a call, as values: the recorder keeps them, and nothing else writes a call's history."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

from orchestrator.core.privacy import Masking
from orchestrator.core.turn import Turn


class CallState(StrEnum):
    """The states of a call (SPEC D7)."""

    INIT = "init"
    GREETING = "greeting"
    LISTEN = "listen"
    PROCESS = "process"
    RESPOND = "respond"
    END = "end"


FIRST_ACCOUNT = UUID("00000000-0000-4000-8000-000000000001")
"""The one that every installation has."""

Direction: TypeAlias = Literal["inbound", "outbound"]
Speaker: TypeAlias = Literal["caller", "agent"]
ConsentBy: TypeAlias = Literal["speech", "key", "notice", "silence", "other_words", "not_heard"]


class EndReason(StrEnum):
    """Why a call ended."""

    CALLER_HANGUP = "caller_hangup"
    AGENT_HANGUP = "agent_hangup"
    SHUTDOWN = "shutdown"
    LEG_LOST = "leg_lost"
    ENGINE_FAILED = "engine_failed"
    SILENCE = "silence"
    TIME_UP = "time_up"
    NOT_ANSWERED = "not_answered"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class CallStarted:
    """A leg was accepted. started_at: UNIX seconds, wall clock.

    account: whose call it is; agent: the agent's name; agent_id, version: which of its versions answers, if the
    database has it; masking: of what is kept of its words.
    """

    call_id: UUID
    agent: str
    direction: Direction
    caller: str
    callee: str
    driver: str
    started_at: float
    account: UUID = FIRST_ACCOUNT
    agent_id: UUID | None = None
    version: int | None = None
    masking: Masking = Masking.NONE


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a call. seq: 0, 1, 2 … within the call; at: media-clock seconds; payload: JSON values."""

    call_id: UUID
    seq: int
    type: str
    at: float
    payload: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Spoken:
    """A line of the transcript. start, end: media-clock seconds. For the agent, text is what was really heard."""

    call_id: UUID
    turn: int
    speaker: Speaker
    text: str
    start: float
    end: float


@dataclass(frozen=True, slots=True)
class TurnFinished:
    """A turn with its timeline, complete."""

    call_id: UUID
    turn: Turn


@dataclass(frozen=True, slots=True)
class CallEnded:
    """The call is over. ended_at: UNIX seconds."""

    call_id: UUID
    reason: EndReason
    ended_at: float
    duration: float


@dataclass(frozen=True, slots=True)
class Consented:
    """Whether the caller lets the call be recorded. by: their words or a key; that they heard a notice and stayed; or,
    when nobody agreed, what they did instead. at: media-clock seconds.
    """

    call_id: UUID
    given: bool
    by: ConsentBy
    at: float


@dataclass(frozen=True, slots=True)
class RecordingStarted:
    """The call is being recorded. wrapped_key: what opens it, under its account's key, in hexadecimal; rate: Hz;
    start_at: media-clock seconds of its first sample; masked: what is personal is silenced before anybody hears it.
    """

    call_id: UUID
    wrapped_key: str = field(repr=False)
    rate: int
    start_at: float
    masked: bool = False


Record: TypeAlias = CallStarted | Happened | Spoken | TurnFinished | Consented | RecordingStarted | CallEnded


class Recorder(Protocol):
    """Keeps what happens. Never blocks the call and never raises into it."""

    def record(self, record: Record) -> None:
        """Take *record*; it is stored soon, in order, at least once."""
        ...
