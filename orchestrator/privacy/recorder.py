"""Masks what is personal before anything keeps it: what reaches the database or the disk went through here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from orchestrator.core.events import (
    CallEnded,
    CallStarted,
    Happened,
    Record,
    Recorder,
    RecordingStarted,
    Spoken,
    TurnFinished,
)
from orchestrator.core.privacy import STRICTEST, Masking, MaskingPolicy
from orchestrator.privacy.masks import CallMask


@dataclass(frozen=True, slots=True)
class _MaskedCall:
    mask: CallMask
    recording: bool


class MaskingRecorder:
    """A Recorder in front of *recorder*. policy: what an account's calls begin with; an agent may ask for more.

    A call keeps the policy that it began with. What it says of words that are still being spoken is their number
    alone: a number or an address that is only half there cannot be told from other words.
    """

    def __init__(self, recorder: Recorder, policy: Callable[[UUID], MaskingPolicy]) -> None:
        self._recorder = recorder
        self._policy = policy
        self._calls: dict[UUID, _MaskedCall] = {}

    def record(self, record: Record) -> None:
        """Give *record* on, masked. A record of a call whose beginning was not seen is masked most strictly."""
        match record:
            case CallStarted():
                policy = self._policy(record.account)
                masking = record.masking.with_at_least(policy.words)
                self._calls[record.call_id] = _MaskedCall(CallMask(masking), policy.recordings)
                self._recorder.record(replace(record, masking=masking))
            case CallEnded():
                self._calls.pop(record.call_id, None)
                self._recorder.record(record)
            case Happened() | Spoken() | TurnFinished():
                mask = self._call(record.call_id).mask
                self._recorder.record(record if mask.masking is Masking.NONE else _masked(record, mask))
            case RecordingStarted():
                call = self._call(record.call_id)
                masked = call.recording and call.mask.masking is not Masking.NONE
                self._recorder.record(replace(record, masked=masked))
            case _:
                self._recorder.record(record)

    def _call(self, call_id: UUID) -> _MaskedCall:
        return self._calls.get(call_id) or _MaskedCall(CallMask(STRICTEST.words), STRICTEST.recordings)


def _masked(record: Happened | Spoken | TurnFinished, mask: CallMask) -> Record:
    match record:
        case Spoken():
            return replace(record, text=mask(record.text))
        case TurnFinished():
            turn = record.turn
            said, reply = mask(turn.caller_text), mask(turn.reply_text)
            heard = reply if turn.heard_text == turn.reply_text else mask(turn.heard_text)
            return replace(record, turn=replace(turn, caller_text=said, reply_text=reply, heard_text=heard))
        case Happened():
            return replace(record, payload=_payload(record, mask))


def _payload(record: Happened, mask: CallMask) -> Mapping[str, object]:
    if record.type == "partial":
        return {"words": sum(len(str(text).split()) for text in record.payload.values())}
    if record.type == "dtmf":
        return {"digit": "[number]"}
    return {name: mask(value) if isinstance(value, str) else value for name, value in record.payload.items()}
