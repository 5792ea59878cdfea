"""What live viewers are told, one JSON message a change."""

from __future__ import annotations

from typing import Literal, TypeAlias
from uuid import UUID

from orchestrator.api.calls.schemas import CallSummary, EventRead, LineRead, TurnRead
from orchestrator.api.schemas import Told
from orchestrator.store.live_feed import Change


class _Message(Told):
    """id: where to go on from (`after`); it grows with every message."""

    id: int
    call_id: UUID


class CallChanged(_Message):
    """A call began, ended, or is known better."""

    type: Literal["call"] = "call"
    call: CallSummary


class TurnTaken(_Message):
    """A turn is over: its words and its timeline."""

    type: Literal["turn"] = "turn"
    turn: TurnRead


class LineSpoken(_Message):
    """A line of the transcript."""

    type: Literal["line"] = "line"
    line: LineRead


class EventHappened(_Message):
    """An event of the call, such as a state or words in the making."""

    type: Literal["event"] = "event"
    event: EventRead


Message: TypeAlias = CallChanged | TurnTaken | LineSpoken | EventHappened
_MESSAGES: dict[str, type[Message]] = {
    "call": CallChanged,
    "turn": TurnTaken,
    "line": LineSpoken,
    "event": EventHappened,
}


def message(change: Change) -> str:
    """*change* as it goes on the wire."""
    kind = _MESSAGES[change.kind]
    return kind.model_validate(
        {"id": change.position, "call_id": change.call, change.kind: change.what}
    ).model_dump_json()
