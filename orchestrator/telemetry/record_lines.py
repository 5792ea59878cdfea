"""Records as lines of JSON, for the spool."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any
from uuid import UUID

from orchestrator.core.events import (
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
from orchestrator.core.privacy import Masking
from orchestrator.core.turn import AnswerKind, Mark, Turn

_KINDS: dict[str, type[Record]] = {
    "call_started": CallStarted,
    "happened": Happened,
    "spoken": Spoken,
    "turn_finished": TurnFinished,
    "consented": Consented,
    "recording_started": RecordingStarted,
    "call_ended": CallEnded,
}
_NAMES = {kind: name for name, kind in _KINDS.items()}


def snapshot(record: Record) -> Record:
    """*record* cut off from what its maker may still change: a turn's marks, an event's payload."""
    if isinstance(record, TurnFinished):
        return replace(record, turn=replace(record.turn, marks=dict(record.turn.marks)))
    if isinstance(record, Happened):
        return replace(record, payload=dict(record.payload))
    return record


def to_line(record: Record) -> str:
    """*record* as one line of JSON without its end of line. Values that JSON does not know become their text."""
    values = {field.name: getattr(record, field.name) for field in fields(record)}
    return json.dumps({"kind": _NAMES[type(record)], **values}, default=_plain, separators=(",", ":"))


def from_line(line: str) -> Record:
    """The record of a line. Raises ValueError, naming the fault, when it holds none."""
    try:
        values = json.loads(line)
        kind = _KINDS[values.pop("kind")]
        record: Record = kind(**{name: _READ.get(name, _as_is)(value) for name, value in values.items()})
    except (KeyError, TypeError, AttributeError, ValueError) as error:
        raise ValueError(f"not a record: {type(error).__name__}: {error}") from error
    return record


def _plain(value: object) -> object:
    if isinstance(value, Turn):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if isinstance(value, Mapping):
        return dict(value)
    return str(value)


def _as_is(value: Any) -> Any:
    return value


def _turn(value: Any) -> Turn | int:
    """A finished turn comes with all its values; a line of the transcript has only the number of its turn."""
    if isinstance(value, int):
        return value
    answer = value.pop("answer")
    marks = {Mark(name): at for name, at in value.pop("marks").items()}
    return Turn(**value, answer=None if answer is None else AnswerKind(answer), marks=marks)


_READ: dict[str, Callable[[Any], Any]] = {
    "call_id": UUID,
    "account": UUID,
    "agent_id": lambda value: None if value is None else UUID(value),
    "reason": EndReason,
    "masking": Masking,
    "turn": _turn,
}
