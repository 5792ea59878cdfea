"""A caller who talks over the agent."""

from __future__ import annotations

import pytest

from orchestrator.core.errors import EngineUnavailable
from orchestrator.core.events import EndReason
from orchestrator.core.turn import Mark
from tests.calls.scene import Says, Scene
from tests.fakes.engines import FakeLanguageModel

LONG = "Let me tell you the whole story from the beginning. It is a long one with many words in it. And it goes on."


def interrupted_call() -> Scene:
    scene = Scene(says=[Says("tell me", 2.0), Says("stop please", 6.0)], hangs_up=14.0)
    scene.llm = FakeLanguageModel(answer=lambda messages: LONG if "tell" in messages[-1].content else "Yes.")
    return scene.run()


def test_the_agent_falls_silent():
    call = interrupted_call()
    assert call.heard_between(6.0, 6.2)
    assert not call.heard_between(6.25, 6.9)
    assert call.leg.cleared == 1


def test_barge_in_keeps_only_what_was_heard():
    call = interrupted_call()
    turn = call.turns_kept[1]
    truth = call.heard_between(turn.marks[Mark.REPLY_STARTED], 6.9).split()
    assert LONG.startswith(turn.heard_text)
    assert len(turn.heard_text.split()) == pytest.approx(len(truth), abs=1)
    assert 0 < len(turn.heard_text.split()) < len(LONG.split())


@pytest.mark.parametrize("pace", [0.18, 0.3, 0.52])
def test_a_voice_that_tells_where_its_words_end_leaves_no_guess(pace):
    scene = Scene(says=[Says("tell me", 2.0), Says("stop please", 6.0)], hangs_up=14.0)
    scene.lexicon.word_duration = pace
    scene.tts.tells = True
    scene.llm = FakeLanguageModel(answer=lambda messages: LONG if "tell" in messages[-1].content else "Yes.")
    turn = scene.run().turns_kept[1]
    played = scene.heard_between(turn.marks[Mark.REPLY_STARTED], turn.marks[Mark.SILENCED] + 0.2).split()
    assert len(turn.heard_text.split()) in {len(played), len(played) - 1}  # the last may have been cut in two


def test_the_model_never_remembers_words_that_nobody_heard():
    call = interrupted_call()
    remembered = call.llm.requests[-1][-2]
    assert (remembered.role, remembered.content) == ("assistant", call.turns_kept[1].heard_text)


def test_generation_and_synthesis_are_closed():
    call = interrupted_call()
    assert call.llm.closed + call.tts.closed >= 1
    assert call.llm.completed + call.llm.closed == len(call.llm.requests)
    assert call.tts.completed + call.tts.closed == len(call.tts.requests)


def test_the_interruption_is_answered():
    call = interrupted_call()
    assert call.turns_kept[2].caller_text == "stop please"
    assert call.turns_kept[2].heard_text == "Yes."


def test_the_time_from_onset_to_silence_is_a_span():
    call = interrupted_call()
    assert 0.0 < call.turns_kept[1].spans()["barge_in"] < 0.25
    assert len(call.events("barge_in")) == 1


def test_a_greeting_can_be_interrupted():
    call = Scene(says=[Says("hello yes", 0.2)], hangs_up=6.0).run()
    assert call.turns_kept[0].heard_text in {"", "Hello"}
    assert call.turns_kept[1].caller_text == "hello yes"


def test_a_call_that_ends_in_mid_reply_keeps_what_was_heard():
    scene = Scene(says=[Says("tell me", 2.0)], hangs_up=5.0)
    scene.llm = FakeLanguageModel(answer=lambda messages: LONG)
    turn = scene.run().turns_kept[1]
    assert turn.heard_text
    assert LONG.startswith(turn.heard_text)
    assert turn.heard_text != LONG


def test_a_noise_does_not_silence_the_agent_for_good():
    scene = Scene(says=[Says("tell me", 2.0), Says("hm", 6.0)], hangs_up=20.0)
    scene.llm = FakeLanguageModel(answer=lambda messages: LONG)
    scene.recognizer.hear = lambda window: scene.lexicon.hear(window).replace("hm", "").strip()
    call = scene.run()
    spoken = " ".join(text for speaker, text in call.lines[2:] if speaker == "agent")
    assert LONG.startswith(spoken)
    assert spoken.endswith("many words in it.")
    assert len(call.events("resumed")) == 1


def test_the_goodbye_is_said_to_its_end_and_then_the_agent_hangs_up():
    says = [Says("can you help me", at) for at in (2.0, 10.0, 18.0)]
    scene = Scene(says=[*says, Says("wait wait", 20.5)], hangs_up=600.0)
    scene.llm.failure = EngineUnavailable("llm", "gone")
    call = scene.run()
    assert call.turns_kept[-1].heard_text == call.agent.phrases.goodbye
    assert call.reason is EndReason.ENGINE_FAILED
    assert call.leg.hung_up
