"""Whether a call may be recorded: settled before the conversation begins, and nothing is recorded before it is."""

from __future__ import annotations

import asyncio
from uuid import UUID

from orchestrator.calls.chronicle import Chronicle
from orchestrator.calls.setup import CallSetup
from orchestrator.core.agent import RecordingPolicy
from orchestrator.core.clock import Clock
from orchestrator.core.events import ConsentBy, Consented
from orchestrator.core.ports import CallRecording
from orchestrator.dialogue.agreement import agreed

_KEYS = {"1": True, "2": False}


class Consent:
    """Asks or tells as the agent's policy has it, and begins the recording. group: the call's own; now: media seconds.

    pending: the caller's answer is waited for; announcing: a notice is being said, which nothing cuts short. What the
    methods return is to be said, the greeting last.
    """

    def __init__(
        self, group: asyncio.TaskGroup, setup: CallSetup, call_id: UUID, chronicle: Chronicle, now: Clock
    ) -> None:
        self.pending = False
        self.announcing = False
        self._group = group
        self._agent = setup.agent.agent
        self._phrases = setup.agent.agent.phrases
        self._recording = setup.recording
        self._recorder = setup.recorder
        self._call_id = call_id
        self._chronicle = chronicle
        self._now = now
        self._asked = 0

    def open(self) -> tuple[str, ...]:
        """What the call begins with."""
        policy = RecordingPolicy.OFF if self._recording is None else self._agent.recording
        match policy:
            case RecordingPolicy.ASK:
                self.pending = True
                return self._ask()
            case RecordingPolicy.NOTICE:
                self.announcing = True
                return (self._phrases.recording_notice,)
            case RecordingPolicy.ALWAYS:
                self._record()
            case RecordingPolicy.OFF:
                pass
        return (self._agent.greeting,)

    def hear(self, text: str) -> tuple[str, ...]:
        """The caller has said *text*. Nothing when it is no answer: it is not asked a third time, and not recorded."""
        given = agreed(text, self._agent.language)
        if given is not None:
            return self._settle(given, "speech")
        if self._asked == 1:
            return self._ask()
        self._settle(given=False, by="other_words")
        return ()

    def press(self, digit: str) -> tuple[str, ...]:
        """The caller has pressed a key. Nothing when it is neither of the two."""
        return () if (given := _KEYS.get(digit)) is None else self._settle(given, "key")

    def silence(self) -> tuple[str, ...]:
        """The caller says nothing."""
        return self._ask() if self._asked == 1 else self._settle(given=False, by="silence")

    def announced(self, *, heard: bool) -> tuple[str, ...]:
        """The notice is over; without having been *heard* it is none."""
        self.announcing = False
        self._tell(heard, "notice" if heard else "not_heard")
        return (self._agent.greeting,)

    def _ask(self) -> tuple[str, ...]:
        self._asked += 1
        return (self._phrases.recording_question if self._asked == 1 else self._phrases.recording_again,)

    def _settle(self, given: bool, by: ConsentBy) -> tuple[str, ...]:
        self.pending = False
        self._tell(given, by)
        return (self._phrases.recording_agreed if given else self._phrases.recording_declined, self._agent.greeting)

    def _tell(self, given: bool, by: ConsentBy) -> None:
        self._recorder.record(Consented(self._call_id, given, by, self._now()))
        self._chronicle.happened("consent", {"given": given, "by": by})
        if given:
            self._record()

    def _record(self) -> None:
        if self._recording is not None:
            self._group.create_task(self._begin(self._recording), name="recording")

    async def _begin(self, recording: CallRecording) -> None:
        """A recording that cannot be made ends no call."""
        self._chronicle.happened("recording", {"started": await recording.begin() is not None})
