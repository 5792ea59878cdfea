"""Records of a small call, for tests of what keeps them."""

from __future__ import annotations

from uuid import UUID, uuid4

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
from orchestrator.core.turn import AnswerKind, Mark, Turn


def started(call_id: UUID, at: float = 1_800_000_000.0, account: UUID = FIRST_ACCOUNT) -> CallStarted:
    """A caller at the demo agent's door."""
    return CallStarted(
        call_id, "demo", "inbound", "+33612345678", "sip:demo@127.0.0.1", "sip", at, account, UUID(int=5), 3
    )


def answered_turn(index: int = 1, latency: float = 0.75, answer: AnswerKind = AnswerKind.LLM) -> Turn:
    """A turn whose reply starts *latency* seconds after the end of the caller's speech at 4.5 s."""
    turn = Turn(index, "what time is it", "It is noon.", "It is noon.", answer)
    turn.mark(Mark.SPEECH_STARTED, 3.25)
    turn.mark(Mark.SPEECH_ENDED, 4.5)
    turn.mark(Mark.REPLY_STARTED, 4.5 + latency)
    turn.mark(Mark.REPLY_ENDED, 6.5)
    return turn


def small_call(call_id: UUID | None = None) -> list[Record]:
    """A call from its start to its end."""
    call = call_id or uuid4()
    return [
        started(call),
        Happened(call, 0, "state", 0.0, {"state": "greeting"}),
        Consented(call, given=True, by="speech", at=0.1),
        RecordingStarted(call, "00ff", 16000, 0.125),
        Spoken(call, 0, "agent", "Good morning.", 0.25, 1.5),
        Happened(call, 1, "state", 1.5, {"state": "listen"}),
        Spoken(call, 1, "caller", "what time is it", 3.25, 4.5),
        Spoken(call, 1, "agent", "It is noon.", 5.25, 6.5),
        TurnFinished(call, answered_turn()),
        Happened(call, 2, "state", 7.0, {"state": "end"}),
        CallEnded(call, EndReason.CALLER_HANGUP, 1_800_000_007.0, 7.0),
    ]
