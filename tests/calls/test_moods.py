"""How a caller sounds while they speak, on the virtual clock: told turn by turn, in front of nothing."""

from __future__ import annotations

import pytest

from orchestrator.core.errors import EngineTimeout
from orchestrator.core.events import CallState
from orchestrator.core.ports import Mood
from orchestrator.core.turn import Mark
from orchestrator.dialogue.temper import Temper
from tests.calls.scene import Says, Scene
from tests.fakes.engines import FakeSentiment

SAYS = [Says("this is terrible", 4.0), Says("when are you open", 12.0), Says("thanks that is great", 20.0)]


def played(sentiment: FakeSentiment | None, hangs_up: float = 30.0) -> Scene:
    return Scene(says=SAYS, hangs_up=hangs_up, sentiment=sentiment).run()


def told(scene: Scene) -> list[tuple[object, object]]:
    return [(event.payload["score"], event.payload["level"]) for event in scene.events("mood")]


def test_each_turn_of_the_caller_is_told_with_the_level_that_it_leads_to() -> None:
    scene = played(FakeSentiment())
    assert told(scene) == [(-0.88, -0.88), (0.0, -0.44), (0.88, 0.22)]
    spoke = [turn.index for turn in scene.turns_kept if turn.caller_text]
    assert [event.payload["turn"] for event in scene.events("mood")] == spoke
    assert "terrible" not in str(scene.events("mood"))


@pytest.mark.parametrize("delay", [0.02, 3.0])
def test_no_reply_waits_for_it(delay: float) -> None:
    scene, plain = played(FakeSentiment(delay=delay)), played(None)
    assert [turn.marks for turn in scene.turns_kept] == [turn.marks for turn in plain.turns_kept]
    assert scene.lines == plain.lines


class Quickening(FakeSentiment):
    """Each answer takes half as long as the one before."""

    async def score(self, text: str) -> Mood:
        self.delay /= 2
        return await super().score(text)


def test_turns_are_told_in_their_order_though_an_answer_is_late() -> None:
    scene = played(Quickening(delay=40.0), hangs_up=90.0)
    assert [event.payload["turn"] for event in scene.events("mood")] == [1, 2, 3]
    third = next(turn for turn in scene.turns_kept if turn.index == 3)
    assert scene.events("mood")[0].at > third.marks[Mark.SPEECH_ENDED], "it was late for the others too"


def test_a_classifier_that_fails_costs_the_call_nothing() -> None:
    failing = FakeSentiment(failure=EngineTimeout("minilm-linear", "no answer"))
    scene = played(failing)
    assert len(failing.requests) == 3
    assert (told(scene), scene.lines) == ([], played(None).lines)


def test_a_call_does_not_stay_for_it() -> None:
    scene = Scene(says=SAYS[:1], hangs_up=9.0, sentiment=FakeSentiment(delay=100.0)).run()
    assert scene.states[-1] == CallState.END.value
    assert told(scene) == []


def test_a_temper_changes_by_half_each_turn() -> None:
    temper = Temper()
    assert temper.level is None
    assert [temper.take(score) for score in (-1.0, -1.0, 1.0, 1.0)] == [-1.0, -1.0, 0.0, 0.5]
