"""What a call leaves behind: its states, its events, its transcript and its turns, in the order in which they came."""

from __future__ import annotations

from uuid import UUID

from orchestrator.core.clock import Clock
from orchestrator.core.events import CallState, Happened, Recorder, Spoken, TurnFinished
from orchestrator.core.turn import Mark, Turn


class Chronicle:
    """That of one call. now: media seconds."""

    def __init__(self, call_id: UUID, recorder: Recorder, now: Clock) -> None:
        self.state = CallState.INIT
        self._call_id = call_id
        self._recorder = recorder
        self._now = now
        self._events = 0

    def enter(self, state: CallState) -> None:
        """The call is in *state* from now on."""
        if state is not self.state:
            self.happened("state", {"from": self.state.value, "to": state.value})
            self.state = state

    def happened(self, kind: str, payload: dict[str, object]) -> None:
        """Something that is an event of the call. payload: JSON values."""
        self._recorder.record(Happened(self._call_id, self._events, kind, self._now(), payload))
        self._events += 1

    def keep(self, turn: Turn) -> None:
        """*turn* is over: its lines, as they were heard, and itself."""
        now = self._now()
        if turn.caller_text:
            started, ended = turn.marks[Mark.SPEECH_STARTED], turn.marks[Mark.SPEECH_ENDED]
            self._recorder.record(Spoken(self._call_id, turn.index, "caller", turn.caller_text, started, ended))
        if turn.heard_text:
            started = turn.marks.get(Mark.REPLY_STARTED, now)
            # What was not spoken long, or not at all, may have begun by a clock that is a little ahead.
            ended = max(started, now)
            self._recorder.record(Spoken(self._call_id, turn.index, "agent", turn.heard_text, started, ended))
        self._recorder.record(TurnFinished(self._call_id, turn))
