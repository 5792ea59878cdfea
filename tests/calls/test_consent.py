"""Whether a call may be recorded, on the virtual clock: nothing is, before that is settled."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from orchestrator.calls.setup import SessionSettings
from orchestrator.core.agent import Phrases, RecordingPolicy
from orchestrator.core.clock import Clock
from orchestrator.core.events import Consented, EndReason
from orchestrator.core.ports import Dtmf
from orchestrator.core.turn import AnswerKind
from tests.calls.scene import AGENT, Says, Scene

PHRASES = Phrases(
    recording_notice="This is recorded.",
    recording_question="May we record this?",
    recording_again="Please say yes or no.",
    recording_agreed="Thank you kindly.",
    recording_declined="Nothing is recorded.",
)


@dataclass(slots=True)
class Recordable:
    """A CallRecording that notes when it was begun. refuses: nothing comes of it."""

    now: Clock = lambda: 0.0
    refuses: bool = False
    begun: list[float] = field(default_factory=list)

    async def begin(self) -> float | None:
        self.begun.append(self.now())
        return None if self.refuses else self.begun[-1]


def scene(policy: RecordingPolicy, *says: Says, **more: object) -> tuple[Scene, Recordable]:
    """A call under *policy*, played to its end."""
    recording = Recordable(refuses=bool(more.pop("refuses", False)))
    agent = replace(AGENT, recording=policy, phrases=PHRASES)
    played = Scene(agent=agent, says=says, recording=recording, **{"hangs_up": 30.0, **more})  # type: ignore[arg-type]
    recording.now = lambda: played.leg.now()  # noqa: PLW0108 - the leg is made later
    return played.run(), recording


def consents(played: Scene) -> list[tuple[bool, str]]:
    return [(record.given, record.by) for record in played.recorder.records if isinstance(record, Consented)]


def spoken(played: Scene) -> list[str]:
    return [text for speaker, text in played.lines if speaker == "agent"]


def test_a_yes_begins_the_recording_and_the_greeting_comes_after_it() -> None:
    played, recording = scene(RecordingPolicy.ASK, Says("yes sure", 4.0), Says("when are you open", 10.0))
    assert consents(played) == [(True, "speech")]
    assert len(recording.begun) == 1 and recording.begun[0] > 4.0
    assert spoken(played)[:3] == [
        "May we record this?",
        "Thank you kindly. Hello there.",
        "We open at nine every day.",
    ]
    assert [turn.answer for turn in played.turns_kept][:3] == [
        AnswerKind.PROMPT,
        AnswerKind.GREETING,
        AnswerKind.APPROVED,
    ]


def test_a_yes_over_the_question_is_an_answer_and_no_mere_assent() -> None:
    played, recording = scene(RecordingPolicy.ASK, Says("yes", 0.8))
    assert consents(played) == [(True, "speech")]
    assert len(recording.begun) == 1


def test_a_no_is_respected_for_the_whole_call() -> None:
    played, recording = scene(RecordingPolicy.ASK, Says("no thank you", 4.0), Says("yes when are you open", 10.0))
    assert consents(played) == [(False, "speech")]
    assert recording.begun == []
    assert spoken(played)[1:3] == ["Nothing is recorded. Hello there.", "We open at nine every day."]


@pytest.mark.parametrize(("digit", "given"), [("1", True), ("2", False)])
def test_a_key_answers_as_well_even_over_the_question(digit: str, given: bool) -> None:
    played, recording = scene(RecordingPolicy.ASK, keys=(Dtmf(digit, 0.5),))
    assert consents(played) == [(given, "key")]
    assert bool(recording.begun) == given
    assert any(text.endswith("Hello there.") for text in spoken(played))


def test_other_keys_answer_nothing() -> None:
    played, _ = scene(RecordingPolicy.ASK, keys=(Dtmf("5", 3.0),), hangs_up=8.0)
    assert consents(played) == []


def test_a_key_over_the_goodbye_answers_nothing_and_the_goodbye_is_said() -> None:
    settings = SessionSettings(longest=2.0)
    played, recording = scene(RecordingPolicy.ASK, keys=(Dtmf("1", 2.3),), settings=settings)
    assert (consents(played), recording.begun) == ([], [])
    assert spoken(played)[-1] == PHRASES.time_up
    assert played.reason is EndReason.TIME_UP


def test_whoever_says_something_else_is_asked_once_more_and_then_answered_unrecorded() -> None:
    played, recording = scene(
        RecordingPolicy.ASK, Says("when are you open", 4.0), Says("what are your opening hours", 10.0)
    )
    assert consents(played) == [(False, "other_words")]
    assert recording.begun == []
    assert spoken(played)[1:3] == ["Please say yes or no.", "We open at nine every day."]


def test_silence_is_no_consent() -> None:
    played, recording = scene(RecordingPolicy.ASK, hangs_up=60.0)
    assert consents(played) == [(False, "silence")]
    assert recording.begun == []
    assert spoken(played)[:3] == ["May we record this?", "Please say yes or no.", "Nothing is recorded. Hello there."]
    # Only then do the questions whether anybody is there begin.
    assert spoken(played)[3:5] == ["Are you still there?", "Are you still there?"]


def test_a_notice_is_heard_in_full_whatever_the_caller_says() -> None:
    played, recording = scene(RecordingPolicy.NOTICE, Says("hello hello", 0.3), Says("when are you open", 6.0))
    assert consents(played) == [(True, "notice")]
    # What was said over it is answered after it.
    assert spoken(played)[:3] == ["This is recorded.", "You said hello hello", "We open at nine every day."]
    assert len(recording.begun) == 1
    assert recording.begun[0] >= played.turns_kept[0].marks["reply_ended"] - 0.02  # type: ignore[index]


def test_a_caller_who_leaves_during_the_notice_is_not_recorded() -> None:
    played, recording = scene(RecordingPolicy.NOTICE, hangs_up=0.4)
    assert (consents(played), recording.begun) == ([(False, "not_heard")], [])
    assert played.reason is EndReason.CALLER_HANGUP


def test_where_everything_is_recorded_it_begins_at_once_and_nobody_is_asked() -> None:
    played, recording = scene(RecordingPolicy.ALWAYS)
    assert (consents(played), recording.begun, spoken(played)[0]) == ([], [0.0], "Hello there.")


def test_where_nothing_is_recorded_nobody_is_asked() -> None:
    played, recording = scene(RecordingPolicy.OFF)
    assert (consents(played), recording.begun, spoken(played)[0]) == ([], [], "Hello there.")


def test_where_nothing_can_be_recorded_nobody_is_asked() -> None:
    agent = replace(AGENT, recording=RecordingPolicy.ASK, phrases=PHRASES)
    assert spoken(Scene(agent=agent, hangs_up=5.0).run()) == ["Hello there."]


def test_a_recording_that_cannot_be_made_ends_no_call() -> None:
    played, _ = scene(RecordingPolicy.ASK, Says("yes", 4.0), Says("when are you open", 10.0), refuses=True)
    assert [event.payload for event in played.events("recording")] == [{"started": False}]
    assert "We open at nine every day." in spoken(played)
