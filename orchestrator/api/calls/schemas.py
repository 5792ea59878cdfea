"""What the API says about calls. Times on the media clock are seconds since the answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal, TypeAlias
from uuid import UUID

from pydantic import AfterValidator

from orchestrator.api.schemas import Told
from orchestrator.core.events import ConsentBy, EndReason
from orchestrator.core.turn import AnswerKind, Mark


def _to_a_thousandth(value: object) -> object:
    return round(value, 3) if isinstance(value, float) else value


Seconds: TypeAlias = Annotated[float, AfterValidator(_to_a_thousandth)]
Score: TypeAlias = Annotated[float, AfterValidator(_to_a_thousandth)]
Detail: TypeAlias = Annotated[object, AfterValidator(_to_a_thousandth)]


class ContactOfCall(Told):
    """Whom the account knows by the number that called or was called."""

    id: UUID
    name: str


class CallSummary(Told):
    """One call. ended_at, reason and duration are null while it goes on; recorded: whether there is a recording.

    summary and sentiment, from -1 to 1, are found out after its end; null when the caller said nothing.

    version: of the agent that answered, and went on answering whatever was published meanwhile.
    """

    id: UUID
    agent: str
    agent_id: UUID | None
    version: int | None
    direction: Literal["inbound", "outbound"]
    caller: str
    callee: str
    driver: str
    started_at: datetime
    ended_at: datetime | None
    reason: EndReason | None
    duration: Seconds | None
    recorded: bool
    summary: str | None
    sentiment: Score | None
    contact: ContactOfCall | None


class TurnRead(Told):
    """One turn: what the caller said, and how (from -1 to 1), what was answered, what of it was heard, its timeline."""

    index: int
    answer: AnswerKind | None
    caller_text: str
    reply_text: str
    heard_text: str
    marks: Mapping[Mark, Seconds]
    spans: Mapping[str, Seconds]
    sentiment: Score | None


class LineRead(Told):
    """A line of the transcript. text: what was heard in the call, and acted upon; transcription: what the
    recording says, null until that is found out, and where there is no recording.
    """

    turn: int
    speaker: Literal["caller", "agent"]
    text: str
    start: Seconds
    end: Seconds
    transcription: str | None


class EventRead(Told):
    """Something that happened in the call."""

    seq: int
    type: str
    at: Seconds
    payload: Mapping[str, Detail]


class FoundCall(CallSummary):
    """lines: the first ones that hold any of the words that were looked for."""

    lines: list[LineRead]


class ConsentRead(Told):
    """Whether the caller let the call be recorded, and how that was told."""

    given: bool
    how: ConsentBy
    at: Seconds


class CallDetail(CallSummary):
    """One call with everything that is known of it. consent: null when nobody was asked or told."""

    turns: list[TurnRead]
    transcript: list[LineRead]
    events: list[EventRead]
    consent: ConsentRead | None
