"""What an agent is, once it has been read and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from orchestrator.core.acquaintance import Memory
from orchestrator.core.expectation import ANYTHING, Expectation
from orchestrator.core.privacy import Masking


@dataclass(frozen=True, slots=True)
class ApprovedAnswer:
    """An answer that must be given word for word to any of *questions*. expects: of the caller, when it asks back."""

    questions: tuple[str, ...]
    answer: str
    expects: Expectation = ANYTHING


class RecordingPolicy(StrEnum):
    """When calls are recorded: never; once the caller agrees; once they have been told; from the first moment."""

    OFF = "off"
    ASK = "ask"
    NOTICE = "notice"
    ALWAYS = "always"


@dataclass(frozen=True, slots=True)
class Phrases:
    """What the agent says when something is wrong. Rendered ahead, so that they need no engine when they are needed.

    wait: before a slow reply; trouble, goodbye: an engine fails, once and too often; still_there, nobody_there: nobody
    says anything; time_up: the call has lasted as long as it may; recording_*: before a call is recorded: what tells
    the caller, what asks, once and again, and what follows a yes and a no.
    """

    wait: str = "One moment, please."
    trouble: str = "I am sorry, I have a technical problem. Please try once more."
    goodbye: str = "I am sorry, this is not working today. Please call again later. Goodbye."
    still_there: str = "Are you still there?"
    nobody_there: str = "I cannot hear you, so I will hang up now. Goodbye."
    time_up: str = "I am sorry, our time is up. Please call again. Goodbye."

    recording_notice: str = "This call is recorded."
    recording_question: str = "May we record this call to improve our service? Say yes or no."
    recording_again: str = "Sorry, may we record this call? Say yes or press one, or say no or press two."
    recording_agreed: str = "Thank you."
    recording_declined: str = "All right, this call is not recorded."

    def always(self) -> tuple[str, ...]:
        """Those that any call may need."""
        return (self.wait, self.trouble, self.goodbye, self.still_there, self.nobody_there, self.time_up)

    def before(self, policy: RecordingPolicy) -> tuple[str, ...]:
        """Those that a call needs before it is recorded."""
        match policy:
            case RecordingPolicy.ASK:
                asking = (self.recording_question, self.recording_again)
                return (*asking, self.recording_agreed, self.recording_declined)
            case RecordingPolicy.NOTICE:
                return (self.recording_notice,)
            case _:
                return ()


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent.

    numbers: the SIP user parts or phone numbers that it answers; language: BCP 47 tag; pronunciations: word → how it is
    written for the voice; patience: with callers who pause, which is quick, normal, patient, or the most seconds of
    silence; None is what the call's settings say; recording: when its calls are recorded; masking: of what is kept of
    its calls' words; memory: what it knows of who calls.
    """

    name: str
    numbers: tuple[str, ...]
    greeting: str
    persona: str
    subject: str = ""
    language: str = "en"
    voice: str = ""
    patience: str | float | None = None
    answers: tuple[ApprovedAnswer, ...] = ()
    phrases: Phrases = Phrases()
    pronunciations: Mapping[str, str] = field(default_factory=dict)
    recording: RecordingPolicy = RecordingPolicy.OFF
    masking: Masking = Masking.NONE
    memory: Memory = Memory.OFF

    def fixed_phrases(self) -> tuple[str, ...]:
        """Every text that it can say without a language model."""
        asking = self.phrases.before(self.recording)
        return (self.greeting, *asking, *self.phrases.always(), *(answer.answer for answer in self.answers))

    def expected_after(self, said: str) -> Expectation:
        """What the caller is expected to say after the agent has *said* something, or the last part of it."""
        asking = (one for one in self.answers if said and (said.endswith(one.answer) or one.answer.endswith(said)))
        return next((one.expects for one in asking), ANYTHING)
