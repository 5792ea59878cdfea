"""A whole call on the virtual clock: a scripted caller, fake engines, and what is left of it afterwards."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import inf
from uuid import UUID

from orchestrator.calls.load_guard import LoadGuard
from orchestrator.calls.prepared import prepare
from orchestrator.calls.remembering import Recall
from orchestrator.calls.session import CallSession
from orchestrator.calls.setup import CallEngines, CallSetup, SessionSettings
from orchestrator.core.agent import Agent, ApprovedAnswer
from orchestrator.core.audio import AudioFrame
from orchestrator.core.events import EndReason, Happened, Record, Spoken, TurnFinished
from orchestrator.core.ports import CallRecording, Dtmf
from orchestrator.core.turn import Turn
from tests.fakes.engines import (
    FakeEmbedder,
    FakeInterjections,
    FakeLanguageModel,
    FakeRecognizer,
    FakeSentiment,
    FakeTextToSpeech,
    FakeTurnDetector,
    FakeVoiceActivity,
)
from tests.fakes.leg import FakeLeg
from tests.fakes.speech import Lexicon
from tests.virtual_clock import run_virtual

CALL_ID = UUID("00000000-0000-7000-8000-000000000001")
HOURS = ApprovedAnswer(("what are your opening hours", "when are you open"), "We open at nine every day.")
AGENT = Agent(
    name="demo", numbers=("demo",), greeting="Hello there.", persona="You answer the phone.", answers=(HOURS,)
)


@dataclass(frozen=True, slots=True)
class Says:
    """The caller says *text* at media second *at*."""

    text: str
    at: float


@dataclass(slots=True)
class Kept:
    """A Recorder that keeps every record."""

    records: list[Record] = field(default_factory=list)

    def record(self, record: Record) -> None:
        self.records.append(record)


@dataclass(slots=True)
class Scene:
    """A call to be run. Each engine can be replaced or told to fail before run()."""

    agent: Agent = AGENT
    says: Sequence[Says] = ()
    keys: Sequence[Dtmf] = ()
    hangs_up: float = inf
    echo: float | None = None
    settings: SessionSettings = field(default_factory=SessionSettings)
    lexicon: Lexicon = field(default_factory=Lexicon)
    llm: FakeLanguageModel = field(default_factory=FakeLanguageModel)
    embedder: FakeEmbedder = field(default_factory=FakeEmbedder)
    turns: FakeTurnDetector = field(default_factory=FakeTurnDetector)
    interjections: FakeInterjections = field(default_factory=FakeInterjections)
    recorder: Kept = field(default_factory=Kept)
    guard: LoadGuard = field(default_factory=LoadGuard)
    recording: CallRecording | None = None
    recall: Recall | None = None
    sentiment: FakeSentiment | None = None
    before: Callable[[Scene], None] = lambda scene: None
    recognizer: FakeRecognizer = field(init=False)
    tts: FakeTextToSpeech = field(init=False)
    leg: FakeLeg = field(init=False)
    heard: AudioFrame = field(init=False)
    reason: EndReason = field(init=False)

    def __post_init__(self) -> None:
        self.recognizer = FakeRecognizer(self.lexicon.hear)
        self.tts = FakeTextToSpeech(self.lexicon)

    def run(self) -> Scene:
        """Play the call to its end."""
        run_virtual(self._run())
        return self

    async def _run(self) -> None:
        prepared = await prepare(self.agent, self.embedder, self.tts)
        self.before(self)
        speech = [self.lexicon.speak(line.text, at=line.at) for line in self.says]
        self.leg = FakeLeg(speech, self.keys, hangs_up=self.hangs_up, echo=self.echo)
        engines = CallEngines(
            FakeVoiceActivity(), self.recognizer, self.turns, self.llm, self.tts, self.interjections, self.sentiment
        )
        setup = CallSetup(prepared, engines, self.recorder, self.guard, self.settings, self.recording, self.recall)
        session = CallSession(CALL_ID, self.leg, setup)
        self.reason = await session.run()
        self.heard = self.leg.heard

    @property
    def turns_kept(self) -> list[Turn]:
        """The turns, as recorded."""
        return [record.turn for record in self.recorder.records if isinstance(record, TurnFinished)]

    @property
    def lines(self) -> list[tuple[str, str]]:
        """(speaker, text) of the transcript."""
        return [(record.speaker, record.text) for record in self.recorder.records if isinstance(record, Spoken)]

    @property
    def states(self) -> list[str]:
        """The states that the call entered."""
        return [str(event.payload["to"]) for event in self.events("state")]

    def events(self, kind: str) -> list[Happened]:
        """The events of one type."""
        return [record for record in self.recorder.records if isinstance(record, Happened) and record.type == kind]

    def heard_between(self, start: float, end: float) -> str:
        """The words that went out to the caller from media second *start* to *end*."""
        part = self.heard.pcm[round(start * self.heard.rate) : round(end * self.heard.rate)]
        return self.lexicon.hear(AudioFrame(part, self.heard.rate))
