"""What a call is made of besides its leg: an agent, engines, and the rules that it goes by."""

from __future__ import annotations

from dataclasses import dataclass, field

from orchestrator.calls.ear import EarSettings
from orchestrator.calls.load_guard import LoadGuard
from orchestrator.calls.prepared import PreparedAgent
from orchestrator.calls.remembering import Recall
from orchestrator.core.events import Recorder
from orchestrator.core.ports import (
    CallRecording,
    Interjections,
    LanguageModel,
    Recognizer,
    Sentiment,
    TextToSpeech,
    TurnDetector,
    VoiceActivity,
)


@dataclass(frozen=True, slots=True)
class CallEngines:
    """The engines of one call; vad is its own, the others are shared. sentiment: None where nobody asks for moods."""

    vad: VoiceActivity
    recognizer: Recognizer
    turns: TurnDetector
    llm: LanguageModel
    tts: TextToSpeech
    interjections: Interjections
    sentiment: Sentiment | None = None


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """failures: in a row, after which the agent says goodbye; answer_within: seconds from the end of a turn in which
    its reply must be heard, or it counts as a failure; filler_after: seconds after which a filler is said;
    silence_after: seconds in which nobody says anything, after which the agent asks whether the caller is there, and
    silence_prompts: how often before it hangs up; longest: seconds after which it says that the time is up;
    reply_tokens: a reply's length limit; speculate: whether replies are begun at a likely end of the turn.
    """

    ear: EarSettings = field(default_factory=EarSettings)
    failures: int = 3
    answer_within: float = 8.0
    filler_after: float = 2.5
    silence_after: float = 10.0
    silence_prompts: int = 2
    longest: float = 3600.0
    reply_tokens: int = 96
    speculate: bool = True


@dataclass(frozen=True, slots=True)
class CallSetup:
    """What a call is made of besides its leg. guard: that of all calls of the process; recording: what may be begun,
    None where nothing is recorded; recall: what is known of the caller, None where nobody is to be known.
    """

    agent: PreparedAgent
    engines: CallEngines
    recorder: Recorder
    guard: LoadGuard = field(default_factory=LoadGuard)
    settings: SessionSettings = field(default_factory=SessionSettings)
    recording: CallRecording | None = None
    recall: Recall | None = None

    @property
    def hearing(self) -> EarSettings:
        """How this agent hears."""
        return self.settings.ear.of(self.agent.agent)
